"""The documented calls on contact lists that are there: all of them, change, delete, and their contacts."""

import pytest

from api.callers import PREFIXES, Caller, campaign_body, fields, unique
from phone_numbers import numbers

LISTS = "/campaign/contactList"
ALL = f"{LISTS}/getAllListDetails"


async def id_of(shop: Caller, name: str) -> str:
    return str((await shop.compat("GET", f"{LISTS}/{name}")).json()["data"]["_id"])


async def error_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_every_call_on_a_list_is_there_under_every_prefix(shop, prefix):
    name = await shop.make_list(*numbers("IN", 2))
    list_id = await id_of(shop, name)

    answers = [
        await shop.compat("POST", ALL, prefix=prefix, params={"type": "call"}),
        await shop.compat("GET", ALL, prefix=prefix, params={"type": "call"}),
        await shop.compat("GET", f"{LISTS}/{list_id}", prefix=prefix),
        await shop.compat("GET", f"{LISTS}/{list_id}/getAllContacts", prefix=prefix),
        await shop.compat("POST", f"{LISTS}/{list_id}/getAllContacts", {}, prefix=prefix),
        await shop.compat("PUT", f"{LISTS}/{list_id}", {"description": "New"}, prefix=prefix),
        await shop.compat("DELETE", f"{LISTS}/{list_id}", prefix=prefix),
    ]

    assert [answer.status_code for answer in answers] == [200] * len(answers)


async def test_all_lists_come_as_a_plain_array_the_one_that_changed_last_first(shop, stranger):
    await stranger.make_list()
    first, second, third = await shop.make_list(), await shop.make_list(), await shop.make_list()
    body = {"contact_list_name": second, "data": [{"phoneNumber": numbers("IN", 1)[0]}]}
    await shop.compat("POST", f"{LISTS}/addContacts", body)

    answer = await shop.compat("POST", ALL, params={"type": "call"})

    assert answer.json()["message"] == ""
    assert [one["name"] for one in answer.json()["data"]] == [second, third, first]
    documented = {
        *("_id", "name", "lname", "description", "orgId", "iId", "accountId", "totalRecordCount", "status"),
        *("mapping", "isListInUse", "listType", "campaignInUse", "source", "apiConfigurations", "columns", "files"),
        "updatedAt",
    }
    assert documented <= answer.json()["data"][0].keys()


async def test_another_type_of_list_is_refused_with_a_sentence(shop):
    answer = await shop.compat("GET", ALL, params={"type": "web"})

    assert (answer.status_code, fields(answer)) == (400, ["type"])


async def test_an_update_changes_what_it_names_and_keeps_the_rest(shop):
    name, new = unique("Old"), unique("New")
    made = await shop.compat(
        "POST", f"{LISTS}/createContactList", {"name": name, "description": "D", "allowDuplicates": True}
    )
    before = made.json()["data"]

    renamed = await shop.compat("PUT", f"{LISTS}/{before['_id']}", {"name": new})
    described = await shop.compat("PUT", f"{LISTS}/{before['_id']}", {"description": ""})
    after = (await shop.compat("GET", f"{LISTS}/{before['_id']}")).json()["data"]

    assert renamed.json()["message"] == f"Contact list {new} updated successfully"
    ours = {key: before[key] for key in ("orgId", "iId", "listType", "accountId", "updatedBy")}
    scope = {"scope": ["campaign_management"]}
    assert renamed.json()["data"] == {"contactListId": before["_id"], "body": {"name": new, **scope, **ours}}
    told = {"name": new, "description": "", **scope, **ours}
    assert described.json()["data"] == {"contactListId": before["_id"], "body": told}
    assert (after["name"], after["description"], after["allowDuplicates"]) == (new, "", True)
    assert after["updatedAt"] >= before["updatedAt"]


async def test_a_wrong_update_names_every_field_and_changes_nothing(shop):
    name = await shop.make_list()
    wrong = {"name": "n" * 49, "description": "d" * 257, "allowDuplicates": "perhaps"}

    answer = await shop.compat("PUT", f"{LISTS}/{name}", wrong)
    taken = await shop.compat("PUT", f"{LISTS}/{name}", {"name": await shop.make_list()})
    itself = await shop.compat("PUT", f"{LISTS}/{name}", {"name": name.upper()})

    assert (answer.status_code, fields(answer)) == (400, ["name", "description", "allowDuplicates"])
    assert await error_of(taken) == (409, "name_taken")
    assert itself.json()["message"] == f"Contact list {name.upper()} updated successfully"


async def test_campaigns_follow_a_list_to_its_new_name(shop):
    name, new = await shop.make_list(numbers("IN", 1)[0]), unique("New")
    body = campaign_body(name)
    made = (await shop.compat("POST", "/campaign", body)).json()["data"]

    await shop.compat("PUT", f"{LISTS}/{name}", {"name": new})
    shown = (await shop.compat("GET", f"/campaign/{made['_id']}")).json()["data"]
    again = await shop.compat("PUT", f"/campaign/{made['_id']}", {**body, "contactLists": shown["contactLists"]})

    assert shown["contactLists"] == [new]
    assert again.status_code == 200, again.text


async def test_a_deleted_list_is_answered_as_it_was_and_its_name_is_free_at_once(shop):
    name = await shop.make_list(*numbers("IN", 3))
    before = (await shop.compat("GET", f"{LISTS}/{name}")).json()["data"]

    deleted = await shop.compat("DELETE", f"{LISTS}/{before['_id']}")
    gone = [
        await shop.compat("GET", f"{LISTS}/{before['_id']}"),
        await shop.compat("GET", f"{LISTS}/{before['_id']}/getAllContacts"),
        await shop.compat("DELETE", f"{LISTS}/{before['_id']}"),
        await shop.compat("PUT", f"{LISTS}/{before['_id']}", {"description": "x"}),
    ]
    await shop.make_list(name=name)

    assert deleted.json() == {
        "status": "success", "message": f"Contact list {name} deleted successfully", "data": before
    }  # fmt: skip
    assert [await error_of(answer) for answer in gone] == [(404, "contact_list_not_found")] * 4
    assert (await shop.compat("GET", f"{LISTS}/{name}/getAllContacts")).json()["data"]["totalResults"] == 0


async def test_a_list_that_any_campaign_uses_is_not_deleted_and_the_answer_names_them(shop):
    name = await shop.make_list(*numbers("IN", 2))
    names = [unique("Winter"), unique("Spring")]
    made = [await shop.compat("POST", "/campaign", campaign_body(name, name=one)) for one in names]

    refused = await shop.compat("DELETE", f"{LISTS}/{name}")
    for answer in made:
        await shop.compat("DELETE", f"/campaign/{answer.json()['data']['_id']}")
    deleted = await shop.compat("DELETE", f"{LISTS}/{name}")

    assert await error_of(refused) == (409, "list_in_use")
    assert all(one in refused.json()["message"] for one in names)
    assert deleted.status_code == 200


# -- the contacts of a list ------------------------------------------------------------------------------------------


async def test_contacts_are_answered_as_documented(shop):
    name = await shop.make_list()
    row = {"phoneNumber": "+919876543210", "firstName": "Asha", "id": 7, "_id": "mine"}
    await shop.compat("POST", f"{LISTS}/addContacts", {"contact_list_name": name, "data": [row]})

    answer = (await shop.compat("GET", f"{LISTS}/{await id_of(shop, name)}/getAllContacts")).json()

    (contact,) = answer["data"].pop("results")
    assert answer == {
        "status": "success",
        "message": "Contacts retrieved successfully",
        "data": {"skip": 0, "limit": 50, "hasMore": False, "totalPages": 1, "totalResults": 1},
    }
    assert contact.pop("_id").startswith("cc-")
    assert contact.pop("createdAt") == contact.pop("updatedAt")
    assert contact == {"phoneNumber": "919876543210", "firstName": "Asha", "id": "7"}


@pytest.mark.parametrize(
    ("query", "first", "count"),
    [
        ({}, 0, 50),
        ({"skip": 100, "limit": 10}, 100, 10),
        ({"offset": "100"}, 100, 20),
        ({"page": 2, "limit": 100}, 100, 20),
        ({"page": 3}, 100, 20),
        ({"skip": 119}, 119, 1),
        ({"skip": 120}, 120, 0),
        ({"skip": 10**9}, 10**9, 0),
    ],
)
async def test_pages_are_counted_in_contacts_or_in_pages(shop, query, first, count):
    people = numbers("IN", 120)
    list_id = await id_of(shop, await shop.make_list(*people))

    by_query = (await shop.compat("GET", f"{LISTS}/{list_id}/getAllContacts", params=query)).json()["data"]
    by_body = (await shop.compat("POST", f"{LISTS}/{list_id}/getAllContacts", query)).json()["data"]

    limit = int(query.get("limit", 50))
    assert by_query == by_body
    assert [one["phoneNumber"] for one in by_query["results"]] == [one[1:] for one in people[first : first + count]]
    assert (by_query["skip"], by_query["limit"], by_query["totalResults"]) == (first, limit, 120)
    assert by_query["hasMore"] is (first + count < 120)
    assert by_query["totalPages"] == -(-120 // limit)


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"limit": 101}, ["limit"]),
        ({"limit": 0}, ["limit"]),
        ({"limit": "1.5", "page": 0, "skip": -1}, ["limit", "page", "skip"]),
    ],
)
async def test_a_page_past_the_documented_size_is_refused(shop, query, wrong):
    list_id = await id_of(shop, await shop.make_list())

    answer = await shop.compat("GET", f"{LISTS}/{list_id}/getAllContacts", params=query)
    largest = await shop.compat("GET", f"{LISTS}/{list_id}/getAllContacts", params={"limit": 100})

    assert (answer.status_code, fields(answer)) == (400, wrong)
    assert largest.status_code == 200


async def test_nobody_reads_changes_or_deletes_the_lists_of_another_app(shop, stranger):
    name = await stranger.make_list(numbers("IN", 1)[0])
    list_id = await id_of(stranger, name)

    answers = [
        await shop.compat("GET", f"{LISTS}/{list_id}/getAllContacts"),
        await shop.compat("PUT", f"{LISTS}/{list_id}", {"description": "mine"}),
        await shop.compat("DELETE", f"{LISTS}/{list_id}"),
        await shop.v1("PATCH", f"/contact-lists/{list_id}", {"description": "mine"}),
        await shop.v1("DELETE", f"/contact-lists/{list_id}"),
        await shop.v1("GET", f"/contact-lists/{list_id}/contacts"),
        await shop.v1("GET", f"/contact-lists/{list_id}/contacts.csv"),
        await shop.v1("POST", f"/contact-lists/{list_id}/contacts", {"contacts": [{"phone": "+919876543210"}]}),
        await shop.v1("POST", f"/contact-lists/{list_id}/contacts/find", {"number": "+919876543210"}),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert (await shop.compat("GET", ALL)).json()["data"] == []
    assert (await stranger.compat("GET", f"{LISTS}/{name}")).json()["data"]["description"] == ""
