"""Schedules that run, in virtual time: the right wall time, once, over changes of clocks and restarts."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from callsheet.clock import SystemClock
from callsheet.core import recurrence
from callsheet.core.campaign import Campaign, Move, Status
from callsheet.core.run import AppSettings, Run
from callsheet.core.schedule import Schedule
from callsheet.engine import campaigns, eraser, schedules
from callsheet.engine.calling import call_records
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.runs import Wanted
from databases import Place, change
from engine.test_two_engines import engine
from engine.world import World, world
from factories import StillClock, change_settings, hours, make_app, make_definition, make_list

MONDAY = datetime(2027, 1, 4, 6, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LAZY = Tuning(tick_seconds=7 * 86_400.0, lease_seconds=7 * 86_400.0)
"""Nothing is looked at but what is known to come."""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a year go by without half a million looks for lists to erase, and one an hour for calls of the dead."""
    monkeypatch.setattr(eraser, "TICK_SECONDS", LAZY.tick_seconds)
    monkeypatch.setattr(call_records, "ALONE_SECONDS", LAZY.tick_seconds)


def wall(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


async def make(w: World, people: int = 2, **changes: object) -> Campaign:
    definition = make_definition([await make_list(w.store, w.app, w.clock, people)], **changes)
    return await w.store.campaigns.create(w.app.no, definition, w.clock.now(), unique_names=True)


async def found(w: World, campaign: Campaign) -> Campaign:
    again = await w.store.campaigns.find(campaign.app, campaign_id=campaign.id)
    assert again is not None
    return again


async def runs_of(w: World, campaign: Campaign) -> Sequence[Run]:
    """Return the runs, oldest first."""
    return (await w.store.runs.of_app(campaign.app, wanted=Wanted(campaign.no), before=None, limit=1000))[::-1]


async def outcome(w: World, campaign: Campaign) -> tuple[str, Status]:
    again = await found(w, campaign)
    return (again.plan.last_outcome if again.plan is not None else "none"), again.status


@pytest.mark.parametrize(
    ("zone", "first", "days", "left_out"),
    [
        ("Europe/Berlin", wall(2027, 3, 22), 14, 1),
        ("Europe/Berlin", wall(2027, 10, 25), 14, 0),
        pytest.param("Europe/Berlin", wall(2027, 1, 4), 366, 1, marks=pytest.mark.full),
        pytest.param("America/New_York", wall(2027, 1, 4), 366, 1, marks=pytest.mark.full),
    ],
)
def test_mornings_over_changes_of_clocks_with_restarts(
    tmp_path: Path, zone: str, first: datetime, days: int, left_out: int
) -> None:
    last = first + days * DAY

    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=LAZY) as w:
            campaign = await make(w, people=1)
            # In the night of a change this wall time is left out once and comes twice once.
            schedule = Schedule(zone, first + timedelta(hours=2, minutes=30), last, recurrence.daily(1))
            await schedules.put(w.runtime, w.app, campaign, schedule)
            rng = random.Random(11)
            while clock.now() < last + DAY:
                await clock.sleep(rng.uniform(0.2, 9) * 86_400)
                await w.conductor.stop()
                await w.start()

            starts = [one.started_at.astimezone(ZoneInfo(zone)) for one in await runs_of(w, campaign)]
            assert [start.date() for start in starts] == [(first + n * DAY).date() for n in range(days)]
            odd = [start for start in starts if (start.hour, start.minute) != (2, 30)]
            assert [(start.hour, start.minute) for start in odd] == [(3, 0)] * left_out
            assert all(start.fold == 0 for start in starts)
            assert w.ledger.count() == days
            assert await outcome(w, campaign) == ("started", Status.completed)

    run(main, start=first - DAY)


def test_every_second_week_until_the_end(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=LAZY) as w:
            campaign = await make(w)
            rule = recurrence.weekly(2, (0, 3))
            schedule = Schedule("Asia/Kolkata", wall(2027, 1, 4, 18), wall(2027, 2, 5), rule)
            assert (await schedules.put(w.runtime, w.app, campaign, schedule)).status is Status.scheduled
            await clock.sleep(10 * 86_400)
            assert (await found(w, campaign)).status is Status.rescheduled
            await clock.sleep(60 * 86_400)

            dates = [one.started_at.strftime("%m-%d %H:%M") for one in await runs_of(w, campaign)]
            assert dates == [f"{day} 12:30" for day in ("01-04", "01-07", "01-18", "01-21", "02-01", "02-04")]
            assert w.ledger.count() == 12, "each run begins again with the whole list"
            assert (await found(w, campaign)).status is Status.completed

    run(main, start=MONDAY)


@pytest.mark.parametrize(("away_minutes", "runs", "expected"), [(59, 1, "started"), (62, 0, "missed")])
def test_a_server_that_was_away_starts_what_is_not_too_late(
    tmp_path: Path, away_minutes: int, runs: int, expected: str
) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=LAZY) as w:
            campaign = await make(w)
            await schedules.put(w.runtime, w.app, campaign, Schedule("UTC", MONDAY + MINUTE))
            await w.conductor.stop()
            await clock.sleep((away_minutes + 1) * 60)
            await w.start()
            await clock.sleep(60)

            assert len(await runs_of(w, campaign)) == runs
            status = Status.completed if runs else Status.ready
            assert await outcome(w, campaign) == (expected, status)

    run(main, start=MONDAY)


def test_a_week_away_is_made_up_for_by_one_run_at_most(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=LAZY) as w:
            campaign = await make(w)
            schedule = Schedule("UTC", MONDAY + HOUR, rule=recurrence.daily(1), lateness_minutes=30)
            await schedules.put(w.runtime, w.app, campaign, schedule)
            await w.conductor.stop()
            await clock.sleep(7 * 86_400 + 3600 + 20 * 60)
            await w.start()
            await clock.sleep(3600)

            (only,) = await runs_of(w, campaign)
            assert only.started_at >= MONDAY + 7 * DAY
            assert (await found(w, campaign)).plan.next_at == MONDAY + 8 * DAY + HOUR  # type: ignore[union-attr]

    run(main, start=MONDAY)


def test_a_start_that_is_refused_at_its_time_is_noted_and_the_next_one_comes(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=LAZY) as w:
            contact_list = await make_list(w.store, w.app, clock, 3)
            first, second = [
                await w.store.campaigns.create(
                    w.app.no, make_definition([contact_list], sender=sender), clock.now(), unique_names=True
                )
                for sender in ("+12125550101", "+12125550102")
            ]
            await w.limit(first, 0.0001)
            await campaigns.start(w.runtime, w.app, first)
            await schedules.put(w.runtime, w.app, second, Schedule("UTC", MONDAY + HOUR, rule="FREQ=DAILY;COUNT=2"))
            await clock.sleep(3660)
            assert await outcome(w, second) == ("list_in_use", Status.scheduled)
            assert (await found(w, second)).plan.last_reason.startswith("Another running campaign")  # type: ignore[union-attr]

            await campaigns.move(w.runtime, first, Move.stop)
            await clock.sleep(86_400)
            assert await outcome(w, second) == ("started", Status.completed)

    run(main, start=MONDAY)


def test_an_occurrence_that_comes_while_the_run_before_goes_on_is_skipped(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=LAZY) as w:
            campaign = await make(w, people=3)
            await w.limit(campaign, 1 / 3600)
            await schedules.put(w.runtime, w.app, campaign, Schedule("UTC", MONDAY + HOUR, rule="FREQ=HOURLY;COUNT=4"))
            await clock.sleep(2.5 * 3600)
            assert await outcome(w, campaign) == ("still_running", Status.active)
            await w.until(campaign, Status.completed, Status.rescheduled, longest_seconds=4 * 3600, step=60)
            assert len(await runs_of(w, campaign)) <= 2

    run(main, start=MONDAY)


def test_a_run_ends_with_its_occurrence_and_nothing_leaves_afterwards(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=LAZY) as w:
            campaign = await make(w, people=300)
            await w.limit(campaign, 0.1)
            schedule = Schedule("UTC", MONDAY + HOUR, rule=recurrence.daily(1), duration_minutes=30)
            await schedules.put(w.runtime, w.app, campaign, schedule)
            await clock.sleep(3600 + 31 * 60)

            (only,) = await runs_of(w, campaign)
            assert (only.status, (await found(w, campaign)).status) == (Status.completed, Status.rescheduled)
            assert only.ended_at == MONDAY + HOUR + 30 * MINUTE
            sent = w.sent()
            assert 150 <= len(sent) <= 181
            await clock.sleep(7200)
            assert w.sent() == sent
            assert max(message.accepted_at for message in sent) < MONDAY + HOUR + 30 * MINUTE

    run(main, start=MONDAY)


def test_the_time_of_an_occurrence_goes_before_the_calling_hours_only_where_both_say_so(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        settings = AppSettings(recurrence_precedence=True)
        async with world(clock, tmp_path, tuning=LAZY, settings=settings) as w:
            evenings = hours("UTC", 20 * 60, 21 * 60)
            plain = Schedule("UTC", MONDAY + HOUR, duration_minutes=60)
            over = replace(plain, start=MONDAY + 3 * HOUR, recurrence_precedence=True)
            campaign = await make(w, hours=evenings)
            await schedules.put(w.runtime, w.app, campaign, plain)
            await clock.sleep(2.5 * 3600)
            assert w.ledger.count() == 0
            await schedules.put(w.runtime, w.app, campaign, over)
            await clock.sleep(3600)
            assert w.ledger.count() == 2

            other = await make(w, hours=evenings)
            await schedules.put(w.runtime, w.app, other, replace(over, start=MONDAY + 9 * HOUR))
            w.app = await change_settings(w.store, w.app, AppSettings())
            await clock.sleep(8 * 3600)
            assert len(await runs_of(w, other)) == 1
            assert w.ledger.count() == 2, "the app took its permission back"

    run(main, start=MONDAY)


def test_a_recurrence_for_the_unreached_contacts_nobody_twice(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=LAZY) as w:
            campaign = await make(w, people=100)
            await w.limit(campaign, 1 / 30)
            schedule = Schedule(
                "UTC", MONDAY + HOUR, rule="FREQ=DAILY;COUNT=4", duration_minutes=20, only_unreached=True
            )
            await schedules.put(w.runtime, w.app, campaign, schedule)
            await clock.sleep(5 * 86_400)

            taken = [message.to for message in w.sent()]
            assert len(taken) == len(set(taken)) == 100
            assert len(await runs_of(w, campaign)) == 4

    run(main, start=MONDAY)


def test_one_that_breaks_does_not_stand_in_the_way_of_the_others(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=LAZY) as w:
            broken, sound = await make(w), await make(w)
            for campaign in (broken, sound):
                await schedules.put(w.runtime, w.app, campaign, Schedule("UTC", MONDAY + MINUTE))
            begin = w.conductor.starter.begin

            async def breaks(campaign: Campaign, now: datetime) -> None:
                if campaign.id == broken.id and now < MONDAY + 10 * MINUTE:
                    raise RuntimeError("a fault of ours")
                await begin(campaign, now)

            w.conductor.starter.begin = breaks
            await clock.sleep(120)
            assert await outcome(w, sound) == ("started", Status.completed)
            assert (await found(w, broken)).status is Status.scheduled
            await clock.sleep(600)
            assert await outcome(w, broken) == ("started", Status.completed)

    run(main, start=MONDAY)


@pytest.mark.parametrize(
    "damage",
    [
        "update schedule set document = '{torn' where campaign_no <> :sound",
        "update campaign_version set definition = '{\"name\": 1}' where campaign_no <> :sound",
    ],
)
def test_however_many_cannot_be_read_the_others_start_and_it_is_said_once(tmp_path: Path, damage: str) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=LAZY) as w:
            torn, sound = [await make(w, 1) for _ in range(101)], await make(w)
            for campaign in (*torn, sound):
                await schedules.put(w.runtime, w.app, campaign, Schedule("UTC", MONDAY + MINUTE))
            await change(w.store, damage, sound=sound.no)
            with capture_logs() as logs:
                await clock.sleep(90)
            assert await outcome(w, sound) == ("started", Status.completed)
            assert w.ledger.count() == 2
            broke = [line["campaign"] for line in logs if line["event"] == "schedule.broke"]
            assert sorted(broke) == sorted(campaign.id for campaign in torn)

    run(main, start=MONDAY)


async def test_two_engines_start_an_occurrence_once(postgres_place: Place, tmp_path: Path) -> None:
    clock = SystemClock()
    store = await postgres_place.open()
    app = await make_app(store, clock)
    async with engine(postgres_place, app, tmp_path / "a", 1) as a, engine(postgres_place, app, tmp_path / "b", 2) as b:
        made = []
        start = (clock.now() + timedelta(seconds=3)).replace(microsecond=0)
        # However long it takes to write them all down: a start that has come by then is a little late.
        planning = replace(a.runtime, clock=StillClock(clock.now()))
        for _ in range(10):
            definition = make_definition([await make_list(store, app, clock, 3)])
            campaign = await store.campaigns.create(app.no, definition, clock.now(), unique_names=True)
            made.append(await schedules.put(planning, app, campaign, Schedule("UTC", start)))
        b.conductor.starter.wake()
        async with asyncio.timeout(60):
            for campaign in made:
                while (await found(a, campaign)).status is not Status.completed:
                    await asyncio.sleep(0.1)
        assert [len(await runs_of(a, campaign)) for campaign in made] == [1] * 10
        assert a.ledger.count() + b.ledger.count() == 30
