"""Schedules by our own calls: every way to write one, what is answered, and who may."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from api.callers import Caller, fields
from api.days import live
from api.test_schedules import SOON, show
from callsheet.engine.virtual_time import VirtualClock
from factories import MONDAY_NOON
from phone_numbers import numbers

MORNINGS = {"zone": "Europe/Berlin", "start": "2099-03-28T09:00", "repeat": {"every": "day"}}


@pytest_asyncio.fixture(loop_scope="session")
async def campaign(shop) -> str:
    return str(await shop.make_campaign(*numbers("IN", 2)))


def path(campaign_id: str) -> str:
    return f"/campaigns/{campaign_id}/schedule"


async def put(shop: Caller, campaign_id: str, **sent: Any) -> dict[str, Any]:
    answer = await shop.v1("PUT", path(campaign_id), {**MORNINGS, **sent})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_a_schedule_is_kept_shown_and_taken_away(shop, campaign):
    kept = await put(shop, campaign, duration_minutes=90, lateness_minutes=5, only_unreached=True)
    assert kept["dates"][:2] == [
        {"at": "2099-03-28T08:00:00.000Z", "local": "2099-03-28T09:00:00+01:00"},
        {"at": "2099-03-29T07:00:00.000Z", "local": "2099-03-29T09:00:00+02:00"},
    ]
    assert len(kept.pop("dates")) == 10
    name = kept.pop("campaign_name")
    assert kept == {
        "campaign_id": campaign, "status": "Scheduled", "zone": "Europe/Berlin", "start": "2099-03-28T09:00:00",
        "end": None, "rule": "FREQ=DAILY;INTERVAL=1", "duration_minutes": 90, "lateness_minutes": 5,
        "only_unreached": True, "recurrence_precedence": False, "next_at": "2099-03-28T08:00:00.000Z",
        "last_at": None, "last_outcome": None, "last_reason": None,
    }  # fmt: skip
    assert (await shop.v1("GET", path(name))).json()["next_at"] == kept["next_at"]
    shown = (await show(shop, campaign))["schedule"]
    assert (shown["startDateTime"], shown["timezone"]) == ("2099-03-28 08:00:00", "Europe/Berlin")

    assert (await shop.v1("DELETE", path(campaign))).status_code == 204
    assert [(await shop.v1(method, path(campaign))).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert await shop.status(campaign) == "Ready"


async def test_a_campaign_and_its_list_tell_when_it_starts_next(shop, campaign):
    other = await shop.make_campaign(*numbers("IN", 2))
    await put(shop, campaign)

    listed = {one["id"]: one["schedule"] for one in (await shop.v1("GET", "/campaigns")).json()["items"]}
    shown = {one: (await shop.v1("GET", f"/campaigns/{one}")).json()["schedule"] for one in (campaign, other)}
    assert listed == shown == {campaign: {"next_at": "2099-03-28T08:00:00.000Z"}, other: None}
    cloned = await shop.v1("POST", f"/campaigns/{campaign}/clone")
    assert cloned.json()["schedule"] is None


@pytest.mark.parametrize(
    ("recurrence", "rule", "days"),
    [
        ({"repeat": {"every": "day", "interval": 10}}, "FREQ=DAILY;INTERVAL=10", ["01-01", "01-11", "01-21"]),
        (
            {"repeat": {"every": "week", "interval": 2, "days": ["FR", "MO"]}},
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR",
            ["01-02", "01-12", "01-16"],
        ),
        (
            {"repeat": {"every": "month", "day": 31}},
            "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=31",
            ["01-31", "03-31", "05-31"],
        ),
        (
            {"repeat": {"every": "month", "day": "last"}},
            "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=-1",
            ["01-31", "02-28", "03-31"],
        ),
        (
            {"repeat": {"every": "month", "nth": "last", "weekday": "FR"}},
            "FREQ=MONTHLY;INTERVAL=1;BYDAY=-1FR",
            ["01-30", "02-27", "03-27"],
        ),
        (
            {"repeat": {"every": "year", "month": 7, "day": 4}},
            "FREQ=YEARLY;INTERVAL=1;BYMONTH=7;BYMONTHDAY=4",
            ["07-04", "07-04", "07-04"],
        ),
        ({"rule": "rrule:freq=daily;count=2"}, "FREQ=DAILY;COUNT=2", ["01-01", "01-02"]),
        ({}, None, ["01-01"]),
    ],
)
async def test_each_way_to_write_a_recurrence(shop, campaign, recurrence, rule, days):
    sent = {"zone": "UTC", "start": "2099-01-01T09:30", **recurrence}
    tried = await shop.v1("POST", "/schedules/preview", sent, params={"count": 3})
    assert tried.status_code == 200, tried.text
    assert [date["at"][5:10] for date in tried.json()["dates"]] == days
    assert await shop.status(campaign) == "Ready"
    kept = (await shop.v1("PUT", path(campaign), sent)).json()
    assert (kept["rule"], kept["dates"][: len(days)]) == (rule, tried.json()["dates"])


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"zone": "Berlin"}, ["zone"]),
        ({"zone": None, "start": None}, ["zone", "start"]),
        ({"start": "2099-02-30T09:00"}, ["start"]),
        ({"start": "2099-02-20T09:00Z"}, ["start"]),
        ({"start": "1999-02-20T09:00"}, ["start"]),
        ({"start": "2020-02-20T09:00", "repeat": None}, ["start"]),
        ({"end": "2099-03-28T09:00"}, ["end"]),
        ({"repeat": {"every": "hour"}}, ["repeat.every"]),
        ({"repeat": {"interval": 1}}, ["repeat.every"]),
        ({"repeat": {"every": "week"}}, ["repeat.days"]),
        ({"repeat": {"every": "month", "day": 32}}, ["repeat.day"]),
        ({"repeat": {"every": "month", "day": "first"}}, ["repeat.day"]),
        ({"repeat": {"every": "month", "nth": 6, "weekday": "MO"}}, ["repeat.nth"]),
        ({"repeat": {"every": "year", "month": 2, "day": "29"}}, ["repeat.day"]),
        ({"repeat": {"every": "month"}}, ["repeat"]),
        ({"repeat": {"every": "month", "day": 1, "nth": 1, "weekday": "MO"}}, ["repeat"]),
        ({"repeat": {"every": "year", "month": 2, "day": 30}}, ["repeat"]),
        ({"repeat": None, "rule": "FREQ=MINUTELY"}, ["rule"]),
        ({"repeat": None, "rule": "FREQ=DAILY;UNTIL=20200101"}, ["rule"]),
        ({"duration_minutes": 0, "lateness_minutes": 0}, ["duration_minutes", "lateness_minutes"]),
        ({"recurrence_precedence": True, "duration_minutes": 60}, ["recurrence_precedence"]),
        ({"often": True}, ["often"]),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_kept(shop, campaign, changes, wrong):
    sent = {name: value for name, value in {**MORNINGS, **changes}.items() if value is not None}
    for method, where in (("PUT", path(campaign)), ("POST", "/schedules/preview")):
        answer = await shop.v1(method, where, sent)
        assert answer.status_code == 400, answer.text
        assert fields(answer) == wrong
        assert "cannot be used here" not in answer.text
    assert await shop.status(campaign) == "Ready"


async def test_the_calendar_of_an_app_holds_what_comes_the_next_one_first(shop):
    made = [await shop.make_campaign() for _ in range(4)]
    for campaign_id, day in zip(made, (3, 1, 2, 1), strict=True):
        await put(shop, campaign_id, start=f"2099-01-0{day}T09:00", repeat=None)
    await shop.make_campaign()

    listed = [one["campaign_id"] async for one in shop.pages("/schedules", limit=1)]
    assert listed == [made[1], made[3], made[2], made[0]]
    for cursor in ("x", "1", "9" * 18 + "-1"):
        assert (await shop.v1("GET", "/schedules", params={"after": cursor})).status_code == 400


def test_a_schedule_says_what_came_of_it(database: str, tmp_path: Path):
    local = SOON.astimezone(ZoneInfo("Asia/Kolkata")).replace(tzinfo=None).isoformat()

    async def scenario(shop: Caller, clock: VirtualClock) -> dict[str, Any]:
        campaign_id = await shop.make_campaign(*numbers("IN", 2))
        await put(shop, campaign_id, zone="Asia/Kolkata", start=local, repeat=None)
        await clock.sleep(60)
        assert await shop.status(campaign_id) == "Completed"
        assert len(await shop.outbox()) == 2
        over: dict[str, Any] = (await shop.v1("GET", path(campaign_id))).json()
        return over

    over = live(database, tmp_path, MONDAY_NOON, scenario)
    assert (over["next_at"], over["last_outcome"], over["dates"]) == (None, "started", [])
    assert over["last_at"] == SOON.strftime("%Y-%m-%dT%H:%M:%S.000Z")


async def test_a_rule_over_the_calling_hours_needs_the_app_to_allow_it(shop, campaign):
    sent = {"recurrence_precedence": True, "duration_minutes": 60}
    await shop.v1("PATCH", "/settings", {"recurrence_precedence": True})
    assert (await put(shop, campaign, **sent))["recurrence_precedence"] is True
    assert fields(await shop.v1("PUT", path(campaign), {**MORNINGS, "recurrence_precedence": True})) == [
        "duration_minutes"
    ]


async def test_nobody_reaches_the_schedule_of_another_app(shop, stranger, campaign):
    await put(shop, campaign)
    for method, sent in (("GET", None), ("PUT", MORNINGS), ("DELETE", None)):
        assert (await stranger.v1(method, path(campaign), sent)).status_code == 404
    assert (await stranger.v1("GET", "/schedules")).json()["items"] == []


async def test_a_schedule_while_a_run_is_on_waits_for_its_end(shop):
    campaign_id = await shop.make_campaign(*numbers("IN", 30))
    await shop.v1("POST", "/senders", {"number": "+12125550100", "segments_per_second": 1})
    await shop.trigger(campaign_id, "play")
    assert (await put(shop, campaign_id))["status"] == "Active"
    await shop.trigger(campaign_id, "stop")
    assert await shop.status(campaign_id) == "Rescheduled"
