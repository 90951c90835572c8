"""Where the pages on schedules contradict each other or the rest: each reading that one of them shows is served."""

from typing import Any

import pytest

from api.test_schedules import DAILY, at, body, campaign, show, switch, written  # noqa: F401 (a fixture)

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


async def test_discrepancy_41_a_campaign_whose_schedule_is_off_starts_by_itself(shop, campaign):  # noqa: F811
    await switch(shop, campaign["id"], body(startDateTime=written(at(seconds=2)), recurrenceObject=DAILY))
    await switch(shop, campaign["id"], {}, on="false")
    assert await shop.status(campaign["id"]) == "Ready"
    assert await shop.outbox() == []
