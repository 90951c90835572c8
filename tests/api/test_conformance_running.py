"""Points of the checklist that take hours or days, on both databases; each name begins with its number."""

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from api.callers import SENDER, Caller
from api.days import leap, live, pass_by
from callsheet.engine.virtual_time import VirtualClock
from phone_numbers import numbers


def strategy(zone: str = "UTC", *windows: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Return a strategy with these windows every day; none: always open."""
    days = [{"start": start, "end": end} for start, end in windows or [("12:00 AM", "12:00 AM")]]
    hours = {"frequency": "DAILY", "timezone": zone, "days": days}
    return {"callerId": {"phoneNumber": SENDER}, "callingHours": hours, **more}


async def begin(shop: Caller, *people: str, **changes: Any) -> str:
    campaign_id = await shop.make_campaign(*people, **changes)
    started = await shop.trigger(campaign_id, "play")
    assert started.json()["status"] == "Active", started.text
    return campaign_id


async def sent(shop: Caller) -> list[tuple[datetime, str]]:
    """Return when each message was taken, and to whom it went."""
    return [(datetime.fromisoformat(one["accepted_at"]), one["to"]) for one in await shop.outbox()]


_on_the_day_before = partial(pytest.param, marks=pytest.mark.full)


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        # New York goes from UTC-5 to UTC-4 on the 8th of March 2026, and back on the 1st of November.
        (datetime(2026, 3, 7, 23, tzinfo=UTC), datetime(2026, 3, 8, 13, tzinfo=UTC)),
        _on_the_day_before(datetime(2026, 3, 6, 23, tzinfo=UTC), datetime(2026, 3, 7, 14, tzinfo=UTC)),
        (datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 1, 14, tzinfo=UTC)),
        _on_the_day_before(datetime(2026, 10, 30, 23, tzinfo=UTC), datetime(2026, 10, 31, 13, tzinfo=UTC)),
    ],
)
def test_08_nine_in_the_morning_is_nine_on_the_day_when_the_clocks_change(
    database: str, tmp_path: Path, day: datetime, opens: datetime
):
    person = numbers("US-Eastern", 1)[0]

    async def scenario(shop: Caller, clock: VirtualClock) -> list[tuple[datetime, str]]:
        hours = strategy("America/New_York", ("9:00 AM", "5:00 PM"))
        await begin(shop, person, dialingStrategy=hours)
        await leap(clock, opens)
        assert await sent(shop) == []
        await pass_by(clock)
        return await sent(shop)

    ((at, to),) = live(database, tmp_path, day, scenario)

    assert to == person
    assert at >= opens


def test_08_every_window_of_a_day_opens_and_between_them_nobody_hears_anything(database: str, tmp_path: Path):
    people = numbers("IN", 3)
    # Kolkata is 5 h 30 min ahead.
    hours = strategy("Asia/Kolkata", ("9:00 AM", "12:00 PM"), ("2:00 PM", "6:00 PM"))
    opens = [datetime(2026, 3, day, hour, 30, tzinfo=UTC) for day, hour in ((2, 3), (2, 8), (3, 3))]
    closes = [datetime(2026, 3, 2, hour, 30, tzinfo=UTC) for hour in (6, 12)]

    async def scenario(shop: Caller, clock: VirtualClock) -> list[tuple[datetime, str]]:
        for number, opened in enumerate(opens):
            if number:
                await leap(clock, closes[number - 1])
                await pass_by(clock)
            await begin(shop, people[number], dialingStrategy=hours)
            await leap(clock, opened)
            assert len(await sent(shop)) == number
            await pass_by(clock)
        return await sent(shop)

    found = live(database, tmp_path, datetime(2026, 3, 2, 2, tzinfo=UTC), scenario)

    assert [to for _, to in found] == people
    assert all(opened <= at for opened, (at, _) in zip(opens, found, strict=True))


@pytest.mark.parametrize(
    "attempts", [pytest.param(1, marks=pytest.mark.full), 2, pytest.param(3, marks=pytest.mark.full)]
)
def test_09_who_was_not_connected_comes_again_after_the_others_and_the_period(
    database: str, tmp_path: Path, attempts: int
):
    # The period of a minute is over long before all others have had their turn.
    bad, good = numbers("IN", 5, ending="9904"), [one for one in numbers("IN", 95) if not one[-4:].startswith("99")]
    dialing = strategy(maxAttemptsPerRecord=attempts, defaultRetryPeriod=1)

    async def scenario(shop: Caller, clock: VirtualClock) -> list[tuple[datetime, str]]:
        await shop.pace(1)
        campaign_id = await begin(shop, *bad, *good, dialingStrategy=dialing)
        for _ in range(10):
            await clock.sleep(60)
        assert await shop.status(campaign_id) == "Completed"
        return await sent(shop)

    found = live(database, tmp_path, datetime(2026, 3, 2, 12, tzinfo=UTC), scenario)

    tries = {to: [at for at, who in found if who == to] for to in (*bad, *good)}
    assert {len(tries[to]) for to in bad} == {attempts}
    assert {len(tries[to]) for to in good} == {1}
    assert all(later - earlier >= timedelta(minutes=1) for to in bad for earlier, later in pairwise(tries[to]))
    last_of_the_others = max(tries[to][0] for to in good)
    assert all(again > last_of_the_others for to in bad for again in tries[to][1:])
