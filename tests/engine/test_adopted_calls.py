"""Calls that outlive the process that placed them: each ends in what is true, comes again once, and holds its run."""

import itertools
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from calling import PlainPrompts
from callsheet.core.campaign import MachineDetection, Status, UncertainPolicy
from callsheet.core.errors import Unavailable
from callsheet.core.run import AppSettings
from callsheet.voice.sandbox.ledger import PlacedCall
from conversing import make_flow
from databases import rows
from engine.calls import call, codes, placed, play
from engine.test_call_endings import kill, ringing
from engine.test_phone_talk import PAYMENT
from engine.world import World
from factories import number
from phone_numbers import numbers

SILENT, OTHER = numbers("IN", 2, ending="9922")
(MACHINE,) = numbers("IN", 1, ending="9924")
PERSON = number(1)
PERIOD = timedelta(minutes=10)
AT_LEAST_ONCE = AppSettings(uncertain_policy=UncertainPolicy.at_least_once)


def overlap(calls: Sequence[PlacedCall]) -> list[PlacedCall]:
    """Return the calls to a number that were placed while the one before it went on."""
    pairs = itertools.pairwise(calls)
    return [later for earlier, later in pairs if earlier.ended_at is None or later.placed_at < earlier.ended_at]


async def of(w: World, to: str) -> list[PlacedCall]:
    return [one for one in await placed(w) if one.to == to]


async def open_calls(w: World) -> int:
    return len(await rows(w.store, "select 1 from call where ended_at = 0"))


@pytest.mark.parametrize("settings", [AppSettings(), AT_LEAST_ONCE])
def test_a_phone_that_rings_on_while_we_restart_is_called_again_once_after_its_period(
    tmp_path: Path, settings: AppSettings
):
    async def main(w: World) -> None:
        campaign = await call(w, [SILENT], ring_seconds=60, max_attempts=2, retry_minutes=10)
        await ringing(w, 1)
        await w.clock.sleep(1)
        await kill(w)
        await w.start()
        await w.until(campaign, Status.completed, longest_seconds=3600, step=10)

        assert [told for told in await codes(w, SILENT) if told[1] != "uncertain"] == [
            (1, "undelivered", "no_answer"), (2, "undelivered", "no_answer"),
        ]  # fmt: skip
        first, second = await of(w, SILENT)
        assert first.ended_at is not None
        assert PERIOD <= second.placed_at - first.ended_at < PERIOD + timedelta(seconds=30)
        assert not await open_calls(w)

    play(tmp_path, main, settings=settings)


@pytest.mark.parametrize(
    ("to", "after", "expected", "outcome"),
    [
        (SILENT, None, [(1, "uncertain", "uncertain")], "uncertain"),
        (MACHINE, "accepted", [(1, "accepted", "answered"), (1, "delivered", "lost")], "lost"),
        (PERSON, "delivered", [(1, "accepted", "answered"), (1, "delivered", "human")], "human"),
    ],
)
def test_a_call_of_which_both_ends_died_ends_in_what_is_true_and_its_run_completes(
    tmp_path: Path, to: str, after: str | None, expected: list[tuple[int, str, str]], outcome: str
):
    """It rings; it was answered, and nobody knows by whom; somebody talks."""

    async def main(w: World) -> None:
        flow = await make_flow(w.store, w.app, PAYMENT)
        campaign = await call(w, [to], ring_seconds=60, detection=MachineDetection.detect, flow=flow)
        await ringing(w, 1)
        while after is not None and after not in [kind for _, kind, _ in await codes(w, to)]:
            await w.clock.sleep(0.1)
        assert await open_calls(w) == 1
        await kill(w)
        shutil.rmtree(tmp_path / "phones")
        await w.start()
        await w.until(campaign, Status.completed, longest_seconds=120)

        assert await codes(w, to) == expected
        (row,) = await rows(w.store, "select outcome, ended_at from call")
        assert (row.outcome, row.ended_at > 0) == (outcome, True)
        endings = [row.ending for row in await rows(w.store, "select ending from flow_session")]
        assert endings == (["hung_up"] if after == "delivered" else [])

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_a_store_that_is_away_longer_than_a_lease_makes_no_second_call(tmp_path: Path):
    async def main(w: World) -> None:
        campaign = await call(w, [SILENT], ring_seconds=120)
        await ringing(w, 1)
        renew = w.store.hot.renew

        async def away(*_: object) -> None:
            raise Unavailable

        w.store.hot.renew = away  # type: ignore[method-assign]
        await w.clock.sleep(w.tuning.lease_seconds)
        # Now the lease has run out, and the store is back before the reaper looks the next time.
        w.store.hot.renew = renew  # type: ignore[method-assign]
        await w.until(campaign, Status.completed, longest_seconds=600)

        assert await codes(w, SILENT) == [(1, "undelivered", "no_answer")]
        assert len(await placed(w)) == 1

    play(tmp_path, main, settings=AT_LEAST_ONCE)


def test_who_is_in_doubt_is_not_called_again_while_the_call_goes_on(tmp_path: Path):
    async def main(w: World) -> None:
        campaign = await call(w, [SILENT, OTHER], ring_seconds=120)
        await ringing(w, 2)
        await w.clock.sleep(1)
        # As another node would, that takes this one for dead.
        doubted = await w.store.hot.reap(w.conductor.node_no + 1, w.rng.random, all_arms=False)
        assert doubted == 0
        await w.clock.sleep(1)
        w.conductor.holds.lasting = set  # type: ignore[method-assign]
        await w.until(campaign, Status.completed, longest_seconds=600)

        for to in (SILENT, OTHER):
            told = await codes(w, to)
            assert (1, "uncertain", "lease_ran_out") in told
            assert told[-1] == (1, "undelivered", "no_answer")
            assert len(await of(w, to)) == 1
            assert not overlap(await of(w, to))

    play(tmp_path, main, settings=AT_LEAST_ONCE)
