"""A daily cap is never passed, over nodes, restarts and midnights; who comes too late that day goes out the next."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from callsheet.carriers.base import Inbound
from callsheet.core.allowance import UNLIMITED, Allowance, bounds_of_day, buckets_of
from callsheet.core.campaign import Campaign, Status
from callsheet.core.day_use import UsedUp, capped, shared_caps, used_up
from callsheet.engine.day_caps import DayCaps
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from databases import rows
from engine.world import MINUTES, World, world
from factories import MONDAY_NOON, SENDER, make_definition, make_list, number

DAY_SECONDS = 86_400
PACIFIC = "America/Los_Angeles"
DAYS = Tuning(tick_seconds=3600.0, lease_seconds=4 * 3600.0)
"""Seldom enough for days."""


async def limit(w: World, allowance: Allowance, trunk: Allowance = UNLIMITED) -> None:
    now = w.clock.now()
    sender = await w.store.apps.find_sender(w.app.no, SENDER, now)
    assert sender is not None
    await w.store.senders.change(w.app.no, sender.id, {"allowance": allowance}, w.clock.now())
    (of_app,) = await w.store.apps.trunks(w.app.no)
    await w.store.trunks.change(w.app.no, of_app.id, {"allowance": trunk}, now)


async def begin(w: World, clock: VirtualClock, contacts: int, text: str = "Hello"):
    people = await make_list(w.store, w.app, clock, contacts)
    campaign = await w.store.campaigns.create(w.app.no, make_definition([people]), clock.now(), unique_names=True)
    return await w.run_campaign(campaign, text)


async def held_by(w: World, campaign: Campaign) -> UsedUp | None:
    """Say which cap holds a campaign's run back, as any node reads it in the store."""
    assert campaign.run_no is not None
    going_on = await w.store.runs.by_no(campaign.run_no)
    assert going_on is not None
    caps = shared_caps(going_on)
    return used_up(going_on, caps, await w.store.day_uses.of(w.app.no, caps, w.clock.now()))


def by_day(w: World, zone: str = "UTC") -> list[int]:
    days = Counter[object]()
    for message in w.sent():
        days[message.accepted_at.astimezone(ZoneInfo(zone)).date()] += message.segments
    return [days[day] for day in sorted(days, key=str)]


def test_a_cap_is_used_to_its_last_segment_each_day_and_never_passed(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=DAYS) as w:
            await limit(w, Allowance(segments_per_day=70, reset_zone=PACIFIC))
            campaign = await begin(w, clock, 180)
            await w.until(campaign, Status.completed, longest_seconds=3 * DAY_SECONDS, step=600)

            assert by_day(w, PACIFIC) == [70, 70, 40]
            assert len({message.to for message in w.sent()}) == 180

    run(main, start=MONDAY_NOON)


def test_answers_spend_the_day_too_and_those_that_find_none_left_are_dropped(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=DAYS) as w:
            await limit(w, Allowance(segments_per_day=70), Allowance(segments_per_day=68))
            (trunk,) = await w.store.apps.trunks(w.app.no)
            said = [Inbound(f"in-{i}", number(1000 + i), SENDER, "HELP", clock.now()) for i in range(3)]
            await w.conductor.hearing(trunk).hear(said)
            await clock.sleep(10)
            assert len(w.sent()) == 3

            campaign = await begin(w, clock, 90)
            await clock.sleep(600)
            assert len(w.sent()) == 68, "what the answers took is not there for the campaign"
            late = Inbound("late", number(2000), SENDER, "STOP", clock.now())
            await w.conductor.hearing(trunk).hear([late])
            await clock.sleep(600)
            assert await rows(w.store, "select code from reply where state = 'expired'") == [("late",)]
            await w.until(campaign, Status.completed, longest_seconds=3 * DAY_SECONDS, step=600)
            assert by_day(w) == [68, 25]

    run(main, start=MONDAY_NOON)


def test_an_answer_leaves_as_soon_as_a_campaign_gives_back_what_it_held_of_the_day(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            await limit(w, Allowance(segments_per_day=50))
            sender = await w.store.apps.find_sender(w.app.no, SENDER, clock.now())
            assert sender is not None
            held = DayCaps(w.store.hot, w.app.no, capped(buckets_of(sender.id, Allowance(segments_per_day=50))))
            assert await held.reserve(50, clock.now()) == 50
            (trunk,) = await w.store.apps.trunks(w.app.no)
            await w.conductor.hearing(trunk).hear([Inbound("in-1", number(1), SENDER, "STOP", clock.now())])
            await clock.sleep(10)
            assert w.sent() == []
            await held.give_back()
            await clock.sleep(10)
            assert len(w.sent()) == 1

    run(main, start=MONDAY_NOON)


def test_the_caps_of_sender_and_trunk_hold_together_and_with_a_rate(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=DAYS) as w:
            trunk = Allowance(segments_per_second=2, segments_per_day=40)
            await limit(w, Allowance(segments_per_second=5, segments_per_day=50), trunk)
            campaign = await begin(w, clock, 60)
            await w.until(campaign, Status.completed, longest_seconds=3 * DAY_SECONDS, step=600)

            sent = w.sent()
            assert by_day(w) == [40, 20]
            assert sent[39].accepted_at - sent[0].accepted_at >= timedelta(seconds=39 / 2)

    run(main, start=MONDAY_NOON)


def test_a_restart_neither_loses_nor_doubles_what_is_left_of_a_day(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=DAYS) as w:
            await limit(w, Allowance(segments_per_second=1, segments_per_day=60))
            campaign = await begin(w, clock, 100)
            for _ in range(5):
                await clock.sleep(7)
                await w.conductor.stop()
                await w.start()
            await w.until(campaign, Status.completed, longest_seconds=3 * DAY_SECONDS, step=600)

            assert by_day(w) == [60, 40]

    run(main, start=MONDAY_NOON)


def test_a_message_that_the_day_has_no_room_for_waits_as_a_whole(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=DAYS) as w:
            await limit(w, Allowance(segments_per_day=10))
            campaign = await begin(w, clock, 5, "x" * 400)
            await clock.sleep(60)
            held = await held_by(w, campaign)
            assert held is not None
            assert held.until == bounds_of_day("UTC", clock.now())[1]
            await w.until(campaign, Status.completed, longest_seconds=3 * DAY_SECONDS, step=600)

            assert by_day(w) == [9, 6]

    run(main, start=MONDAY_NOON)


def test_who_is_kept_to_the_next_day_is_told_until_when_and_no_longer(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=DAYS) as w:
            await limit(w, Allowance(segments_per_day=50), Allowance(segments_per_day=37, reset_zone=PACIFIC))
            campaign = await begin(w, clock, 60)
            await clock.sleep(60)
            held = await held_by(w, campaign)

            assert held is not None
            (trunk,) = await w.store.apps.trunks(w.app.no)
            assert (held.what, held.until) == (trunk.id, bounds_of_day(PACIFIC, clock.now())[1])
            assert len(w.sent()) == 37
            await clock.sleep((held.until - clock.now()).total_seconds() - 1)
            assert len(w.sent()) == 37
            await w.until(campaign, Status.completed, longest_seconds=DAY_SECONDS, step=600)
            assert await held_by(w, campaign) is None

    run(main, start=MONDAY_NOON)


def test_a_cap_that_is_raised_lets_go_on_at_once(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=MINUTES) as w:
            capped = Allowance(segments_per_day=10)
            await limit(w, capped)
            campaign = await begin(w, clock, 30)
            await clock.sleep(60)
            assert len(w.sent()) == 10
            assert await held_by(w, campaign) is not None
            await limit(w, replace(capped, segments_per_day=1000))
            assert await held_by(w, campaign) is None
            w.conductor.wake()
            await w.until(campaign, Status.completed, longest_seconds=120)

            assert len(w.sent()) == 30

    run(main, start=MONDAY_NOON)
