"""Where the pages on schedules contradict each other or the rest: each reading that one of them shows is served."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.callers import Caller
from api.days import live
from api.test_schedules import DAILY, body, campaign, show, switch  # noqa: F401 (a fixture)
from callsheet.engine.virtual_time import VirtualClock
from phone_numbers import numbers

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAYS = ["Mon", "Thu"]
ON_BOTH = {"recurType": "Weekly", "weeklyDetails": {"onceEveryNweeks": 2, "whichDays": DAYS}}


async def kept(shop, campaign_id: str, **changes: Any) -> dict[str, Any]:
    answer = await switch(shop, campaign_id, body(**changes))
    assert answer.status_code == 200, answer.text
    return (await show(shop, campaign_id))["schedule"]


@pytest.mark.parametrize("key", ["dailyDetails", "weeklyDetails"])
async def test_discrepancy_26_the_details_of_a_week_stand_under_the_name_of_a_days(shop, campaign, key):  # noqa: F811
    details = {"recurType": "weekly", key: {"onceEveryNweeks": "2", "whichDays": DAYS}}
    assert (await kept(shop, campaign["id"], recurrenceObject=details))["recurrenceObject"] == ON_BOTH


@pytest.mark.parametrize("days", [["MO", "TH"], ["Mon", "Thu"], ["monday", "THURSDAY"], ["mo", "thursday", "Mon"]])
async def test_discrepancy_27_a_day_is_written_as_in_the_calling_hours(shop, campaign, days):  # noqa: F811
    details = {"recurType": "Weekly", "weeklyDetails": {"onceEveryNweeks": 2, "whichDays": days}}
    assert (await kept(shop, campaign["id"], recurrenceObject=details))["recurrenceObject"] == ON_BOTH


@pytest.mark.parametrize(
    "start",
    ["2099-7-3 9:05:00", "2099-07-03 09:05:00", "2099-07-03T09:05:00Z", "2099-07-3 9:5:0", "2099-07-03T09:05:00.000Z"],
)
async def test_discrepancy_28_a_day_or_an_hour_comes_without_its_leading_zero(shop, campaign, start):  # noqa: F811
    shown = await kept(shop, campaign["id"], startDateTime=start, endDateTime="2099-12-31 0:00:00")
    assert (shown["startDateTime"], shown["endDateTime"]) == ("2099-07-03 09:05:00", "2099-12-31 00:00:00")


async def begin(shop: Caller, *people: str, **changes: Any) -> str:
    campaign_id = await shop.make_campaign(*people, **changes)
    assert (await shop.trigger(campaign_id, "play")).json()["status"] == "Active"
    return campaign_id


def test_discrepancy_39_a_campaign_of_low_priority_never_sends(database: str, tmp_path: Path):
    # Messages and Agentless calls share by p / sum of p: 5 and 3 give 62.5 % and 37.5 %. Strict order is for agents.
    async def scenario(shop: Caller, clock: VirtualClock) -> list[str]:
        await shop.pace(5)
        for seed, priority in enumerate((5, 3)):
            people = numbers("IN", 300, seed=seed)
            await begin(shop, *people, priority=str(priority), message={"message": f"Priority {priority}"})
        await clock.sleep(60)
        return [message["text"] for message in await shop.outbox()]

    texts = live(database, tmp_path, NOON, scenario)

    assert len(texts) > 250
    assert abs(texts.count("Priority 5") / len(texts) - 0.625) < 0.03


def test_discrepancy_41_a_campaign_whose_schedule_is_off_or_missing_starts_by_itself(database: str, tmp_path: Path):
    never, disabled, due = numbers("IN", 3)
    start = (NOON + timedelta(minutes=5)).strftime("%Y-%m-%d %H:%M:%S")
    plan = {"startDateTime": start, "endDateTime": "2026-03-09 12:00:00", "recurrenceObject": DAILY}

    async def scenario(shop: Caller, clock: VirtualClock) -> list[str]:
        off = {"isSchedulingEnabled": False}
        campaigns = [await shop.make_campaign(person, schedule=off) for person in (never, disabled, due)]
        for campaign_id in campaigns[1:]:
            assert (await switch(shop, campaign_id, plan)).status_code == 200
        await switch(shop, campaigns[1], {}, on="false")
        await clock.sleep(600)
        assert [await shop.status(campaign_id) for campaign_id in campaigns] == ["Ready", "Ready", "Rescheduled"]
        return [message["to"] for message in await shop.outbox()]

    # Whoever keeps the schedule tells that the time came and passed.
    assert live(database, tmp_path, NOON, scenario) == [due]
