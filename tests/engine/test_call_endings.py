"""What ends a call, or lets it go on: leases, those who forbid, machines, a process that ends, and one that dies."""

import asyncio
from pathlib import Path

import pytest

from callsheet.core.campaign import Campaign, MachineDetection, Move, Status
from callsheet.engine.holds import Scope
from engine.calls import call, called, codes, placed, play
from engine.world import World
from factories import forbid, number
from phone_numbers import numbers

SILENT = numbers("IN", 2, ending="9922")
PERSON = number(1)


async def ringing(w: World, count: int) -> None:
    """Wait until so many calls go on."""
    while len(w.phones.living()) < count:
        await w.clock.sleep(0.1)


async def moved(w: World, campaign: Campaign, what: Move) -> None:
    """Do what the API does with a campaign that runs."""
    done = await w.store.campaigns.move(campaign, what, w.clock.now())
    await w.conductor.forbid(Scope(campaign.app, done.run_no))
    w.conductor.wake()


def test_a_phone_rings_on_when_the_lease_of_its_arm_would_be_over(tmp_path: Path):
    async def main(w: World) -> None:
        await called(w, SILENT[:1], ring_seconds=120)

        assert await codes(w, SILENT[0]) == [(1, "undelivered", "no_answer")]
        (entry,) = await placed(w)
        assert entry.to == SILENT[0]

    play(tmp_path, main)


def test_a_stop_takes_back_what_rings_and_a_pause_does_not(tmp_path: Path):
    async def main(w: World) -> None:
        campaign = await call(w, SILENT, ring_seconds=60, max_attempts=3)
        await ringing(w, 2)
        await moved(w, campaign, Move.pause)
        await w.clock.sleep(10)
        assert len(w.phones.living()) == 2

        await moved(w, campaign, Move.stop)
        await w.clock.sleep(1)

        assert not w.phones.living()
        for to in SILENT:
            assert await codes(w, to) == [(1, "undelivered", "cancelled")]

    play(tmp_path, main)


def test_who_is_put_on_a_list_while_the_phone_rings_is_rung_no_more(tmp_path: Path):
    spared, other = SILENT

    async def main(w: World) -> None:
        dnc = await w.store.dnc_lists.create(w.app.no, "Never", w.clock.now())
        await w.store.dnc_lists.make_global(dnc, w.clock.now())
        await call(w, SILENT, ring_seconds=60)
        await ringing(w, 2)

        await forbid(w.store, w.app, dnc.no, [spared])
        await w.conductor.forbid(Scope(w.app.no))
        await w.clock.sleep(1)

        assert len(w.phones.living()) == 1
        assert await codes(w, spared) == [(1, "undelivered", "cancelled")]
        assert await codes(w, other) == []

    play(tmp_path, main)


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        (MachineDetection.no, [(1, "delivered", "human")]),
        (MachineDetection.detect, [(1, "accepted", "answered"), (1, "delivered", "machine")]),
        (
            MachineDetection.disconnect,
            [
                (1, "accepted", "answered"), (1, "undelivered", "machine"),
                (2, "accepted", "answered"), (2, "undelivered", "machine"),
            ],
        ),
    ],
)  # fmt: skip
def test_a_machine_is_told_and_may_be_hung_up_on_and_called_again(
    tmp_path: Path, detection: MachineDetection, expected: list[tuple[int, str, str]]
):
    (to,) = numbers("IN", 1, ending="9924")

    async def main(w: World) -> None:
        await called(w, [to], detection=detection, max_attempts=2, retry_minutes=5)

        assert await codes(w, to) == expected

    play(tmp_path, main)


def test_an_engine_that_stops_takes_back_what_rings(tmp_path: Path):
    async def main(w: World) -> None:
        await call(w, SILENT, ring_seconds=60)
        await ringing(w, 2)

        await w.conductor.stop()

        for to in SILENT:
            assert await codes(w, to) == [(1, "undelivered", "cancelled")]
        await w.start()

    play(tmp_path, main)


def test_a_call_outlives_the_process_that_placed_it_and_nobody_is_called_twice(tmp_path: Path):
    async def main(w: World) -> None:
        campaign = await call(w, [SILENT[0], PERSON], ring_seconds=30)
        await ringing(w, 2)
        # It dies: its tasks end where they are, and nothing more is written.
        before, phones = w.conductor, w.phones
        await kill(w)

        await w.start()
        await w.until(campaign, Status.completed, longest_seconds=600)
        await w.clock.sleep(60)

        assert (await codes(w, SILENT[0]))[-1] == (1, "undelivered", "no_answer")
        assert (await codes(w, PERSON))[-1] == (1, "delivered", "human")
        assert [one.to for one in await placed(w)] == [SILENT[0], PERSON]
        del before, phones

    play(tmp_path, main)


async def kill(w: World) -> None:
    """End all that this engine does, as a SIGKILL would: the simulated network goes on from its ledger."""
    mine = asyncio.current_task()
    for task in asyncio.all_tasks():
        if task is not mine:
            task.cancel()
    await asyncio.sleep(0)
    w.phones.shut()
