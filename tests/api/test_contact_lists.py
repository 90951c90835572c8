"""Contact lists, and contacts that come one call at a time."""

from typing import Any

import pytest

from api.callers import Caller, campaign_body, fields, unique
from phone_numbers import numbers

CREATE = "/campaign/contactList/createContactList"
ADD = "/campaign/contactList/addContacts"
MADE_UP = ("_id", "id", "createdAt", "updatedAt", "orgId", "createdBy", "updatedBy")


async def size(shop: Caller, name: str) -> int:
    return int((await shop.compat("GET", f"/campaign/contactList/{name}")).json()["data"]["totalRecordCount"])


async def test_a_new_list_is_answered_with_all_its_documented_fields(shop):
    name = unique("Buyers")

    made = await shop.compat(
        "POST", CREATE, {"name": name, "description": "Of March", "source": "passiveApi", "allowDuplicates": False}
    )
    shown = await shop.compat("GET", f"/campaign/contactList/{made.json()['data']['_id']}")

    assert made.json()["message"] == f"Contact list {name} created successfully"
    assert shown.json()["message"] == ""
    assert shown.json()["data"] == made.json()["data"]
    data = made.json()["data"]
    assert data["_id"] == data["id"]
    assert data["_id"].startswith("cl-")
    assert data["orgId"].startswith("o-")
    assert data["createdBy"].startswith("u-")
    assert {
        key: data[key]
        for key in data.keys() - {"_id", "id", "createdAt", "updatedAt", "orgId", "createdBy", "updatedBy"}
    } == {
        "name": name,
        "lname": name.lower(),
        "description": "Of March",
        "iId": shop.app_id,
        "accountId": shop.account_id,
        "isActive": True,
        "totalRecordCount": 0,
        "status": "Ready",
        "mapping": {
            "firstName": "",
            "lastName": "",
            "phoneNumber": "phoneNumber",
            "timeZone": "",
            "uniqueId": "",
            "contactPriority": "",
        },
        "isListInUse": False,
        "listType": "call",
        "isGlobalDNC": False,
        "isDefault": False,
        "campaignInUse": [],
        "source": "passiveApi",
        "apiConfigurations": {"dataSyncMode": "removeDuplicates"},
        "columns": [],
        "files": [],
        "allowDuplicates": False,
    }


@pytest.mark.parametrize(
    "body",
    [
        {"name": "A"},
        {"name1": "A", "source": "passiveApiIntegration", "description": ""},
        {"name": "A", "description": None, "allowDuplicates": "true"},
    ],
)
async def test_every_documented_wording_of_a_new_list_is_taken(shop, body):
    made = await shop.compat("POST", CREATE, body)

    assert made.status_code == 200, made.text
    assert made.json()["data"]["name"] == "A"
    assert made.json()["data"]["source"] == body.get("source", "passiveApi")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "n" * 49, "description": "d" * 257, "source": "csv", "allowDuplicates": 3}, None),
        ({"name1": 5}, ["name1"]),
        ({"name": "two\nlines"}, ["name"]),
    ],
)
async def test_a_wrong_list_names_its_fields(shop, body, expected):
    answer = await shop.compat("POST", CREATE, body)

    assert answer.status_code == 400
    assert fields(answer) == (expected or ["name", "description", "source", "allowDuplicates"])


async def test_a_name_that_is_taken_is_refused(shop):
    name = await shop.make_list()

    again = await shop.compat("POST", CREATE, {"name": name.upper()})

    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "name_taken")


async def test_a_list_that_is_not_there_is_not_found(shop):
    answer = await shop.compat("GET", "/campaign/contactList/cl-00000000-0000-4000-8000-000000000000")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "contact_list_not_found")


async def test_a_list_tells_which_campaigns_use_it_and_whether_one_runs(shop):
    await shop.pace(0.1)
    name = await shop.make_list(*numbers("IN", 3))
    made = await shop.compat("POST", "/campaign", campaign_body(name))
    campaign = {"id": made.json()["data"]["_id"], "name": made.json()["data"]["name"]}

    idle = (await shop.compat("GET", f"/campaign/contactList/{name}")).json()["data"]
    await shop.trigger(campaign["id"], "play")
    running = (await shop.compat("GET", f"/campaign/contactList/{name}")).json()["data"]
    await shop.trigger(campaign["id"], "stop")

    assert (idle["campaignInUse"], idle["isListInUse"]) == ([campaign], False)
    assert (running["campaignInUse"], running["isListInUse"]) == ([campaign], True)


# -- contacts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/api/1.1/public", "/campaign/api/v2/public"])
async def test_contacts_are_there_when_the_call_answers(shop, prefix):
    name = await shop.make_list()
    people = numbers("IN", 100)
    rows = [{"phoneNumber": person[1:], "firstName": "Asha", "city": "Pune"} for person in people]

    answer = await shop.compat("POST", ADD, {"contact_list_name": name, "data": rows}, prefix=prefix)
    data = (await shop.compat("GET", f"/campaign/contactList/{name}")).json()["data"]

    assert answer.json() == {"message": "Adding contacts to public list is in progress"}
    assert (data["totalRecordCount"], data["columns"]) == (100, ["phoneNumber", "firstName", "city"])
    assert data["mapping"]["firstName"] == "firstName"


@pytest.mark.parametrize("name", [r"A\u0000sha", r"\ud83d", r"\udc00!", r"\ud83d\ud83d"])
@pytest.mark.parametrize("column", ["firstName", None])
async def test_characters_that_no_database_keeps_are_refused_with_a_sentence(shop, name, column):
    contact_list = await shop.make_list()
    cell = f'"{column}":"{name}"' if column else f'"{name}":"x"'
    body = f'{{"contact_list_name":"{contact_list}","data":[{{"phoneNumber":"919876543210",{cell}}}]}}'

    answer = await shop.compat("POST", ADD, content=body.encode())

    assert answer.status_code == 400, answer.text
    assert "NUL character" in answer.json()["message"] or "not valid JSON" in answer.json()["message"]
    assert await size(shop, contact_list) == 0


async def test_of_two_spellings_of_one_column_a_message_gets_the_one_it_writes_then_the_first(shop):
    contact_list = await shop.make_list()
    row = {"phoneNumber": "919876543210", "first_name": "one", "First Name": "two"}
    await shop.compat("POST", ADD, {"contact_list_name": contact_list, "data": [row]})
    body = campaign_body(contact_list, message={"message": "<First Name> {{ firstName }} {{first_name}}"})
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]

    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    assert [message["text"] for message in await shop.outbox()] == ["two one one"]


@pytest.mark.parametrize("key", ["contactListId", "contactListID"])
async def test_a_list_may_be_named_by_its_id(shop, key):
    name = await shop.make_list()
    list_id = (await shop.compat("GET", f"/campaign/contactList/{name}")).json()["data"]["_id"]

    answer = await shop.compat("POST", ADD, {key: list_id, "data": [{"phoneNumber": 919876543210}]})

    assert answer.status_code == 200, answer.text
    assert await size(shop, name) == 1


async def test_extra_keys_are_kept_and_speak_in_messages(shop):
    name = await shop.make_list()
    row = {
        "phoneNumber": "+919876543210",
        "Order No": 17,
        "total": 9.5,
        "priority": "Gold",
        "member": True,
        "none": None,
    }
    await shop.compat("POST", ADD, {"contact_list_name": name, "data": [row]})
    text = "Order {{order_no}}, {{total}}, {{priority}}, {{member}}, {{none}}."
    made = await shop.compat("POST", "/campaign", campaign_body(name, message={"message": text}))

    await shop.trigger(made.json()["data"]["_id"], "play")
    await shop.until_status(made.json()["data"]["_id"], "Completed")

    assert [message["text"] for message in await shop.outbox()] == ["Order 17, 9.5, Gold, true, ."]


async def test_a_call_with_bad_rows_names_each_and_stores_none(shop):
    name = await shop.make_list()
    rows: list[Any] = [
        {"phoneNumber": "+919876543210"},
        {"phoneNumber": "12"},
        {"firstName": "Nobody"},
        "+919876543211",
        {"phoneNumber": "+919876543212", "timeZone": "Mars/Base", "contactPriority": "first"},
        {"phoneNumber": "x", "timeZone": "PST"},
        {"phoneNumber": "+919876543213", "long": "x" * 301},
        {"phoneNumber": "+919876543214", "tags": ["a"], "address": {"city": "Pune"}, "timeZone": "PST"},
        {"phoneNumber": ["+919876543215"]},
    ]

    answer = await shop.compat("POST", ADD, {"contact_list_name": name, "data": rows})

    assert answer.status_code == 400
    assert fields(answer) == [
        "data[1].phoneNumber",
        "data[2].phoneNumber",
        "data[3]",
        "data[4].timeZone",
        "data[4].contactPriority",
        "data[5].timeZone",
        "data[5].phoneNumber",
        "data[6]",
        "data[7].tags",
        "data[7].address",
        "data[7].timeZone",
        "data[8].phoneNumber",
    ]
    assert await size(shop, name) == 0
    assert "9876543210" not in answer.text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["contact_list_name", "data"]),
        ({"contact_list_name": 5, "data": {}}, ["contact_list_name", "data"]),
        ({"contact_list_name": "Nowhere", "data": []}, ["contact_list_name", "data"]),
        ({"contactListId": "cl-nowhere", "data": [{"phoneNumber": "+919876543210"}]}, ["contactListId"]),
    ],
)
async def test_a_call_without_a_list_or_contacts_names_both(shop, body, expected):
    answer = await shop.compat("POST", ADD, body)

    assert answer.status_code == 400
    assert fields(answer) == expected


async def test_a_list_cannot_grow_past_its_columns_call_by_call(shop):
    name, people = await shop.make_list(), numbers("IN", 3)

    async def add(person: str, columns: range) -> Any:
        row = {"phoneNumber": person, **{f"column {serial}": "x" for serial in columns}}
        return await shop.compat("POST", ADD, {"contact_list_name": name, "data": [row]})

    full = await add(people[0], range(149))
    refused = await add(people[1], range(149, 150))
    known = await add(people[2], range(10))

    assert (full.status_code, refused.status_code, known.status_code) == (200, 400, 200)
    assert fields(refused) == ["data"]
    assert "150 columns" in refused.json()["message"]
    shown = (await shop.compat("GET", f"/campaign/contactList/{name}")).json()["data"]
    assert (shown["totalRecordCount"], len(shown["columns"])) == (2, 150)


async def test_an_unknown_list_says_which_ones_exist(shop):
    await shop.make_list(name="Here")

    answer = await shop.compat("POST", ADD, {"contact_list_name": "There", "data": [{"phoneNumber": "+919876543210"}]})

    assert answer.json()["message"] == "contact_list_name: There is no contact list There. There are: Here."


async def test_a_hundred_and_one_contacts_are_too_many(shop):
    name = await shop.make_list()
    rows = [{"phoneNumber": person} for person in numbers("IN", 101)]

    answer = await shop.compat("POST", ADD, {"contact_list_name": name, "data": rows})

    assert (answer.status_code, fields(answer)) == (400, ["data"])
    assert await size(shop, name) == 0


async def test_a_person_stands_in_a_list_once_unless_it_allows_more(shop):
    once, often = await shop.make_list(), unique("Often")
    await shop.compat("POST", CREATE, {"name": often, "allowDuplicates": True})
    rows = [{"phoneNumber": "+919876543210"}, {"phoneNumber": "91 98765 43210"}]

    for name in (once, often):
        await shop.compat("POST", ADD, {"contact_list_name": name, "data": rows})

    assert (await size(shop, once), await size(shop, often)) == (1, 2)


async def test_local_numbers_are_read_in_the_region_of_the_app(shop):
    name = await shop.make_list()
    body = {"contact_list_name": name, "data": [{"phoneNumber": "098765 43210"}]}

    before = await shop.compat("POST", ADD, body)
    await shop.v1("PATCH", "/settings", {"region": "in"})
    after = await shop.compat("POST", ADD, body)

    assert (before.status_code, fields(before)) == (400, ["data[0].phoneNumber"])
    assert after.status_code == 200


async def test_a_running_campaign_takes_contacts_that_come_later(shop):
    await shop.pace(0.5)
    first, second = numbers("IN", 6)[:5], numbers("IN", 6)[5:]
    name = await shop.make_list(*first)
    made = await shop.compat("POST", "/campaign", campaign_body(name))

    await shop.trigger(made.json()["data"]["_id"], "play")
    await shop.compat("POST", ADD, {"contact_list_name": name, "data": [{"phoneNumber": second[0]}]})
    await shop.pace(None)
    await shop.until_status(made.json()["data"]["_id"], "Completed")

    assert sorted(message["to"] for message in await shop.outbox()) == sorted([*first, *second])
