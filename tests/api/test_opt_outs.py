"""Whoever is opted out is not contacted from when the call answers; nobody comes back without a reason."""

import pytest

from api.callers import fields, until
from databases import rows
from phone_numbers import numbers


async def add(shop, *people: str, **more) -> dict:
    answer = await shop.v1("POST", "/opt-outs", {"numbers": list(people), **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def listed(shop, **query) -> list[dict]:
    return [one async for one in shop.pages("/opt-outs", **query)]


async def outcome(shop, *people: str) -> dict:
    campaign_id = await shop.make_campaign(*people)
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    await shop.until_status(campaign_id, "Completed")
    return (await shop.v1("GET", f"/runs/{run_id}")).json()["outcome"]


async def test_whoever_is_opted_out_by_a_call_is_spared_and_listed(shop):
    person, other = numbers("IN", 2)

    added = await add(shop, person, person.removeprefix("+"), "call me")
    again = await add(shop, person)

    assert added == {"added": 1, "rejected": ["call me"]}
    assert again == {"added": 0, "rejected": []}
    # Nobody knows the number until a list has it.
    assert [(one["number"], one["channel"], one["source"]) for one in await listed(shop)] == [("", "sms", "api")]
    assert (await outcome(shop, person, other))["suppressed"] == {"opted_out": 1}
    assert [one["number"] for one in await listed(shop)] == [person]


async def test_an_opt_out_during_a_run_is_effective_when_it_answers(shop):
    await shop.pace(4)
    people = numbers("IN", 60)
    campaign_id = await shop.make_campaign(*people)
    await shop.trigger(campaign_id, "play")

    async def begun() -> bool:
        return len(await shop.outbox()) >= 3

    await until(begun)
    assert (await add(shop, *people))["added"] == 60
    sent = len(await shop.outbox())
    await shop.until_status(campaign_id, "Completed")

    assert len(await shop.outbox()) == sent < 60


async def test_sources_are_kept_apart_and_a_removal_takes_all_of_a_channel_and_keeps_the_reason(shop):
    person = numbers("IN", 1, ending="9909")[0]
    await outcome(shop, person)

    async def stopped_twice() -> bool:
        # This handset answers the confirmation of its STOP with another one: that one must not come after the removal.
        return len((await shop.v1("GET", "/messages")).json()["items"]) == 2

    await until(stopped_twice)
    await add(shop, person)
    await add(shop, person, channel="voice")
    sources = [(one["channel"], one["source"]) for one in await listed(shop)]
    without = await shop.v1("POST", "/opt-outs/remove", {"numbers": [person], "reason": "  "})
    removed = await shop.v1(
        "POST", "/opt-outs/remove", {"numbers": [person, "+919876543210"], "reason": "Signed the form again"}
    )

    assert sources == [("sms", "api"), ("sms", "reply"), ("voice", "api")]
    assert (without.status_code, fields(without)) == (400, ["reason"])
    assert removed.json() == {"removed": 1, "unknown": ["+919876543210"]}
    assert [(one["channel"], one["source"]) for one in await listed(shop)] == [("voice", "api")]
    app = shop.client.app.no
    kept = await rows(
        shop.server.runtime.store, "select source, reason from opt_out_lifted where app = :app order by source", app=app
    )
    assert [tuple(row) for row in kept] == [("api", "Signed the form again"), ("reply", "Signed the form again")]
    assert (await outcome(shop, person))["suppressed"] == {}
    history = (await shop.v1("POST", "/contacts/history", {"number": person})).json()
    assert {one["reason"] for one in history["lifted_opt_outs"]} == {"Signed the form again"}


async def test_opt_outs_come_in_pages_and_by_channel(shop):
    await add(shop, *numbers("IN", 5))
    await add(shop, *numbers("IN", 2), channel="voice")

    everyone = await listed(shop, limit=2)

    assert len(everyone) == len({one["id"] for one in everyone}) == 7
    assert [one["channel"] for one in await listed(shop, channel="voice", limit=1)] == ["voice", "voice"]


async def test_opt_outs_of_one_app_are_none_of_another(shop, stranger):
    person = numbers("IN", 1)[0]
    await add(stranger, person)

    removed = await shop.v1("POST", "/opt-outs/remove", {"numbers": [person], "reason": "Mine"})

    assert await listed(shop) == []
    assert removed.json() == {"removed": 0, "unknown": [person]}
    assert len(await listed(stranger)) == 1


@pytest.mark.parametrize("after", ["x", "sms.zz.api", "sms.00.api", "fax." + "00" * 16 + ".api"])
async def test_a_cursor_that_no_page_gave_is_refused(shop, after):
    answer = await shop.v1("GET", "/opt-outs", params={"after": after})

    assert (answer.status_code, fields(answer)) == (400, ["after"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "numbers"),
        ({"numbers": ["1"], "channel": "fax"}, "channel"),
        ({"numbers": ["1"], "source": "reply"}, "source"),
        ({"numbers": ["1"] * 10_001}, "numbers"),
    ],
)
async def test_wrong_bodies_name_their_field(shop, body, field):
    answer = await shop.v1("POST", "/opt-outs", body)

    assert (answer.status_code, fields(answer)) == (400, [field])
