"""Our own resources of lists and their contacts: leafed through, searched, added to, exported and deleted."""

import csv
import io
from typing import Any

import pytest

from api.callers import Caller, campaign_body, fields, unique, until
from callsheet.store import contacts as module
from phone_numbers import numbers

PEOPLE = numbers("IN", 6)
EVIL = '=cmd|" /C calc"!A0'


async def make(shop: Caller, *rows: dict[str, object], **more: object) -> str:
    """Make a list with these contacts, and return its id."""
    made = await shop.v1("POST", "/contact-lists", {"name": unique("List"), **more})
    assert made.status_code == 201, made.text
    list_id = str(made.json()["id"])
    if rows:
        added = await shop.v1("POST", f"/contact-lists/{list_id}/contacts", {"contacts": rows})
        assert added.status_code == 200, added.text
    return list_id


async def six(shop: Caller) -> str:
    """Make a list of six people."""
    names = ["Asha", "Ravi", "Asha", "asha", 'A"sha', "Zoë"]
    rows = [
        {"phone": person, "First Name": name, "id": f"c{n}", "priority": n, "last_name": "Rao", "city": "Pune"}
        for n, (person, name) in enumerate(zip(PEOPLE, names, strict=True))
    ]
    return await make(shop, *rows)


async def found(shop: Caller, list_id: str, **query: object) -> list[str]:
    return [one["columns"]["id"] async for one in shop.pages(f"/contact-lists/{list_id}/contacts", **query)]


async def test_contacts_come_in_the_order_of_the_list_page_by_page(shop):
    list_id = await six(shop)

    assert await found(shop, list_id, limit=4) == ["c0", "c1", "c2", "c3", "c4", "c5"]
    (first, *_) = (await shop.v1("GET", f"/contact-lists/{list_id}/contacts")).json()["items"]
    assert first["number"] == PEOPLE[0]
    assert (first["priority"], first["id"][:3]) == (0, "cc-")
    assert first["columns"] == {"First Name": "Asha", "id": "c0", "priority": "0", "last_name": "Rao", "city": "Pune"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"first_name": "Asha"}, ["c0", "c2"]),
        ({"first_name": "Ash"}, []),
        ({"first_name": 'A"sha'}, ["c4"]),
        ({"first_name": "Zoë"}, ["c5"]),
        ({"first_name": "%"}, []),
        ({"last_name": "Rao", "unique_id": "c3"}, ["c3"]),
        ({"unique_id": " c4 "}, ["c4"]),
        ({"unique_id": "c"}, []),
        ({"unique_id": " "}, []),
        ({"unique_id": "c2", "priority": 2}, ["c2"]),
        ({"unique_id": "c2", "priority": 5}, []),
        ({"priority": 5}, ["c5"]),
        ({"first_name": "Asha", "priority": 2}, ["c2"]),
        ({"column": "city", "value": "Pune", "first_name": "Ravi"}, ["c1"]),
        ({"column": "First Name", "value": "Asha", "first_name": "Ravi"}, []),
        ({"column": "street", "value": ""}, []),
    ],
)
@pytest.mark.parametrize("scanned", [20_000, 2])
async def test_a_search_finds_exactly_what_it_names_however_far_it_looks_at_once(
    shop, monkeypatch, query, expected, scanned
):
    monkeypatch.setattr(module, "MOST_SCANNED", scanned)
    list_id = await six(shop)

    assert await found(shop, list_id, **query) == expected
    assert await found(shop, list_id, **query, limit=1) == expected


async def test_who_is_sought_by_a_unique_id_is_found_at_once_however_far_down_he_stands(shop, monkeypatch):
    monkeypatch.setattr(module, "MOST_SCANNED", 1)
    list_id = await six(shop)

    page = (await shop.v1("GET", f"/contact-lists/{list_id}/contacts", params={"unique_id": "c5"})).json()

    assert ([one["columns"]["id"] for one in page["items"]], page["next"]) == (["c5"], None)


@pytest.mark.parametrize(("query", "wrong"), [({"column": "city"}, "value"), ({"value": "Pune"}, "column")])
async def test_half_a_search_is_refused(shop, query, wrong):
    answer = await shop.v1("GET", f"/contact-lists/{await make(shop)}/contacts", params=query)

    assert (answer.status_code, fields(answer)) == (400, [wrong])


@pytest.mark.parametrize("after", ["x", "cc-00", "cc-" + "0" * 24])
async def test_a_cursor_of_somewhere_else_is_refused(shop, after):
    list_id = await six(shop)

    listed = await shop.v1("GET", f"/contact-lists/{list_id}/contacts", params={"after": after})
    sought = await shop.v1("POST", f"/contact-lists/{list_id}/contacts/find?after={after}", {"number": PEOPLE[0]})

    assert [(one.status_code, fields(one)) for one in (listed, sought)] == [(400, ["after"])] * 2


async def test_a_number_is_found_however_it_is_written_and_stands_in_no_url(shop):
    row = {"phoneNumber": PEOPLE[0], "n": "1"}
    list_id = await make(shop, row, {**row, "n": "2"}, {"phoneNumber": PEOPLE[1]}, allow_duplicates=True)
    path = f"/contact-lists/{list_id}/contacts/find"

    once = await shop.v1("POST", f"{path}?limit=1", {"number": f" {PEOPLE[0][1:]}"})
    rest = await shop.v1("POST", f"{path}?after={once.json()['next']}", {"number": PEOPLE[0]})
    nobody = await shop.v1("POST", path, {"number": PEOPLE[2]})
    wrong = await shop.v1("POST", path, {"number": "call me"})

    assert [one["columns"] for one in once.json()["items"] + rest.json()["items"]] == [{"n": "1"}, {"n": "2"}]
    assert rest.json()["next"] is None
    assert nobody.json() == {"items": [], "next": None}
    assert (wrong.status_code, fields(wrong)) == (400, ["number"])


# -- adding ----------------------------------------------------------------------------------------------------------


async def test_a_thousand_contacts_go_in_one_call_and_one_more_does_not(shop):
    people = numbers("IN", 1001, seed=5)
    list_id = await make(shop)

    full = await shop.v1("POST", f"/contact-lists/{list_id}/contacts", {"contacts": [{"phone": p} for p in people]})
    fits = await shop.v1(
        "POST", f"/contact-lists/{list_id}/contacts", {"contacts": [{"phone": p} for p in people[:1000]]}
    )
    none = await shop.v1("POST", f"/contact-lists/{list_id}/contacts", {"contacts": []})
    again = await shop.v1(
        "POST", f"/contact-lists/{list_id}/contacts", {"contacts": [{"phone": p} for p in people[1:]]}
    )

    assert (full.status_code, none.status_code) == (400, 400)
    assert fits.json() == {"added": 1000, "duplicates": 0}
    assert again.json() == {"added": 1, "duplicates": 999}


async def test_a_wrong_contact_is_named_and_none_is_added(shop):
    list_id = await make(shop)
    rows = [{"phone": PEOPLE[0]}, {"phone": "12"}, {"name": "x"}, {"phone": PEOPLE[1], "tz": "Mars", "a": []}]

    answer = await shop.v1("POST", f"/contact-lists/{list_id}/contacts", {"contacts": rows})

    assert answer.status_code == 400
    assert fields(answer) == [
        "contacts[1].phoneNumber",
        "contacts[2].phoneNumber",
        "contacts[3].a",
        "contacts[3].tz",
    ]
    assert (await shop.v1("GET", f"/contact-lists/{list_id}")).json()["size"] == 0


async def test_a_running_campaign_takes_the_contacts_of_a_call(shop):
    await shop.pace(0.5)
    name = await shop.make_list(*PEOPLE[:5])
    list_id = (await shop.v1("GET", "/contact-lists", params={"name": name})).json()["items"][0]["id"]
    made = await shop.compat("POST", "/campaign", campaign_body(name))

    await shop.trigger(made.json()["data"]["_id"], "play")
    await shop.v1("POST", f"/contact-lists/{list_id}/contacts", {"contacts": [{"phoneNumber": PEOPLE[5]}]})
    await shop.pace(None)
    await shop.until_status(made.json()["data"]["_id"], "Completed")

    assert sorted(message["to"] for message in await shop.outbox()) == sorted(PEOPLE)


# -- the list as a file ----------------------------------------------------------------------------------------------


async def test_no_cell_of_an_export_is_a_formula_and_numbers_stay_numbers(shop):
    rows = [
        {"phone": PEOPLE[0], "Name": EVIL, "@note": "+1 for me"},
        {"phone": PEOPLE[1], "Name": "two\nlines, and a comma", "late": "-"},
    ]
    list_id = await make(shop, *rows)

    answer = await shop.v1("GET", f"/contact-lists/{list_id}/contacts.csv")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(answer.text, newline=""))) == [
        ["phone", "Name", "'@note", "late"],
        [PEOPLE[0], f"'{EVIL}", "'+1 for me", ""],
        [PEOPLE[1], "two\nlines, and a comma", "", "'-"],
    ]


async def test_an_export_that_is_imported_makes_the_same_list(shop):
    people = numbers("IN", 1005, seed=3)
    list_id = await make(shop, *({"phoneNumber": p, "n": str(n)} for n, p in enumerate(people[:1000])))
    await shop.v1(
        "POST", f"/contact-lists/{list_id}/contacts", {"contacts": [{"phoneNumber": p} for p in people[1000:]]}
    )

    exported = await shop.v1("GET", f"/contact-lists/{list_id}/contacts.csv", params={"bom": "true"})
    other = await make(shop)
    job = await shop.v1("POST", f"/contact-lists/{other}/imports", content=exported.content)
    await until_done(shop, other, job.json()["id"])

    assert (await shop.v1("GET", f"/contact-lists/{other}/contacts.csv", params={"bom": "true"})).text == exported.text
    assert len(exported.text.splitlines()) == 1006


async def until_done(shop: Caller, list_id: str, import_id: str) -> dict[str, object]:
    async def over() -> bool:
        return (await look()).json()["state"] in ("done", "failed")

    async def look():
        return await shop.v1("GET", f"/contact-lists/{list_id}/imports/{import_id}")

    await until(over)
    return dict((await look()).json())


async def test_an_empty_list_is_exported_as_its_header(shop):
    answer = await shop.v1("GET", f"/contact-lists/{await make(shop)}/contacts.csv")

    assert answer.text == "phoneNumber\r\n"


# -- lists -----------------------------------------------------------------------------------------------------------


async def test_a_list_is_found_by_a_part_of_its_name(shop):
    for name in ("Spring buyers", "Autumn BUYERS", "100% buyers", "Others"):
        await make(shop, name=name)

    async def names(part: str, **query: object) -> list[str]:
        return [one["name"] async for one in shop.pages("/contact-lists", name=part, **query)]

    assert await names("buyers", limit=1) == ["Spring buyers", "Autumn BUYERS", "100% buyers"]
    assert await names(" SPRING") == ["Spring buyers"]
    assert await names("%") == ["100% buyers"]
    assert await names("nowhere") == []


async def test_a_list_changes_what_is_named_and_duplicates_only_while_it_is_empty(shop):
    empty, full = await make(shop), await make(shop, {"phone": PEOPLE[0]})

    renamed = await shop.v1("PATCH", f"/contact-lists/{empty}", {"name": unique("New"), "allow_duplicates": True})
    kept = await shop.v1("PATCH", f"/contact-lists/{empty}", {"description": "Of May", "name": None})
    refused = await shop.v1("PATCH", f"/contact-lists/{full}", {"allow_duplicates": True, "description": "x"})
    same = await shop.v1("PATCH", f"/contact-lists/{full}", {"allow_duplicates": False})
    wrong = await shop.v1("PATCH", f"/contact-lists/{full}", {"name": "n" * 49, "description": "d" * 257, "size": 5})

    assert (kept.json()["name"], kept.json()["allow_duplicates"]) == (renamed.json()["name"], True)
    assert kept.json()["description"] == "Of May"
    assert (refused.status_code, refused.json()["code"]) == (409, "list_not_empty")
    assert (same.status_code, same.json()["description"]) == (200, "")
    assert wrong.status_code == 400
    assert sorted(fields(wrong)) == ["description", "name", "size"]


async def test_what_past_runs_did_is_told_after_their_list_is_gone(shop):
    name = await shop.make_list(*PEOPLE[:3])
    campaign_id = (await shop.compat("POST", "/campaign", campaign_body(name))).json()["data"]["_id"]
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    await shop.until_status(campaign_id, "Completed")
    await shop.compat("DELETE", f"/campaign/{campaign_id}")
    list_id = (await shop.v1("GET", "/contact-lists", params={"name": name})).json()["items"][0]["id"]

    deleted = await shop.v1("DELETE", f"/contact-lists/{list_id}")

    async def attempts_without_numbers() -> list[Any]:
        attempts = (await shop.v1("GET", f"/runs/{run_id}/attempts")).json()["items"]
        return attempts if not any(one["number"] for one in attempts) else []

    attempts = await until(attempts_without_numbers)
    run = (await shop.v1("GET", f"/runs/{run_id}")).json()

    assert deleted.status_code == 204
    assert [(one["number"], one["state"]) for one in attempts] == [("", "delivered")] * 3
    assert run["status"] == "Completed"
