import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from callsheet.core.campaign import Status
from callsheet.core.hours import CallingHours, Frequency, Window
from callsheet.engine.dispatcher import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import world
from factories import contact, make_definition, make_list, number

# Both changes of the autumn of 2026 lie within a week of Saturday 24 October: Europe on the 25th, North America on
# 1 November; Lord Howe moved by half an hour on the 4th, Kolkata and Phoenix never move.
ZONES = ("America/New_York", "America/Phoenix", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "")
CAMPAIGN_ZONE = "Europe/London"
START = datetime(2026, 10, 24, 6, 0, tzinfo=UTC)
EVERY_DAY = tuple(Window(day, 9 * 60, 9 * 60 + 20) for day in range(7))
EVENINGS = tuple(Window(day, 17 * 60 + 30, 18 * 60) for day in range(5))


def test_a_week_with_clock_changes_sends_only_inside_each_contacts_hours(tmp_path: Path) -> None:
    contacts_per_zone = 60

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
            # Slow enough for a week: each zone has 20 to 50 minutes a day, and 10 messages go in an hour.
            await w.limit(campaign, 10 / 3600)
            await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=40 * 86_400, step=600)
            assert clock.now() - START > timedelta(days=7)

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
