"""A reply that a carrier tells again, to whomever, gets one answer; whoever says the same twice gets two."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from callsheet.carriers.base import Acknowledged, Inbound
from callsheet.core.part import Part
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import World, taken, world
from factories import MONDAY_NOON, SENDER, number, trunk_of

TUNING = Tuning(tick_seconds=5.0)


async def hear(w: World, *heard: Inbound | Acknowledged) -> None:
    trunk = await trunk_of(w.store, w.app)
    await w.conductor.hearing(trunk).hear(heard)


def said(
    w: World, teller: str, text: str = "1", to: str = number(0), sender: str = SENDER, part: Part | None = None
) -> Inbound:
    name = f"{teller}-{w.rng.getrandbits(64)}"
    return Inbound(name, to, sender, text, w.clock.now(), part, teller=teller)


async def flow(w: World) -> Sequence[str]:
    """Return what is taken from what waits, as it is taken."""
    return taken(w)


def test_a_flow_gets_once_what_another_connection_tells_again(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            got = await flow(w)
            await hear(w, said(w, "before"))
            await clock.sleep(20)
            await hear(w, said(w, "after"))
            await clock.sleep(5)
            assert got == ["1"]
            await clock.sleep(120)
            await hear(w, said(w, "after"))
            await clock.sleep(5)
            assert got == ["1", "1"]

    run(main, start=MONDAY_NOON)


def test_whoever_says_the_same_again_is_heard_again(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            got = await flow(w)
            first = said(w, "here")
            await hear(w, first)
            await clock.sleep(3)
            await hear(w, Acknowledged(first.inbound_id))
            await clock.sleep(7)
            await hear(w, said(w, "there"))
            await clock.sleep(5)
            assert got == ["1", "1"]

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize(
    "other", [{"text": "2"}, {"to": number(1)}, {"sender": "+447700900123"}], ids=["words", "person", "sender"]
)
def test_what_differs_is_not_the_same(tmp_path: Path, other: dict[str, str]) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            got = await flow(w)
            await hear(w, said(w, "before"))
            await hear(w, said(w, "after", **other))
            await clock.sleep(5)
            assert len(got) == 2

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize("teller", ["line", "other line"])
def test_a_stop_after_a_start_stops_although_it_looks_like_the_first(tmp_path: Path, teller: str) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            first = said(w, "line", "STOP")
            await hear(w, first)
            await clock.sleep(5)
            await hear(w, said(w, "line", "START"))
            await clock.sleep(5)
            again = first if teller == "line" else said(w, teller, "STOP")
            for _ in range(2):
                await hear(w, again)
                await clock.sleep(5)
            assert len([one for one in w.sent() if one.to == number(0)]) == 3
            page = await w.store.opt_outs.page(w.app.no, channel=None, source=None, after=None, limit=10)
            assert [one.source for one, _ in page] == ["reply"]

    run(main, start=MONDAY_NOON)
