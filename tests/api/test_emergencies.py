"""Reruns and emergencies: what begins again, what goes before everything, and what neither of them overrules."""

from typing import Any

import pytest

from api.callers import SENDER, V1, Caller, fields, voice_body
from phone_numbers import numbers

NEVER = {"frequency": "WEEKLY", "timezone": "UTC", "days": [{"day": "MO", "start": "12:00 AM", "end": "12:01 AM"}]}


def closed() -> dict[str, Any]:
    """Return hours that are one minute of the week: closed, but for a test at that very minute."""
    return {"callerId": {"phoneNumber": SENDER}, "callingHours": NEVER}


async def declare(shop: Caller, campaign_id: str, reason: str = "Flood at the river") -> Any:
    return await shop.compat(
        "POST", f"/campaign/trigger/{campaign_id}", {}, params={"trigger": "Emergency", "reason": reason}
    )


async def test_an_emergency_does_not_wait_for_the_hours(shop):
    people = numbers("IN", 3)
    campaign_id = await shop.make_campaign(*people, dialingStrategy=closed())

    told = (await declare(shop, campaign_id)).json()
    await shop.until_status(campaign_id, "Completed")

    assert (told["status"], told["message"], told["campaignExecutionType"]) == (
        "Active",
        "Campaign Started",
        "EMERGENCY",
    )
    assert sorted(message["to"] for message in await shop.outbox()) == sorted(people)
    shown = (await shop.compat("GET", f"/campaign/{campaign_id}")).json()["data"]
    assert shown["campaignExecutionType"] == "EMERGENCY"


async def test_an_emergency_spares_who_is_on_a_dnc_list(shop):
    called, spared = numbers("IN", 2)
    dnc = (await shop.v1("POST", "/dnc-lists", {"name": "Never"})).json()["id"]
    await shop.v1("POST", f"/dnc-lists/{dnc}/numbers", {"numbers": [spared]})
    campaign_id = await shop.make_campaign(called, spared, dncLists={"name": "Never"})

    await declare(shop, campaign_id)
    await shop.until_status(campaign_id, "Completed")

    assert [message["to"] for message in await shop.outbox()] == [called]


@pytest.mark.parametrize("body", [None, {}, {"reason": ""}, {"reason": "   "}, {"reason": 5}, {"reason": "x" * 257}])
async def test_an_emergency_needs_a_reason(shop, body):
    campaign_id = await shop.make_campaign(*numbers("IN", 1))

    answer = await shop.compat("POST", f"/campaign/{campaign_id}", body, params={"trigger": "emergency"})

    assert answer.status_code == 400
    assert fields(answer) == ["reason"]
    assert await shop.status(campaign_id) == "Ready"


async def test_the_reason_may_be_in_the_body(shop):
    campaign_id = await shop.make_campaign()

    answer = await shop.compat(
        "POST", f"/campaign/trigger/{campaign_id}", {"reason": "x" * 256}, params={"trigger": "emergency"}
    )

    assert answer.status_code == 200, answer.text


async def test_one_emergency_at_a_time_for_a_whole_account(shop, server):
    await shop.pace(0.01)
    first, second = [await shop.make_campaign(*numbers("IN", 5)) for _ in range(2)]
    sibling = await sibling_of(shop)
    elsewhere = await sibling.make_campaign(*numbers("IN", 5))
    assert (await declare(shop, first)).status_code == 200

    refused = [await declare(shop, second), await declare(sibling, elsewhere)]
    again = await declare(shop, first)
    plain = await shop.trigger(second, "play")
    await shop.trigger(first, "stop")
    after = await declare(sibling, elsewhere)
    await sibling.trigger(elsewhere, "stop")
    await shop.trigger(second, "stop")

    assert [answer.json()["errors"][0]["code"] for answer in refused] == ["emergency_runs", "emergency_runs"]
    assert [answer.status_code for answer in (*refused, again, plain, after)] == [409, 409, 409, 200, 200]


async def sibling_of(shop: Caller) -> Caller:
    """Make another app of the same account."""
    apps, now = shop.server.runtime.store.apps, shop.server.runtime.clock.now()
    app = await apps.create(shop.account_id, "Sibling", now)
    await apps.create_trunk(app.no, name="Sandbox", carrier="sandbox", takes_any_sender=True, now=now)
    return Caller(shop.server, await shop.server.runtime.store.clients.create(app, now))


async def test_an_emergency_is_stopped_and_run_again_but_never_paused(shop):
    await shop.pace(0.01)
    campaign_id = await shop.make_campaign(*numbers("IN", 5))
    first = (await declare(shop, campaign_id)).json()["campaignInstanceId"]

    paused = await shop.trigger(campaign_id, "pause")
    rerun = await shop.trigger(campaign_id, "rerun")
    stopped = await shop.trigger(campaign_id, "stop")
    again = (await shop.trigger(campaign_id, "Rerun")).json()
    await shop.trigger(campaign_id, "stop")

    assert [answer.status_code for answer in (paused, rerun, stopped)] == [409, 409, 200]
    assert "not paused" in paused.json()["message"]
    assert (again["status"], again["campaignExecutionType"]) == ("Active", "NORMAL")
    assert again["campaignInstanceId"] != first


async def test_calls_are_no_emergency(shop):
    body = voice_body(await shop.make_list(), dialingMode="Progressive", queue_name="Default Queue")
    campaign_id = (await shop.compat("POST", "/campaign", body, prefix=V1)).json()["id"]
    await shop.until_status(campaign_id, "Ready")

    answer = await declare(shop, campaign_id)

    assert answer.status_code == 409
    assert "Only an SMS campaign" in answer.json()["message"]


@pytest.mark.parametrize(("before", "right"), [((), True), (("play", "stop"), True), (("play",), False)])
async def test_a_rerun_begins_anew_and_never_joins_the_present_run(shop, before, right):
    await shop.pace(0.01)
    campaign_id = await shop.make_campaign(*numbers("IN", 5))
    for trigger in before:
        last = (await shop.trigger(campaign_id, trigger)).json()["campaignInstanceId"]

    answer = await shop.trigger(campaign_id, "rerun")
    await shop.trigger(campaign_id, "stop")

    assert answer.status_code == (200 if right else 409)
    if right and before:
        assert answer.json()["campaignInstanceId"] != last


async def test_a_campaign_is_moved_by_its_name_too(shop):
    await shop.pace(0.01)
    campaign_id = await shop.make_campaign(*numbers("IN", 5), name="Spring sale")

    told = [(await shop.trigger("spring sale", word)).json()["status"] for word in ("RUN", "Pause", "resume", "STOP")]

    assert told == ["Active", "Paused", "Active", "Stopped"]
    assert await shop.status(campaign_id) == "Stopped"
