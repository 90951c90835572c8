"""Schedules by the documented call, in the body of a campaign, and in answers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.callers import V1, V2, Caller, campaign_body, fields, unique
from api.days import live
from callsheet.engine.virtual_time import VirtualClock
from factories import MONDAY_NOON
from phone_numbers import numbers

DAILY = {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": 1}}
WEEKLY = {"recurType": "Weekly", "weeklyDetails": {"onceEveryNweeks": 2, "whichDays": ["Mon", "Thu"]}}


def at(**later: float) -> datetime:
    return (datetime.now(UTC) + timedelta(**later)).replace(microsecond=0)


def written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


SOON = MONDAY_NOON + timedelta(seconds=2)
"""In virtual time: in real time a slow machine would ask for what has passed."""


def body(**changes: Any) -> dict[str, Any]:
    """Write the body of a schedule call: daily for ten days from tomorrow; None takes a field away."""
    plain = {"startDateTime": written(at(days=1)), "endDateTime": written(at(days=11)), "recurrenceObject": DAILY}
    return {key: value for key, value in {**plain, **changes}.items() if value is not None}


async def switch(shop: Caller, name: str, sent: Any, *, on: str = "true", prefix: str = V2) -> Any:
    query = {"enableSchedule": on, "campaignName": name}
    return await shop.compat("POST", "/campaign/schedule", sent, params=query, prefix=prefix)


async def show(shop: Caller, campaign_id: str) -> dict[str, Any]:
    return (await shop.compat("GET", f"/campaign/{campaign_id}")).json()["data"]  # type: ignore[no-any-return]


@pytest_asyncio.fixture(loop_scope="session")
async def campaign(shop) -> dict[str, Any]:
    return await show(shop, await shop.make_campaign(*numbers("IN", 2)))


@pytest.mark.parametrize("prefix", [V1, V2])
async def test_a_schedule_is_switched_on_and_off_with_the_documented_answers(shop, campaign, prefix):
    start = at(days=1)
    on = await switch(shop, campaign["name"], body(startDateTime=written(start)), prefix=prefix)
    assert on.status_code == 200, on.text
    assert on.json() == {
        "status": "success",
        "message": f"Campaign {campaign['name']} scheduled successfully",
        "id": campaign["id"],
    }
    shown = await show(shop, campaign["id"])
    assert shown["status"] == "Scheduled"
    assert shown["schedule"] == {
        "isSchedulingEnabled": True,
        "isRecurrenceEnabled": True,
        "startDateTime": written(start),
        "endDateTime": shown["schedule"]["endDateTime"],
        "recurrenceObject": DAILY,
        "timezone": "UTC",
        "nextRunAt": start.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }

    off = await switch(shop, campaign["name"], {}, on="false", prefix=prefix)
    assert off.json() == {
        "status": "success",
        "message": f"Campaign {campaign['name']} schedule has been disabled successfully",
        "id": campaign["id"],
    }
    shown = await show(shop, campaign["id"])
    assert (shown["status"], shown["schedule"]) == (
        "Ready",
        {"isSchedulingEnabled": False, "isRecurrenceEnabled": False},
    )
    assert (await switch(shop, campaign["name"], None, on="false", prefix=prefix)).status_code == 200


def test_a_campaign_starts_by_itself_at_its_time(database: str, tmp_path: Path):
    end = written(SOON + timedelta(hours=1))

    async def scenario(shop: Caller, clock: VirtualClock) -> None:
        campaign_id = await shop.make_campaign(*numbers("IN", 2))
        sent = body(startDateTime=written(SOON), endDateTime=end, recurrenceObject=None)
        assert (await switch(shop, campaign_id, sent)).status_code == 200
        assert (await show(shop, campaign_id))["schedule"]["isRecurrenceEnabled"] is False
        assert await shop.status(campaign_id) == "Scheduled"

        await clock.sleep(60)
        assert await shop.status(campaign_id) == "Completed"
        assert len(await shop.outbox()) == 2
        assert (await show(shop, campaign_id))["schedule"]["isSchedulingEnabled"] is False

    live(database, tmp_path, MONDAY_NOON, scenario)


async def test_a_campaign_that_waits_for_its_time_is_not_started_edited_or_stopped_by_hand(shop, campaign):
    await switch(shop, campaign["name"], body())
    for trigger in ("play", "stop", "pause", "resume", "rerun"):
        refused = await shop.trigger(campaign["id"], trigger)
        assert (refused.status_code, refused.json()["status"]) == (409, "failure"), trigger
    edited = campaign_body(await shop.make_list(), name=campaign["name"])
    assert (await shop.compat("PUT", f"/campaign/{campaign['id']}", edited)).status_code == 409
    assert await shop.status(campaign["id"]) == "Scheduled"
    assert (await shop.compat("DELETE", f"/campaign/{campaign['id']}")).json()["data"]["status"] == "Scheduled"


async def test_an_emergency_makes_an_end_of_the_schedule(shop, campaign):
    await switch(shop, campaign["name"], body())
    path = f"/campaign/trigger/{campaign['id']}"
    begun = await shop.compat("POST", path, {"reason": "Flood"}, params={"trigger": "emergency"})
    assert begun.json()["status"] == "Active", begun.text
    await shop.until_status(campaign["id"], "Completed")
    assert (await show(shop, campaign["id"]))["schedule"]["isSchedulingEnabled"] is False


def test_a_stop_ends_this_run_and_answers_stopped_although_the_next_one_comes(database: str, tmp_path: Path):
    end = written(SOON + timedelta(days=10))

    async def scenario(shop: Caller, clock: VirtualClock) -> None:
        campaign_id = await shop.make_campaign(*numbers("IN", 40))
        await shop.v1("POST", "/senders", {"number": "+12125550100", "segments_per_second": 1})
        await switch(shop, campaign_id, body(startDateTime=written(SOON), endDateTime=end))
        await clock.sleep(10)
        assert await shop.status(campaign_id) == "Active"

        stopped = await shop.trigger(campaign_id, "stop")
        assert (stopped.json()["status"], stopped.json()["message"]) == ("Stopped", "Campaign Stopped")
        assert await shop.status(campaign_id) == "Rescheduled"
        (run,) = (await shop.v1("GET", "/runs", params={"campaign_id": campaign_id})).json()["items"]
        assert run["status"] == "Stopped"

    live(database, tmp_path, MONDAY_NOON, scenario)


async def test_a_schedule_takes_the_place_of_the_one_before(shop, campaign):
    await switch(shop, campaign["name"], body())
    await switch(shop, campaign["name"], body(recurrenceObject=WEEKLY))
    assert (await show(shop, campaign["id"]))["schedule"]["recurrenceObject"] == WEEKLY


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"startDateTime": None, "endDateTime": None}, ["startDateTime", "endDateTime"]),
        ({"startDateTime": "tomorrow"}, ["startDateTime"]),
        ({"startDateTime": "2027-02-31 09:00:00"}, ["startDateTime"]),
        ({"startDateTime": "2027-02-01 09:00:00+05:30"}, ["startDateTime"]),
        ({"endDateTime": "2020-01-01 09:00:00", "startDateTime": "2019-01-01 09:00:00"}, ["endDateTime"]),
        ({"endDateTime": "2027-01-01 09:00:00", "startDateTime": "2028-01-01 09:00:00"}, ["endDateTime"]),
        ({"startDateTime": "2020-01-01 09:00:00", "recurrenceObject": None}, ["startDateTime"]),
        ({"recurrenceObject": "Daily"}, ["recurrenceObject"]),
        ({"recurrenceObject": {"recurType": "Monthly"}}, ["recurrenceObject.recurType"]),
        ({"recurrenceObject": {"recurType": "Weekly"}}, ["recurrenceObject.weeklyDetails.whichDays"]),
        (
            {"recurrenceObject": {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": 0}}},
            ["recurrenceObject.dailyDetails.onceEveryNdays"],
        ),
        (
            {"recurrenceObject": {"recurType": "Weekly", "weeklyDetails": {"whichDays": ["Mon", "Noday", 3]}}},
            ["recurrenceObject.weeklyDetails.whichDays[1]", "recurrenceObject.weeklyDetails.whichDays[2]"],
        ),
        (
            {"endDateTime": written(at(days=2)), "recurrenceObject": {**DAILY, "dailyDetails": {"onceEveryNdays": 9}},
             "startDateTime": "2099-01-01 00:00:00"},
            None,
        ),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named_and_nothing_is_kept(shop, campaign, changes, wrong):
    answer = await switch(shop, campaign["name"], body(**changes))
    assert answer.status_code == 400
    assert wrong is None or fields(answer) == wrong
    assert await shop.status(campaign["id"]) == "Ready"


async def test_the_query_says_which_campaign_and_what(shop, campaign):
    unnamed = await shop.compat("POST", "/campaign/schedule", body(), params={"enableSchedule": "true"})
    unsaid = await shop.compat("POST", "/campaign/schedule", body(), params={"campaignName": campaign["name"]})
    assert (fields(unnamed), fields(unsaid)) == (["campaignName"], ["enableSchedule"])
    assert (await switch(shop, "No such campaign", body())).status_code == 404
    assert (await switch(shop, campaign["name"].upper(), body())).status_code == 200


async def test_a_name_that_several_campaigns_have_moves_none_of_them(shop, campaign):
    await shop.v1("PATCH", "/settings", {"unique_names": False})
    await shop.make_campaign(name=campaign["name"])
    answer = await switch(shop, campaign["name"], body())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, answer.json()["errors"][0]["code"])
    assert campaign["id"] in answer.json()["message"]
    assert await shop.status(campaign["id"]) == "Ready"


async def test_a_campaign_is_created_with_its_schedule(shop):
    start = written(at(days=2))
    block = {"isSchedulingEnabled": True, "startDateTime": start, "recurrenceObject": WEEKLY}
    made = await shop.compat("POST", "/campaign", campaign_body(await shop.make_list(), schedule=block))
    assert made.status_code == 200, made.text
    data = made.json()["data"]
    assert (data["status"], data["schedule"]["startDateTime"]) == ("Scheduled", start)
    assert data["schedule"]["isRecurrenceEnabled"] is True


def test_an_update_gives_a_schedule_and_the_next_one_without_it_takes_it_away(database: str, tmp_path: Path):
    end = written(SOON + timedelta(days=2))
    block = {"isSchedulingEnabled": "true", "startDateTime": written(SOON), "endDateTime": end}

    async def scenario(shop: Caller, clock: VirtualClock) -> None:
        campaign = await show(shop, await shop.make_campaign(*numbers("IN", 2)))
        path, name = f"/campaign/{campaign['id']}", campaign["contactLists"][0]
        updated = await shop.compat("PUT", path, campaign_body(name, name=campaign["name"], schedule=block))
        assert updated.json()["data"]["status"] == "Scheduled", updated.text
        await clock.sleep(60)
        assert await shop.status(campaign["id"]) == "Completed"
        again = (await shop.compat("PUT", path, campaign_body(name, name=campaign["name"]))).json()["data"]
        assert (again["status"], again["schedule"]["isSchedulingEnabled"]) == ("Ready", False)

    live(database, tmp_path, MONDAY_NOON, scenario)


@pytest.mark.parametrize(
    ("block", "wrong"),
    [
        ({}, ["schedule.startDateTime"]),
        ({"startDateTime": "2020-01-01 09:00:00"}, ["schedule.startDateTime"]),
        ({"startDateTime": "2020-01-01 09:00:00", "endDateTime": "2019-01-01 09:00:00"}, ["schedule.endDateTime"]),
        ({"startDateTime": "soon", "recurrenceObject": {"recurType": "x"}},
         ["schedule.startDateTime", "schedule.recurrenceObject.recurType"]),
    ],
)  # fmt: skip
async def test_a_schedule_that_says_too_little_is_refused_with_what_is_missing(shop, block, wrong):
    block = {"isSchedulingEnabled": True, **block}
    answer = await shop.compat("POST", "/campaign", campaign_body("Nowhere", name=unique("Late"), schedule=block))
    assert fields(answer) == [*wrong, "contactLists[0]"]


async def test_nobody_schedules_the_campaign_of_another_app(shop, stranger, campaign):
    assert (await switch(stranger, campaign["id"], body())).status_code == 404
    assert (await switch(stranger, campaign["name"], {}, on="false")).status_code == 404
