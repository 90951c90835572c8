import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callsheet.carriers.base import Accepted, Outbound
from callsheet.carriers.one_by_one import AwaitedCarrier
from callsheet.core.asking import nobody_forbids
from callsheet.core.campaign import Status
from callsheet.core.hours import CallingHours, Frequency, Window
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import Passing, world
from factories import contact, make_definition, make_list, number

# Both changes of the autumn of 2026 lie within a week of Saturday 24 October: Europe on the 25th, North America on
# 1 November; Lord Howe moved by half an hour on the 4th, Kolkata and Phoenix never move.
ZONES = ("America/New_York", "America/Phoenix", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "")
CAMPAIGN_ZONE = "Europe/London"
START = datetime(2026, 10, 24, 6, 0, tzinfo=UTC)
EVERY_DAY = tuple(Window(day, 9 * 60, 9 * 60 + 20) for day in range(7))
EVENINGS = tuple(Window(day, 17 * 60 + 30, 18 * 60) for day in range(5))


class Watched(Passing):
    """A carrier, and what it was asked to give up when."""

    def __init__(self, carrier: AwaitedCarrier) -> None:
        super().__init__(carrier)
        self.asked: list[tuple[str, datetime | None]] = []

    async def send(self, message: Outbound, leave: Callable[[], bool] = nobody_forbids) -> Accepted:
        self.asked.append((message.to, message.valid_until))
        return await self.carrier.send(message, leave)


def test_a_message_that_a_carrier_keeps_is_given_up_before_its_contact_sleeps(tmp_path: Path) -> None:
    """The second try of those whom the carrier throttled too, and whoever it took hours to come to."""

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=Tuning(tick_seconds=900.0, lease_seconds=3600.0)) as w:
            await w.conductor.stop()
            watched: list[Watched] = []
            w.wrap = lambda carrier: watched.append(Watched(carrier)) or watched[-1]  # type: ignore[func-returns-value]
            await w.start()
            zone_of = {f"+1212555{9906 if i % 3 else 1000 + i}": zone for i, zone in enumerate(ZONES)}
            zone_of = {f"+12{12 + i}{number[5:]}": zone for i, (number, zone) in enumerate(zone_of.items())}
            people = [contact(w.store, w.app, to, zone=zone) for to, zone in zone_of.items()]
            contact_list = await make_list(w.store, w.app, clock, people)
            hours = CallingHours(Frequency.weekly, CAMPAIGN_ZONE, EVERY_DAY)
            campaign = await w.store.campaigns.create(
                w.app.no, make_definition([contact_list], hours=hours), clock.now(), unique_names=True
            )
            await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=5 * 86_400, step=600)
            (carrier,) = watched
            assert len(carrier.asked) > len(zone_of)
            for to, until in carrier.asked:
                assert until is not None
                local = until.astimezone(ZoneInfo(zone_of[to] or CAMPAIGN_ZONE))
                assert (local.hour, local.minute) == (9, 20), f"{zone_of[to]} {local}"

    run(main, start=START)


@pytest.mark.parametrize(
    ("contacts_per_zone", "hourly", "days"), [(30, 40, 2), pytest.param(60, 10, 7, marks=pytest.mark.full)]
)
def test_a_week_with_clock_changes_sends_only_inside_each_contacts_hours(
    tmp_path: Path, contacts_per_zone: int, hourly: int, days: int
) -> None:
    """The week sees both changes, the two days of the quick suite the one of Europe."""

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=Tuning(tick_seconds=900.0, lease_seconds=3600.0)) as w:
            zones = [zone for zone in ZONES for _ in range(contacts_per_zone)]
            random.Random(7).shuffle(zones)
            people = [contact(w.store, w.app, number(i), zone=zone) for i, zone in enumerate(zones)]
            contact_list = await make_list(w.store, w.app, clock, people)
            hours = CallingHours(Frequency.weekly, CAMPAIGN_ZONE, EVERY_DAY + EVENINGS)
            campaign = await w.store.campaigns.create(
                w.app.no, make_definition([contact_list], hours=hours), clock.now(), unique_names=True
            )
            # Slow enough for a week, where 10 go in an hour: each zone has 20 to 50 minutes a day.
            await w.limit(campaign, hourly / 3600)
            await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=40 * 86_400, step=600)
            assert clock.now() - START > timedelta(days=days)

            sent = w.sent()
            assert len(sent) == len(zones)
            assert max(Counter(message.to for message in sent).values()) == 1
            zone_of = {number(i): zone or CAMPAIGN_ZONE for i, zone in enumerate(zones)}
            for message in sent:
                local = message.accepted_at.astimezone(ZoneInfo(zone_of[message.to]))
                minute = local.hour * 60 + local.minute
                morning = 9 * 60 <= minute < 9 * 60 + 20
                evening = local.weekday() < 5 and 17 * 60 + 30 <= minute < 18 * 60
                assert morning or evening, f"{zone_of[message.to]} {local}"

    run(main, start=START)
