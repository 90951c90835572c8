"""Where the pages on contact lists contradict each other or themselves, every reading that one of them shows works."""

from typing import Any

import pytest

from api.callers import V1, V2, Caller, campaign_body, fields, unique, until
from phone_numbers import numbers

LISTS = "/campaign/contactList"
CREATE, ADD, ALL = f"{LISTS}/createContactList", f"{LISTS}/addContacts", f"{LISTS}/getAllListDetails"
PEOPLE = numbers("IN", 3)


async def create(shop: Caller, **body: object) -> dict[str, Any]:
    answer = await shop.compat("POST", CREATE, {"name": unique("List"), **body})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["data"])


async def show(shop: Caller, list_id: str) -> dict[str, Any]:
    return dict((await shop.compat("GET", f"{LISTS}/{list_id}")).json()["data"])


async def test_discrepancy_08_contacts_are_read_with_the_token_and_the_account_in_the_query_alone(shop):
    made = await create(shop)
    path = f"{V2}/{shop.app_id}{LISTS}/{made['_id']}/getAllContacts"

    answers = [
        await shop.server.http.get(path, params={"accountId": shop.account_id}, headers={"auth": shop.token()}),
        await shop.server.http.get(path, headers={"auth": shop.token(), "accountid": shop.account_id}),
        await shop.server.http.get(path, headers={"auth": shop.token()}),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


@pytest.mark.parametrize("prefix", [V1, V2])
async def test_discrepancy_11_all_lists_are_got_by_post_as_the_table_says_and_by_get_as_the_sample_does(shop, prefix):
    made = await create(shop)

    posted = await shop.compat("POST", ALL, {}, prefix=prefix, params={"type": "call"})
    got = await shop.compat("GET", ALL, prefix=prefix, params={"type": "call"})

    assert posted.json() == got.json()
    assert [one["_id"] for one in got.json()["data"]] == [made["_id"]]


@pytest.mark.parametrize("source", ["passiveApi", "passiveApiIntegration"])
async def test_discrepancy_20_name1_and_both_words_of_the_source_are_taken_and_what_was_stored_is_echoed(shop, source):
    name, new = unique("List"), unique("New")

    made = await shop.compat("POST", CREATE, {"name1": name, "description": "", "source": source})
    changed = await shop.compat("PUT", f"{LISTS}/{name}", {"name1": new})
    both = await shop.compat("PUT", f"{LISTS}/{new}", {"name": name, "name1": "not this"})

    assert (made.json()["data"]["name"], made.json()["data"]["source"]) == (name, source)
    assert changed.json()["data"]["body"]["name"] == new
    assert both.json()["data"]["body"]["name"] == name
    assert (await show(shop, name))["source"] == source


async def test_discrepancy_21_a_list_is_updated_by_put_and_the_create_call_of_the_sample_makes_another(shop):
    made = await create(shop)

    put = await shop.compat("PUT", f"{LISTS}/{made['_id']}", {"description": "Of June"}, prefix=V1)
    posted = await shop.compat("POST", f"{LISTS}/{made['_id']}", {"description": "x"}, prefix=V1)
    again = await shop.compat("POST", CREATE, {"name": made["name"], "source": "passiveApi"}, prefix=V1)

    assert put.json()["data"]["contactListId"] == made["_id"]
    assert (await show(shop, made["_id"]))["description"] == "Of June"
    assert (posted.status_code, again.status_code) == (405, 409)


@pytest.mark.parametrize("prefix", [V1, V2])
async def test_discrepancy_22_the_mapping_always_has_six_keys(shop, prefix):
    made = await create(shop)
    row = {"phone": PEOPLE[0], "First Name": "Asha", " Priority": "3"}
    await shop.compat("POST", ADD, {"contact_list_name": made["name"], "data": [row]})

    shown = (await shop.compat("GET", f"{LISTS}/{made['_id']}", prefix=prefix)).json()["data"]
    (listed,) = (await shop.compat("GET", ALL, prefix=prefix)).json()["data"]

    assert len(made["mapping"]) == 6
    assert (
        shown["mapping"]
        == listed["mapping"]
        == {
            "firstName": "First Name",
            "lastName": "",
            "phoneNumber": "phone",
            "timeZone": "",
            "uniqueId": "",
            "contactPriority": " Priority",
        }
    )


async def test_discrepancy_23_campaigns_that_use_a_list_are_objects(shop):
    made = await create(shop)
    campaign = (await shop.compat("POST", "/campaign", campaign_body(made["name"]))).json()["data"]

    (listed,) = (await shop.compat("GET", ALL)).json()["data"]

    used = [{"id": campaign["_id"], "name": campaign["name"]}]
    assert listed["campaignInUse"] == (await show(shop, made["_id"]))["campaignInUse"] == used


async def test_discrepancy_24_duplicates_can_be_allowed_later_while_the_list_is_empty_and_not_after(shop):
    made = await create(shop)

    opened = await shop.compat("PUT", f"{LISTS}/{made['_id']}", {"allowDuplicates": True})
    data = [{"phoneNumber": PEOPLE[0]}, {"phoneNumber": PEOPLE[0]}]
    await shop.compat("POST", ADD, {"contact_list_name": made["name"], "data": data})
    kept = await shop.compat("PUT", f"{LISTS}/{made['_id']}", {"description": "x"})
    same = await shop.compat("PUT", f"{LISTS}/{made['_id']}", {"allowDuplicates": "true"})
    closed = await shop.compat("PUT", f"{LISTS}/{made['_id']}", {"allowDuplicates": False, "description": "y"})

    assert [answer.status_code for answer in (opened, kept, same, closed)] == [200, 200, 200, 409]
    assert closed.json()["errors"][0]["code"] == "list_not_empty"
    shown = await show(shop, made["_id"])
    assert (shown["allowDuplicates"], shown["totalRecordCount"], shown["description"]) == (True, 2, "x")
    assert shown["apiConfigurations"] == {"dataSyncMode": "allowDuplicates"}


@pytest.mark.parametrize("key", ["contact_list_name", "contactListId", "contactListID"])
@pytest.mark.parametrize("word", ["name", "_id"])
async def test_discrepancy_25_a_list_is_addressed_by_name_or_by_id_under_either_key(shop, key, word):
    made = await create(shop)

    added = await shop.compat("POST", ADD, {key: made[word], "data": [{"phoneNumber": PEOPLE[0]}]})
    contacts = await shop.compat("GET", f"{LISTS}/{made[word]}/getAllContacts")

    assert added.status_code == 200, added.text
    assert contacts.json()["data"]["totalResults"] == 1


async def test_discrepancy_31_the_sample_of_the_update_that_lacks_a_comma_is_refused_with_a_sentence(shop):
    made = await create(shop)
    sample = b'{\n "name": "test update"\n "description": "updated"\n}'

    answer = await shop.compat("PUT", f"{LISTS}/{made['_id']}", content=sample)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "malformed_body")
    assert "JSON" in answer.json()["message"]
    assert await show(shop, made["_id"]) == made


async def test_discrepancy_45_a_number_is_one_person_with_and_without_plus_and_is_answered_without(shop):
    made = await create(shop)
    data = [{"phoneNumber": PEOPLE[0]}, {"phoneNumber": PEOPLE[0][1:]}, {"phoneNumber": int(PEOPLE[1][1:])}]
    await shop.compat("POST", ADD, {"contact_list_name": made["name"], "data": data})
    campaign_id = (await shop.compat("POST", "/campaign", campaign_body(made["name"]))).json()["data"]["_id"]

    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")
    contacts = (await shop.compat("GET", f"{LISTS}/{made['_id']}/getAllContacts")).json()["data"]["results"]

    assert [one["phoneNumber"] for one in contacts] == [PEOPLE[0][1:], PEOPLE[1][1:]]
    assert sorted(one["to"] for one in await shop.outbox()) == sorted(PEOPLE[:2])


# -- every field limit, at it and one past it ------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "most"), [("name", 48), ("description", 256)])
async def test_texts_of_a_list_may_have_their_length_and_not_one_character_more(shop, field, most):
    made = await create(shop)
    v1_id = (await shop.v1("POST", "/contact-lists", {"name": unique("List")})).json()["id"]

    async def statuses(length: int) -> list[int]:
        texts = [f"{serial}{unique('x')}".ljust(length, "x") for serial in range(4)]
        answers = [
            await shop.compat("POST", CREATE, {"name": unique("List"), field: texts[0]}),
            await shop.compat("PUT", f"{LISTS}/{made['_id']}", {field: texts[1]}),
            await shop.v1("POST", "/contact-lists", {"name": unique("List"), field: texts[2]}),
            await shop.v1("PATCH", f"/contact-lists/{v1_id}", {field: texts[3]}),
        ]
        assert all(answer.is_success or fields(answer) == [field] for answer in answers)
        return [answer.status_code for answer in answers]

    assert await statuses(most) == [200, 200, 201, 200]
    assert await statuses(most + 1) == [400, 400, 400, 400]


async def add(shop: Caller, kind: str, made: dict[str, Any], *rows: dict[str, object]) -> int:
    if kind == "compat":
        return (await shop.compat("POST", ADD, {"contactListId": made["_id"], "data": rows})).status_code
    return (await shop.v1("POST", f"/contact-lists/{made['_id']}/contacts", {"contacts": rows})).status_code


@pytest.mark.parametrize("kind", ["compat", "v1"])
async def test_a_contact_may_have_150_columns_of_300_characters_and_no_more(shop, kind):
    wide, deep = await create(shop), await create(shop)
    columns = {f"c{serial}": "x" for serial in range(149)}

    assert await add(shop, kind, wide, {"phoneNumber": PEOPLE[0], **columns}) == 200
    assert await add(shop, kind, wide, {"phoneNumber": PEOPLE[1], **columns, "c149": "x"}) == 400
    assert await add(shop, kind, deep, {"phoneNumber": PEOPLE[0], "c" * 300: "x" * 300}) == 200
    assert await add(shop, kind, deep, {"phoneNumber": PEOPLE[1], "c": "x" * 301}) == 400
    assert await add(shop, kind, deep, {"phoneNumber": PEOPLE[1], "c" * 301: "x"}) == 400
    assert [(await show(shop, made["_id"]))["totalRecordCount"] for made in (wide, deep)] == [1, 1]


async def test_a_documented_call_takes_100_contacts_and_not_101(shop):
    made, people = await create(shop), [{"phoneNumber": person} for person in numbers("IN", 101, seed=9)]

    assert await add(shop, "compat", made, *people) == 400
    assert await add(shop, "compat", made, *people[:100]) == 200


# -- limits of volume ------------------------------------------------------------------------------------------------


async def test_limits_of_volume_hold_for_every_way_in_and_an_import_says_why_it_stopped(shop):
    made = await create(shop)
    await shop.v1("PATCH", "/settings", {"most_contacts_per_list": 2, "most_contact_lists": 1})
    people = [{"phoneNumber": person} for person in PEOPLE]

    refused = [
        await shop.compat("POST", CREATE, {"name": unique("List")}),
        await shop.v1("POST", "/contact-lists", {"name": unique("List")}),
        await shop.compat("POST", ADD, {"contactListId": made["_id"], "data": people}),
        await shop.v1("POST", f"/contact-lists/{made['_id']}/contacts", {"contacts": people}),
    ]
    job = await bring(shop, made["_id"], "\n".join(["phone", *PEOPLE]))
    fits = await bring(shop, made["_id"], "\n".join(["phone", *PEOPLE[:2]]))

    assert [answer.status_code for answer in refused] == [409] * 4
    assert "limit_reached" in refused[0].text
    assert refused[1].json()["code"] == "limit_reached"
    assert (job["state"], job["accepted"]) == ("failed", 0)
    assert "most_contacts_per_list" in job["problem"]
    assert (fits["state"], fits["accepted"]) == ("done", 2)


async def bring(shop: Caller, list_id: str, data: str) -> dict[str, Any]:
    job = (await shop.v1("POST", f"/contact-lists/{list_id}/imports", content=data)).json()
    path = f"/contact-lists/{list_id}/imports/{job['id']}"

    async def over() -> bool:
        return (await shop.v1("GET", path)).json()["state"] in ("done", "failed")

    await until(over)
    return dict((await shop.v1("GET", path)).json())


async def test_a_list_that_is_deleted_in_the_middle_of_its_import_fails_it_and_holds_nothing_up(shop):
    gone, other = await create(shop), await create(shop)
    rows = "phone\n" + "\n".join(numbers("IN", 6_000, seed=2))

    job = await shop.v1("POST", f"/contact-lists/{gone['_id']}/imports", content=rows)
    deleted = await shop.compat("DELETE", f"{LISTS}/{gone['_id']}")
    next_one = await bring(shop, other["_id"], f"phone\n{PEOPLE[0]}")

    assert (job.status_code, deleted.status_code) == (202, 200)
    assert (next_one["state"], next_one["accepted"]) == ("done", 1)
