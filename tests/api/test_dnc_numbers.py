"""DNC lists are looked into, renamed, made global, emptied and deleted; a size is always how many there are."""

import asyncio

import pytest

from api.callers import campaign_body, fields, unique, until
from api.test_dnc_lists import make_dnc_list
from phone_numbers import numbers


async def add(shop, list_id: str, people: list[str]) -> None:
    answer = await shop.v1("POST", f"/dnc-lists/{list_id}/numbers", {"numbers": people})
    assert answer.status_code == 200, answer.text


async def size_of(shop, list_id: str) -> int:
    return (await shop.v1("GET", f"/dnc-lists/{list_id}")).json()["size"]


async def test_the_numbers_of_a_list_come_in_pages_and_as_a_csv(shop):
    people = numbers("IN", 7)
    dnc = await make_dnc_list(shop)
    await add(shop, dnc["id"], people)

    listed = [one async for one in shop.pages(f"/dnc-lists/{dnc['id']}/numbers", limit=3)]
    csv = await shop.v1("GET", f"/dnc-lists/{dnc['id']}/numbers.csv")
    marked = await shop.v1("GET", f"/dnc-lists/{dnc['id']}/numbers.csv", params={"bom": "true"})

    assert sorted(one["number"] for one in listed) == sorted(people)
    assert {one["source"] for one in listed} == {"api"}
    header, *rows = csv.text.splitlines()
    assert header == "number,source,added_at"
    assert rows == [f"{one['number']},api,{one['added_at']}" for one in listed]
    assert csv.headers["content-disposition"] == f'attachment; filename="{dnc["id"]}-numbers.csv"'
    assert marked.content == b"\xef\xbb\xbf" + csv.content


async def test_a_number_is_found_however_it_is_written_and_nothing_changes(shop):
    dnc = await make_dnc_list(shop)
    await add(shop, dnc["id"], ["+919876543210"])

    answer = await shop.v1(
        "POST", f"/dnc-lists/{dnc['id']}/numbers/find", {"numbers": ["91 98765 43210", "+919876543211", "call me"]}
    )

    assert [(one["number"], one["source"]) for one in answer.json()["items"]] == [("+919876543210", "api")]
    assert answer.json()["unknown"] == ["+919876543211", "call me"]
    assert await size_of(shop, dnc["id"]) == 1


async def test_a_number_that_was_removed_is_contacted_again_but_not_when_it_opted_out(shop):
    person, stopped = numbers("IN", 1)[0], numbers("IN", 1, ending="9909")[0]
    stops = await shop.make_campaign(stopped)
    await shop.trigger(stops, "play")
    await shop.until_status(stops, "Completed")

    async def opted_out() -> bool:
        app = shop.client.app.no
        person_key = shop.server.runtime.store.vault.app(app).person(stopped)
        return bool(await shop.server.runtime.store.opt_outs.find(app, person_key))

    await until(opted_out)
    dnc = await make_dnc_list(shop)
    await add(shop, dnc["id"], [person, stopped])
    removed = await shop.v1(
        "POST", f"/dnc-lists/{dnc['id']}/numbers/remove", {"numbers": [person, person, stopped, "+919876543210"]}
    )
    body = campaign_body(await shop.make_list(person, stopped), dncLists={"id": dnc["id"]})
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    await shop.until_status(campaign_id, "Completed")

    assert removed.json() == {"removed": 2, "unknown": ["+919876543210"]}
    assert await size_of(shop, dnc["id"]) == 0
    outcome = (await shop.v1("GET", f"/runs/{run_id}")).json()["outcome"]
    assert outcome["suppressed"] == {"opted_out": 1}
    assert [one["to"] for one in await shop.outbox()].count(person) == 1


async def test_many_who_add_and_remove_at_once_leave_the_size_exact(shop):
    people = numbers("IN", 40)
    dnc = await make_dnc_list(shop)
    await add(shop, dnc["id"], people[:20])

    await asyncio.gather(
        *(add(shop, dnc["id"], people[at : at + 20]) for at in range(0, 21, 4)),
        *(
            shop.v1("POST", f"/dnc-lists/{dnc['id']}/numbers/remove", {"numbers": people[at : at + 10]})
            for at in range(0, 31, 3)
        ),
    )

    listed = [one async for one in shop.pages(f"/dnc-lists/{dnc['id']}/numbers")]
    assert await size_of(shop, dnc["id"]) == len(listed)


async def test_a_list_that_becomes_global_is_effective_in_running_campaigns_when_it_answers(shop):
    await shop.pace(4)
    people = numbers("IN", 60)
    dnc = await make_dnc_list(shop)
    await add(shop, dnc["id"], people)
    campaign_id = await shop.make_campaign(*people)
    await shop.trigger(campaign_id, "play")

    async def begun() -> bool:
        return len(await shop.outbox()) >= 3

    await until(begun)
    marked = await shop.v1("POST", f"/dnc-lists/{dnc['id']}/make-global")
    sent = len(await shop.outbox())
    await shop.until_status(campaign_id, "Completed")

    assert (marked.status_code, marked.json()["is_global"]) == (200, True)
    assert len(await shop.outbox()) == sent < 60


async def test_there_is_one_global_list_however_many_become_global_at_once(shop):
    made = [await make_dnc_list(shop) for _ in range(5)]

    answers = await asyncio.gather(*(shop.v1("POST", f"/dnc-lists/{one['id']}/make-global") for one in made))

    assert {answer.status_code for answer in answers} == {200}
    assert [one["is_global"] async for one in shop.pages("/dnc-lists")].count(True) == 1


async def test_a_new_name_is_one_that_no_other_list_has(shop):
    first, second = await make_dnc_list(shop), await make_dnc_list(shop)

    same = await shop.v1("PATCH", f"/dnc-lists/{first['id']}", {"name": first["name"].upper()})
    taken = await shop.v1("PATCH", f"/dnc-lists/{second['id']}", {"name": f" {first['name']} "})
    blank = await shop.v1("PATCH", f"/dnc-lists/{second['id']}", {"name": "\n"})

    assert same.json()["name"] == first["name"].upper()
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert (blank.status_code, fields(blank)) == (400, ["name"])
    assert (await shop.v1("GET", f"/dnc-lists/{second['id']}")).json()["name"] == second["name"]


async def test_a_list_is_deleted_with_its_numbers_unless_a_campaign_names_it_or_it_is_global(shop):
    people = numbers("IN", 3)
    dnc = await make_dnc_list(shop)
    await add(shop, dnc["id"], people)
    body = campaign_body(await shop.make_list(*people), dncLists={"id": dnc["id"]})
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]

    named = await shop.v1("DELETE", f"/dnc-lists/{dnc['id']}")
    await shop.compat("PUT", f"/campaign/{campaign_id}", {**body, "dncLists": None})
    await shop.v1("POST", f"/dnc-lists/{dnc['id']}/make-global")
    is_global = await shop.v1("DELETE", f"/dnc-lists/{dnc['id']}")
    await shop.v1("POST", f"/dnc-lists/{(await make_dnc_list(shop))['id']}/make-global")
    deleted = await shop.v1("DELETE", f"/dnc-lists/{dnc['id']}")
    again = await shop.v1("DELETE", f"/dnc-lists/{dnc['id']}")

    assert (named.status_code, named.json()["code"]) == (409, "in_use")
    assert campaign_id in named.json()["detail"]
    assert (is_global.status_code, is_global.json()["code"]) == (409, "in_use")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (again.status_code, again.json()["code"]) == (404, "dnc_list_not_found")


async def test_a_campaign_that_is_gone_holds_no_list(shop):
    dnc = await make_dnc_list(shop)
    body = campaign_body(await shop.make_list(), dncLists={"id": dnc["id"]})
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]

    await shop.compat("DELETE", f"/campaign/{campaign_id}")

    assert (await shop.v1("DELETE", f"/dnc-lists/{dnc['id']}")).status_code == 204


async def test_a_campaign_and_the_end_of_its_list_at_once_leave_none_that_names_nothing(shop):
    name = await shop.make_list()
    for _ in range(5):
        dnc = await make_dnc_list(shop)
        body = campaign_body(name, name=unique("Race"), dncLists={"id": dnc["id"]})

        made, deleted = await asyncio.gather(
            shop.compat("POST", "/campaign", body), shop.v1("DELETE", f"/dnc-lists/{dnc['id']}")
        )

        assert (made.status_code == 200) != (deleted.status_code == 204)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/numbers", None),
        ("GET", "/numbers.csv", None),
        ("POST", "/numbers/find", {"numbers": []}),
        ("POST", "/numbers/remove", {"numbers": []}),
        ("POST", "/make-global", None),
        ("PATCH", "", {"name": "Mine now"}),
        ("DELETE", "", None),
    ],
)
async def test_a_list_of_another_app_is_not_there(shop, stranger, method, path, body):
    theirs = await make_dnc_list(stranger)

    answer = await shop.v1(method, f"/dnc-lists/{theirs['id']}{path}", body)

    assert (answer.status_code, answer.json()["code"]) == (404, "dnc_list_not_found")
    assert (await stranger.v1("GET", f"/dnc-lists/{theirs['id']}")).json()["is_global"] is False


@pytest.mark.parametrize("after", ["zz", "00", "cl-nothing"])
async def test_a_cursor_that_no_page_gave_is_refused(shop, after):
    dnc = await make_dnc_list(shop)

    answer = await shop.v1("GET", f"/dnc-lists/{dnc['id']}/numbers", params={"after": after})

    assert (answer.status_code, fields(answer)) == (400, ["after"])
