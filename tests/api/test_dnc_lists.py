"""DNC lists: what is on one is not contacted, from the moment in which the call answers."""

import pytest

from api.callers import campaign_body, fields, unique, until
from callsheet.api.v1.dnc_numbers import MOST_NUMBERS
from phone_numbers import numbers


async def make_dnc_list(shop) -> dict[str, str]:
    answer = await shop.v1("POST", "/dnc-lists", {"name": unique("DNC")})
    assert answer.status_code == 201
    return answer.json()


async def test_the_fixed_shapes(shop):
    name = unique("Company DNC")

    made = await shop.v1("POST", "/dnc-lists", {"name": name})
    added = await shop.v1(
        "POST",
        f"/dnc-lists/{made.json()['id']}/numbers",
        {"numbers": ["+919876543210", "91 98765 43210", 919876543211, "12", "call me"]},
    )
    again = await shop.v1("POST", f"/dnc-lists/{made.json()['id']}/numbers", {"numbers": ["+919876543210"]})

    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "name": name}
    assert made.json()["id"].startswith("cl-")
    assert added.status_code == 200
    assert added.json() == {
        "added": 2,
        "rejected": [{"number": "12", "reason": "no_region"}, {"number": "call me", "reason": "not_a_number"}],
    }
    assert again.json() == {"added": 0, "rejected": []}


async def test_a_number_that_was_added_during_a_run_is_not_contacted_any_more(shop):
    await shop.pace(4)
    people = numbers("IN", 60)
    dnc_list = await make_dnc_list(shop)
    body = campaign_body(await shop.make_list(*people), dncLists={"id": dnc_list["id"]})
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]
    await shop.trigger(campaign_id, "play")

    async def begun() -> bool:
        return len(await shop.outbox()) >= 3

    await until(begun)
    added = await shop.v1("POST", f"/dnc-lists/{dnc_list['id']}/numbers", {"numbers": people})
    sent = len(await shop.outbox())
    await shop.until_status(campaign_id, "Completed")

    assert added.json()["added"] == 60
    assert len(await shop.outbox()) == sent < 60


async def test_the_lists_of_an_app_come_in_pages_and_the_global_one_is_among_them(shop):
    store, clock = shop.server.runtime.store, shop.server.runtime.clock
    await store.dnc_lists.create(shop.client.app.no, "Default Global DNC", clock.now(), is_global=True)
    names = ["Default Global DNC"] + [(await make_dnc_list(shop))["name"] for _ in range(4)]

    found = [one async for one in shop.pages("/dnc-lists", limit=2)]
    one = (await shop.v1("GET", f"/dnc-lists/{found[1]['id']}")).json()

    assert [one["name"] for one in found] == names
    assert [one["is_global"] for one in found] == [True, False, False, False, False]
    assert one == found[1]
    assert one["size"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "numbers"),
        ({"numbers": "+919876543210"}, "numbers"),
        ({"numbers": [{"number": "+919876543210"}]}, "numbers[0]"),
        ({"numbers": ["1" * 65]}, "numbers[0]"),
        ({"numbers": ["1", True, None]}, "numbers[1]"),
        ({"numbers": ["1"] * (MOST_NUMBERS + 1)}, "numbers"),
        ({"numbers": [], "number": "x"}, "number"),
    ],
)
async def test_wrong_numbers_bodies_name_their_field(shop, body, field):
    dnc_list = await make_dnc_list(shop)

    answer = await shop.v1("POST", f"/dnc-lists/{dnc_list['id']}/numbers", body)

    assert answer.status_code == 400
    assert field in fields(answer)


async def test_no_numbers_add_nothing(shop):
    dnc_list = await make_dnc_list(shop)

    answer = await shop.v1("POST", f"/dnc-lists/{dnc_list['id']}/numbers", {"numbers": []})

    assert answer.json() == {"added": 0, "rejected": []}


async def test_a_list_that_is_not_there_is_not_found(shop):
    answer = await shop.v1("POST", "/dnc-lists/cl-nothing/numbers", {"numbers": []})

    assert (answer.status_code, answer.json()["code"]) == (404, "dnc_list_not_found")


async def test_a_name_that_is_taken_is_refused(shop):
    taken = await make_dnc_list(shop)

    answer = await shop.v1("POST", "/dnc-lists", {"name": taken["name"].upper()})

    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    assert answer.headers["content-type"] == "application/problem+json"
