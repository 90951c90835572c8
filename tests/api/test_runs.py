"""Runs: what became of every contact, in numbers that add up."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from api.callers import ALWAYS, SENDER, campaign_body, unique, until
from callsheet.api.v1.runs import State
from callsheet.core.attempt import PENDING, Kind
from phone_numbers import numbers


async def one_run(shop, campaign_id):
    (run,) = (await shop.v1("GET", "/runs", params={"campaign_id": campaign_id})).json()["items"]
    return run


async def report(shop, run_id):
    answer = await shop.v1("GET", f"/runs/{run_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_state_of_an_attempt_can_be_asked_for():
    assert set(get_args(State)) == {PENDING, *Kind}


async def test_a_run_tells_how_each_contact_stands(shop):
    good = numbers("IN", 6, ending="1111")
    ended = {ending: numbers("IN", 1, ending=ending)[0] for ending in ("9904", "9905", "9908")}
    spared = numbers("IN", 2, ending="2222")
    dnc_list = (await shop.v1("POST", "/dnc-lists", {"name": unique("DNC")})).json()
    await shop.v1("POST", f"/dnc-lists/{dnc_list['id']}/numbers", {"numbers": spared})
    first = await shop.make_list(*good, *ended.values(), *spared)
    second = await shop.make_list(*good[:3])
    body = campaign_body(first, second, name=(name := unique("Told")), dncLists={"id": dnc_list["id"]})
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]

    started = (await shop.trigger(campaign_id, "play")).json()
    await shop.until_status(campaign_id, "Completed")

    async def receipts_came() -> bool:
        return (await report(shop, started["campaignInstanceId"]))["outcome"]["accepted"] == 1

    await until(receipts_came)
    found = await report(shop, started["campaignInstanceId"])

    assert found["outcome"] == {
        "delivered": 6,
        "undelivered": 1,
        "accepted": 1,
        "rejected": 1,
        "rejected_unsent": {},
        "uncertain": 0,
        "suppressed": {"dnc": 2},
        "duplicate": 3,
        "in_flight": 0,
        "left": [],
        "waiting": [],
    }
    assert found["effort"] == {"attempts": 9, "refused": 0, "withdrawn": 0, "segments": 8, "segments_unknown": 0}
    assert {key: found[key] for key in ("id", "campaign_id", "campaign_name", "channel", "status")} == {
        "id": started["campaignInstanceId"],
        "campaign_id": campaign_id,
        "campaign_name": name,
        "channel": "sms",
        "status": "Completed",
    }
    assert found["contacts"] == 14
    assert found["started_at"] < found["ended_at"] <= datetime.now(UTC).isoformat()
    attempts = [one async for one in shop.pages(f"/runs/{found['id']}/attempts", limit=4)]
    assert sorted(attempt["number"] for attempt in attempts) == sorted([*good, *ended.values()])
    states = {attempt["number"][-4:]: attempt["state"] for attempt in attempts}
    assert states == {"1111": "delivered", "9904": "undelivered", "9905": "rejected", "9908": "accepted"}
    by_state = {
        state: [one["state"] async for one in shop.pages(f"/runs/{found['id']}/attempts", state=state, limit=4)]
        for state in get_args(State)
    }
    assert {state: len(listed) for state, listed in by_state.items() if listed} == {
        "delivered": 6,
        "undelivered": 1,
        "rejected": 1,
        "accepted": 1,
    }
    assert all(set(listed) <= {state} for state, listed in by_state.items())
    delivered = next(attempt for attempt in attempts if attempt["state"] == "delivered")
    assert sorted(event["kind"] for event in delivered["events"]) == ["accepted", "delivered"]
    assert {event["carrier_id"][:3] for event in delivered["events"]} == {"sb-"}
    assert (delivered["n"], delivered["contact_id"][:3]) == (1, "cc-")
    suppressions = [one async for one in shop.pages(f"/runs/{found['id']}/suppressions", limit=2)]
    assert sorted((one["number"], one["reason"]) for one in suppressions) == sorted(
        [(number, "dnc") for number in spared] + [(number, "duplicate") for number in good[:3]]
    )


async def test_whom_no_message_could_be_made_for_is_told_apart_from_whom_the_carrier_refused(shop):
    name = await shop.make_list(*numbers("IN", 2), *numbers("IN", 1, ending="9905"), city="Pune")
    rows = [{"phoneNumber": number, "city": " "} for number in numbers("US-Eastern", 3)]
    await shop.compat("POST", "/campaign/contactList/addContacts", {"contact_list_name": name, "data": rows})
    made = await shop.compat("POST", "/campaign", campaign_body(name, message={"message": "{{ City }}"}))
    run_id = (await shop.trigger(made.json()["data"]["_id"], "play")).json()["campaignInstanceId"]

    await shop.until_status(made.json()["data"]["_id"], "Completed")
    outcome = (await report(shop, run_id))["outcome"]

    assert (outcome["rejected"], outcome["rejected_unsent"]) == (4, {"empty_message": 3})


async def test_an_attempt_that_nobody_knows_about_is_listed_alone(shop):
    silent, good = numbers("IN", 1, ending="9907")[0], numbers("IN", 3)
    campaign_id = await shop.make_campaign(*good, silent)
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]

    async def uncertain() -> bool:
        return (await report(shop, run_id))["outcome"]["uncertain"] == 1

    await until(uncertain)
    found = [one async for one in shop.pages(f"/runs/{run_id}/attempts", state="uncertain")]

    assert [(one["number"], one["state"]) for one in found] == [(silent, "uncertain")]
    assert found[0]["events"][0]["code"] == "no_answer"
    await shop.until_status(campaign_id, "Completed")


async def test_contacts_behind_a_closed_door_are_left_and_tell_when_it_opens(shop):
    now = datetime.now(UTC)
    day = (now + timedelta(days=2)).strftime("%a")
    hours = {"frequency": "WEEKLY", "timezone": "UTC", "days": [{"day": day, "start": "9:00 AM", "end": "6:00 PM"}]}
    there = await shop.make_list(*numbers("IN", 3), timeZone="Asia/Kolkata")
    here = await shop.make_list(*numbers("US-Eastern", 2), contactPriority="7")
    strategy = {"callerId": {"phoneNumber": SENDER}, "callingHours": hours}
    body = campaign_body(there, here, dialingStrategy=strategy)
    campaign_id = (await shop.compat("POST", "/campaign", body)).json()["data"]["_id"]

    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]
    left = (await report(shop, run_id))["outcome"]["left"]
    await shop.trigger(campaign_id, "stop")
    ended = (await report(shop, run_id))["outcome"]["left"]

    nothing = {"open": False, "next_open_at": None}
    assert [one | nothing for one in left] == ended
    shown = {group["list_name"]: group for group in left}
    opens = now.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=2)
    assert shown.keys() == {there, here}
    assert (shown[here]["zones"], shown[here]["priority"], shown[here]["contacts"]) == (["UTC"], 7, 2)
    assert (shown[there]["zones"], shown[there]["contacts"]) == (["Asia/Kolkata"], 3)
    assert shown[here]["open"] is shown[there]["open"] is False
    assert shown[here]["next_open_at"] == opens.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    india = opens - timedelta(hours=5, minutes=30)
    assert shown[there]["next_open_at"] == india.strftime("%Y-%m-%dT%H:%M:%S.000Z")


async def test_contacts_that_met_a_cap_wait_until_it_lifts(shop):
    await shop.v1("PATCH", "/settings", {"cap": {"attempts": 1, "hours": 24}, "one_run_per_list": False})
    name = await shop.make_list(*numbers("IN", 2))
    ids = [(await shop.compat("POST", "/campaign", campaign_body(name))).json()["data"]["_id"] for _ in range(2)]
    await shop.trigger(ids[0], "play")
    await shop.until_status(ids[0], "Completed")

    run_id = (await shop.trigger(ids[1], "play")).json()["campaignInstanceId"]

    async def both_wait() -> bool:
        return sum(one["contacts"] for one in (await report(shop, run_id))["outcome"]["waiting"]) == 2

    await until(both_wait)
    (waiting,) = (await report(shop, run_id))["outcome"]["waiting"]
    await shop.trigger(ids[1], "stop")

    assert (waiting["reason"], waiting["contacts"]) == ("cap", 2)
    assert waiting["earliest_at"] > datetime.now(UTC).isoformat()


async def test_the_numbers_of_a_run_that_was_stopped_midway_add_up(shop):
    await shop.v1("PATCH", "/settings", {"messages_per_minute": 1500})
    name = await shop.make_list(*numbers("IN", 400, ending="1111"))
    campaign_id = (await shop.compat("POST", "/campaign", campaign_body(name))).json()["data"]["_id"]
    run_id = (await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"]

    async def delivers() -> bool:
        return (await report(shop, run_id))["outcome"]["delivered"] > 20

    await until(delivers)
    await shop.trigger(campaign_id, "stop")

    async def adds_up() -> bool:
        outcome = (await report(shop, run_id))["outcome"]
        waiting = sum(one["contacts"] for one in outcome["waiting"])
        left = sum(one["contacts"] for one in outcome["left"])
        assert all(one["earliest_at"] is None for one in outcome["waiting"])
        assert left > 0
        assert not any(one["open"] or one["next_open_at"] for one in outcome["left"])
        return outcome["delivered"] + waiting + left == 400

    await until(adds_up)


async def test_runs_come_in_pages_the_latest_first(shop):
    campaign_id, other = await shop.make_campaign(), await shop.make_campaign()
    instances = []
    for _ in range(5):
        instances.append((await shop.trigger(campaign_id, "play")).json()["campaignInstanceId"])
        await shop.until_status(campaign_id, "Completed")
    foreign = (await shop.trigger(other, "play")).json()["campaignInstanceId"]

    all_runs = [run["id"] async for run in shop.pages("/runs", limit=2)]
    mine = [run["id"] async for run in shop.pages("/runs", limit=2, campaign_id=campaign_id)]

    assert mine == instances[::-1]
    assert all_runs == [foreign, *mine]


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/runs", {"after": "cid-nothing"}, 400, "invalid"),
        ("/runs", {"limit": 0}, 400, "invalid"),
        ("/runs", {"limit": 1001}, 400, "invalid"),
        ("/runs", {"campaign_id": "cd-nothing"}, 404, "campaign_not_found"),
        ("/runs/cid-nothing", {}, 404, "run_not_found"),
        ("/runs/{run}/attempts", {"after": "xyz"}, 400, "invalid"),
        ("/runs/{run}/attempts", {"after": "00" * 24}, 400, "invalid"),
        ("/runs/{run}/attempts", {"state": "lost"}, 400, "invalid"),
        ("/runs/{run}/suppressions", {"after": "cc-zz"}, 400, "invalid"),
        ("/runs/{run}/suppressions", {"after": "cc-00"}, 400, "invalid"),
        ("/sandbox/outbox", {"after": -1}, 400, "invalid"),
        ("/sandbox/outbox", {"after": "x"}, 400, "invalid"),
        ("/dnc-lists", {"after": "cl-nothing"}, 400, "invalid"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(shop, path, query, status, code):
    if "{run}" in path:
        campaign_id = await shop.make_campaign()
        await shop.trigger(campaign_id, "play")
        path = path.replace("{run}", (await one_run(shop, campaign_id))["id"])

    answer = await shop.v1("GET", path, params=query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_outbox_has_its_fixed_shape_and_comes_in_pages(shop):
    people = numbers("IN", 5)
    campaign_id = await shop.make_campaign(*people, message={"message": "Hello"})
    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    first = (await shop.v1("GET", "/sandbox/outbox", params={"limit": 2})).json()
    rest = (await shop.v1("GET", "/sandbox/outbox", params={"after": first["next"], "limit": 1000})).json()
    beyond = (await shop.v1("GET", "/sandbox/outbox", params={"after": rest["items"][-1]["id"]})).json()

    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [2, 3, None]
    assert beyond == {"items": [], "next": None}
    for message in (*first["items"], *rest["items"]):
        assert list(message) == ["id", "to", "from", "text", "campaign_id", "status", "accepted_at"]
        assert (message["from"], message["text"], message["campaign_id"]) == (SENDER, "Hello", campaign_id)
    ids = [message["id"] for message in (*first["items"], *rest["items"])]
    assert ids == sorted(ids)


async def test_hours_that_fit_nobody_end_the_run_at_once(shop):
    await shop.v1("PATCH", "/settings", {"zones": "number"})
    hours = {**ALWAYS, "days": [{"start": "9:00 AM", "end": "9:01 AM"}]}
    people = numbers("US-two-zones", 2)
    strategy = {"callerId": {"phoneNumber": SENDER}, "callingHours": hours}
    campaign_id = await shop.make_campaign(*people, dialingStrategy=strategy)

    await shop.trigger(campaign_id, "play")
    await shop.until_status(campaign_id, "Completed")

    found = await report(shop, (await one_run(shop, campaign_id))["id"])
    assert found["outcome"]["suppressed"] == {"no_common_hour": 2}
