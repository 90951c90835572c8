"""Whoever speaks for a trunk speaks of its own app only."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callsheet import meters
from callsheet.carriers.base import Inbound, Receipt
from callsheet.core.attempt import Kind
from callsheet.core.campaign import Status
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.core.matching import day_of
from callsheet.engine.virtual_time import VirtualClock, run
from databases import rows
from engine.world import World, world
from factories import MONDAY_NOON, make_app, make_campaign, make_list


async def text_somebody(w: World, clock: VirtualClock) -> AttemptKey:
    """Let a campaign text one person to its end, and return the attempt."""
    people = await make_list(w.store, w.app, clock, 1)
    campaign = await w.run_campaign(await make_campaign(w.store, w.app, clock, [people]))
    campaign = await w.until(campaign, Status.completed, longest_seconds=60)
    assert campaign.run_no is not None
    (attempt,) = await w.store.reports.attempts(w.app.no, campaign.run_no)
    return AttemptKey(campaign.run_no, attempt.person, attempt.n)


def test_a_receipt_that_names_another_apps_attempt_changes_nothing(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            key = await text_somebody(w, clock)
            neighbour = await make_app(w.store, clock, name="Neighbour")
            (trunk,) = await w.store.apps.trunks(neighbour.no)
            named = encode_attempt(*key)
            unknown = meters.unknown_receipts._value.get()

            await w.conductor.hearing(trunk).hear([Receipt(named, "x", Kind.undelivered, clock.now(), "forged")])

            (after,) = await w.store.reports.attempts(w.app.no, key.run_no)
            assert "forged" not in [event.code for event in after.events]
            assert meters.unknown_receipts._value.get() == unknown + 1

            (own,) = await w.store.apps.trunks(w.app.no)
            await w.conductor.hearing(own).hear([Receipt(named, "x", Kind.undelivered, clock.now(), "off")])
            (after,) = await w.store.reports.attempts(w.app.no, key.run_no)
            assert "off" in [event.code for event in after.events]

    run(main, start=MONDAY_NOON)


def test_what_carriers_tell_again_and_again_while_the_store_is_away_does_not_pile_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            monkeypatch.setattr("callsheet.engine.recorder.MOST_UNRECORDED", 5)
            (trunk,) = await w.store.apps.trunks(w.app.no)
            hearing, recorder = w.conductor.hearing(trunk), w.conductor.recorder
            told = [Receipt("", "9", Kind.delivered, clock.now(), "")]
            record, away = w.store.hot.record, True

            async def record_or_fail(*batch: Any) -> Any:
                if away:
                    raise Unavailable
                return await record(*batch)

            monkeypatch.setattr(w.store.hot, "record", record_or_fail)
            refused = 0
            for _ in range(50):
                try:
                    async with asyncio.timeout(1):
                        await hearing.hear(told)
                except TimeoutError:
                    pass
                except Unavailable:
                    refused += 1
            assert refused >= 40
            assert recorder.is_full

            away = False
            await clock.sleep(5)
            await hearing.hear(told)
            assert not recorder.is_full

    run(main, start=MONDAY_NOON)


def test_a_stop_is_heard_though_the_receipts_that_come_with_it_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            (trunk,) = await w.store.apps.trunks(w.app.no)
            monkeypatch.setattr("callsheet.engine.recorder.MOST_UNRECORDED", 0)
            stop = Inbound("in-1", "+12125550100", "+12125550111", "STOP", clock.now())
            with pytest.raises(Unavailable):
                await w.conductor.hearing(trunk).hear([Receipt("", "9", Kind.delivered, clock.now(), ""), stop])
            assert len(await rows(w.store, "select * from opt_out")) == 1

    run(main, start=MONDAY_NOON)


def test_receipts_are_stored_while_a_stop_waits_for_what_is_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            (trunk,) = await w.store.apps.trunks(w.app.no)
            hearing = w.conductor.hearing(trunk)
            released = asyncio.Event()

            async def wait(_: object) -> None:
                await released.wait()

            monkeypatch.setattr(hearing._listener, "_forbid", wait)
            stop = Inbound("in-1", "+12125550100", "+12125550111", "STOP", clock.now())
            hears = asyncio.create_task(hearing.hear([Receipt("", "9", Kind.delivered, clock.now(), ""), stop]))
            await clock.sleep(5)
            assert not hears.done()
            assert len(await rows(w.store, "select * from parked_receipt")) == 1
            released.set()
            await hears

    run(main, start=MONDAY_NOON)


def test_the_ids_of_a_late_answer_outlive_a_batch_that_brings_nothing_else(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            (trunk,) = await w.store.apps.trunks(w.app.no)
            key, recorder = AttemptKey(1, b"x" * 16, 1), w.conductor.recorder

            recorder.expect(w.conductor.hearing(trunk).expect(key, ("abc",), clock.now()))
            await recorder.flush()

            assert [row.carrier_id for row in await rows(w.store, "select carrier_id from carried")] == ["abc"]

    run(main, start=MONDAY_NOON)


def test_a_late_answer_that_is_heard_behind_a_midnight_is_remembered_under_the_day_of_the_first(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            (trunk,) = await w.store.apps.trunks(w.app.no)
            key, hearing = await text_somebody(w, clock), w.conductor.hearing(trunk)
            w.conductor.recorder.expect(hearing.expect(key, ("abc", ""), clock.now()))
            await w.conductor.recorder.flush()

            late = Receipt(encode_attempt(*key), "abc", Kind.accepted, clock.now() + timedelta(days=1), "late")
            await hearing.hear([late._replace(part_ids=("abc", "def"))])

            kept = await rows(w.store, "select day from carried where carrier_id in ('abc', 'def')")
            assert [row.day for row in kept] == [day_of(clock.now())] * 2

    run(main, start=MONDAY_NOON)
