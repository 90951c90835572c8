"""Queues, of our own and as clients of the documented API see them."""

import asyncio

import pytest

from api.callers import V1, V2, unique

DEFAULT = "Default Queue"


async def make(shop, **fields):
    made = await shop.v1("POST", "/queues", {"name": unique("Queue"), **fields})
    assert made.status_code == 201, made.text
    return made.json()


async def put(shop, body, **more):
    return await shop.compat("PUT", "/queues/dynamicqueues/priorities", body, prefix=V1, **more)


def said(answer) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    return {error["field"]: error["msg"] for error in answer.json()["errors"]}


async def test_a_new_app_has_the_queue_that_samples_name(shop):
    ours = (await shop.v1("GET", "/queues")).json()
    documented = (await shop.compat("GET", "/queues", prefix=V1)).json()

    assert [(one["name"], one["is_default"], one["is_active"]) for one in ours["items"]] == [(DEFAULT, True, True)]
    assert documented == {
        "results": [
            {
                "id": ours["items"][0]["id"],
                "name": DEFAULT,
                "isDefault": True,
                "isActive": True,
                "description": "",
                "priority": 5,
                "isAdvancedRoutingEnabled": False,
                "hoursOfOperation": {"id": "", "name": ""},
                "agents": [],
                "skills": [],
                "agentGroups": [],
            }
        ],
        "page": 1,
        "limit": 100,
        "hasMore": False,
        "totalPages": 1,
        "totalResults": 1,
    }


async def test_the_first_app_of_a_server_has_it_too(server):
    (first, *_) = [await server.runtime.store.apps.by_no(1)]

    assert await server.runtime.store.queues.names(first.no) == [DEFAULT]


async def test_a_queue_is_made_changed_and_deleted(shop):
    made = await make(shop, description="Sales", priority=7, skills=["Gold"], is_active=False)
    path = f"/queues/{made['id']}"

    changed = await shop.v1("PATCH", path, {"name": "Sales 2", "priority": 1})
    shown = await shop.v1("GET", path)
    deleted = await shop.v1("DELETE", path)
    gone = await shop.v1("GET", path)

    assert made["id"].startswith("qu-")
    assert changed.json() == {**made, "name": "Sales 2", "priority": 1, "updated_at": changed.json()["updated_at"]}
    assert shown.json() == changed.json()
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (gone.status_code, gone.json()["code"]) == (404, "queue_not_found")


async def test_an_app_always_has_one_default_queue(shop):
    (first,) = (await shop.v1("GET", "/queues")).json()["items"]
    second = await make(shop, is_default=True)

    unset = await shop.v1("PATCH", f"/queues/{second['id']}", {"is_default": False})
    deleted = await shop.v1("DELETE", f"/queues/{second['id']}")
    back = await shop.v1("PATCH", f"/queues/{first['id']}", {"is_default": True})
    queues = (await shop.v1("GET", "/queues")).json()["items"]

    assert (unset.status_code, unset.json()["errors"][0]["field"]) == (400, "is_default")
    assert (deleted.status_code, deleted.json()["code"]) == (409, "in_use")
    assert back.status_code == 200
    assert [one["is_default"] for one in queues] == [True, False]


async def test_queues_that_become_the_default_at_once_leave_one(shop):
    made = await asyncio.gather(*(make(shop, is_default=True) for _ in range(6)))
    changes = [shop.v1("PATCH", f"/queues/{one['id']}", {"is_default": True}) for one in made]

    answers = await asyncio.gather(*changes)

    queues = (await shop.v1("GET", "/queues")).json()["items"]
    assert {answer.status_code for answer in answers} == {200}
    assert [one["is_default"] for one in queues].count(True) == 1


async def test_a_wrong_queue_names_its_fields(shop):
    wrong = {
        "name": " ",
        "description": "d" * 257,
        "priority": 11,
        "is_default": "yes",
        "is_active": 1,
        "skills": ["a", "A"],
        "colour": 1,
    }

    answers = [await shop.v1("POST", "/queues", wrong), await shop.v1("POST", "/queues", {"name": "x", "priority": 0})]
    taken = await shop.v1("POST", "/queues", {"name": DEFAULT.upper()})

    assert [[one["field"] for one in answer.json()["errors"]] for answer in answers] == [list(wrong), ["priority"]]
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")


async def test_pages_of_queues_in_both_dialects(shop):
    made = [await make(shop) for _ in range(4)]
    ids = [one["id"] for one in made]

    ours = [one["id"] async for one in shop.pages("/queues", limit=2)]
    pages = [
        (await shop.compat("GET", "/queues", params={"page": page, "limit": "2"})).json()
        for page in ("1", "2", "3", "4")
    ]

    assert ours[1:] == ids
    assert [one["id"] for page in pages for one in page["results"]] == ours
    assert [(page["page"], page["hasMore"], page["totalPages"], page["totalResults"]) for page in pages] == [
        (1, True, 3, 5),
        (2, True, 3, 5),
        (3, False, 3, 5),
        (4, False, 3, 5),
    ]


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"limit": "0"}, {"limit": "101"}, {"limit": "1.5"}])
async def test_a_page_of_queues_that_cannot_be_is_refused(shop, query):
    assert list(said(await shop.compat("GET", "/queues", params=query))) == list(query)


async def test_one_queue_by_id_and_by_name(shop):
    made = await make(shop, name="Gold / Silver", skills=["Gold"])

    by_id = await shop.compat("GET", f"/queues/{made['id']}", prefix=V1)
    by_name = await shop.compat("GET", "/Queues/gold%20%2F%20silver", prefix=V2)

    assert by_id.json() == by_name.json()
    assert by_id.json()["skills"] == [{"id": "", "name": "Gold"}]


async def test_priorities_are_set_by_the_documented_body(shop):
    made = [await make(shop) for _ in range(2)]
    body = {"queuePriorityData": [{"queueId": one["id"], "priority": 6 - i} for i, one in enumerate(made)]}

    answer = await put(shop, body)
    queues = (await shop.v1("GET", "/queues")).json()["items"]

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"updatedCount": 2, "updatedQueueIds": [one["id"] for one in made]}
    assert [one["priority"] for one in queues] == [5, 6, 5]


@pytest.mark.parametrize("shape", ["array", "object", "name", "text"])
async def test_priorities_are_taken_in_other_shapes(shop, shape):
    made = await make(shop)
    element = {
        "array": {"id": made["id"], "priority": 9},
        "object": {"queueId": made["id"], "priority": 9},
        "name": {"name": made["name"].upper(), "priority": 9},
        "text": {"queueId": made["id"], "priority": "9"},
    }[shape]

    answer = await put(shop, element if shape == "object" else [element])

    assert answer.json() == {"updatedCount": 1, "updatedQueueIds": [made["id"]]}
    assert (await shop.v1("GET", f"/queues/{made['id']}")).json()["priority"] == 9


async def test_every_wrong_priority_is_named_and_none_is_set(shop):
    made = await make(shop)
    elements = [
        {"queueId": made["id"], "priority": 10},
        {"queueId": made["id"], "priority": 1},
        {"queueId": "qu-nothing", "priority": 11},
        {"priority": 5},
        {"name": DEFAULT},
        7,
    ]

    wrong = said(await put(shop, {"queuePriorityData": elements}))

    assert set(wrong) == {
        "queuePriorityData[1].queueId",
        "queuePriorityData[2].queueId",
        "queuePriorityData[2].priority",
        "queuePriorityData[3].queueId",
        "queuePriorityData[4].priority",
        "queuePriorityData[5]",
    }
    assert (await shop.v1("GET", f"/queues/{made['id']}")).json()["priority"] == 5


@pytest.mark.parametrize("body", [None, {}, [], {"queuePriorityData": 5}, "x", [[]]])
async def test_priorities_of_nothing_are_refused(shop, body):
    answer = await put(shop, body)

    assert answer.status_code == 400, answer.text


async def test_queues_of_another_app_are_not_there(shop, stranger):
    theirs = await make(stranger)

    answers = [
        await shop.v1("GET", f"/queues/{theirs['id']}"),
        await shop.v1("PATCH", f"/queues/{theirs['id']}", {"priority": 1}),
        await shop.v1("DELETE", f"/queues/{theirs['id']}"),
        await shop.compat("GET", f"/queues/{theirs['id']}"),
    ]
    order = await put(shop, [{"queueId": theirs["id"], "priority": 1}])
    page = await shop.v1("GET", "/queues", params={"after": theirs["id"]})

    assert [answer.status_code for answer in answers] == [404] * 4
    assert [order.status_code, page.status_code] == [400, 400]
    assert theirs["name"] not in order.text
    assert (await stranger.v1("GET", f"/queues/{theirs['id']}")).json() == theirs
