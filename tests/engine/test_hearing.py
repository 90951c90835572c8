"""Whoever speaks for a trunk speaks of its own app only."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from callsheet import meters
from callsheet.carriers.base import Receipt
from callsheet.core.attempt import Kind
from callsheet.core.campaign import Status
from callsheet.core.errors import Unavailable
from callsheet.core.ids import encode_attempt
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import world
from factories import MONDAY_NOON, make_app, make_campaign, make_list


def test_a_receipt_that_names_another_apps_attempt_changes_nothing(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = await make_list(w.store, w.app, clock, 1)
            campaign = await w.run_campaign(await make_campaign(w.store, w.app, clock, [people]))
            campaign = await w.until(campaign, Status.completed, longest_seconds=60)
            assert campaign.run_no is not None
            neighbour = await make_app(w.store, clock, name="Neighbour")
            (trunk,) = await w.store.apps.trunks(neighbour.no)
            (attempt,) = await w.store.reports.attempts(w.app.no, campaign.run_no)
            named = encode_attempt(campaign.run_no, attempt.person, attempt.n)
            unknown = meters.unknown_receipts._value.get()

            await w.conductor.hearing(trunk).hear([Receipt(named, "x", Kind.undelivered, clock.now(), "forged")])

            (after,) = await w.store.reports.attempts(w.app.no, campaign.run_no)
            assert "forged" not in [event.code for event in after.events]
            assert meters.unknown_receipts._value.get() == unknown + 1

            (own,) = await w.store.apps.trunks(w.app.no)
            await w.conductor.hearing(own).hear([Receipt(named, "x", Kind.undelivered, clock.now(), "off")])
            (after,) = await w.store.reports.attempts(w.app.no, campaign.run_no)
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
