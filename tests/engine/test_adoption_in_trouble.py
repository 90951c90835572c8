"""Calls that are taken over while the store is slow or away, or while we stop: they end, and hold nobody up."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from calling import PlainPrompts
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey
from callsheet.engine.calling.leader import GRACE_SECONDS, STOP_SECONDS
from callsheet.engine.calling.patience import MOST_AWAY_SECONDS
from callsheet.store.ringing import Told
from conversing import make_flow
from engine.calls import call, codes, play
from engine.test_call_endings import kill, ringing
from engine.test_phone_talk import PAYMENT
from engine.world import World
from phone_numbers import numbers

(SILENT,) = numbers("IN", 1, ending="9922")
PERSON = "+12125550001"


@contextmanager
def untold(w: World, *, hangs: bool = True) -> Iterator[asyncio.Event]:
    """Let nobody know what was told of calls, until the event is set: who asks waits, or is refused."""
    told, is_back = w.store.ringing.told, asyncio.Event()

    async def ask(app: int, key: AttemptKey) -> Told | None:
        if not (hangs or is_back.is_set()):
            raise Unavailable
        await is_back.wait()
        return await told(app, key)

    w.store.ringing.told = ask  # type: ignore[method-assign]
    yield is_back
    w.store.ringing.told = told  # type: ignore[method-assign]


def adopting() -> list[str]:
    return [name for task in asyncio.all_tasks() if (name := task.get_name()) == "adopt call"]


async def taken_over(w: World, people: list[str]) -> None:
    """Place calls, and die."""
    await call(w, people, ring_seconds=60)
    await ringing(w, len(people))
    await kill(w)


async def talked_to(w: World, people: list[str]) -> None:
    """Place calls, and die when the first of them is talked to."""
    await call(w, people, flow=await make_flow(w.store, w.app, PAYMENT))
    while not await codes(w, people[0]):
        await w.clock.sleep(0.1)
    assert w.phones.living()
    await kill(w)


def test_whoever_waits_for_a_slot_is_told_when_a_call_that_was_taken_over_has_given_its_own_back(tmp_path: Path):
    async def main(w: World) -> None:
        await talked_to(w, [PERSON])
        await w.start()
        slots, in_use = w.conductor._slots, list[int]()
        slots.on_free = lambda: in_use.append(sum(slots._used.values()))
        while w.phones.living():
            await w.clock.sleep(0.1)
        await w.clock.sleep(1)

        assert in_use == [0]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


@pytest.mark.parametrize("grace_seconds", [GRACE_SECONDS, 0.0])
def test_a_call_that_is_taken_over_while_we_stop_is_led_to_its_end(tmp_path: Path, grace_seconds: float):
    async def main(w: World) -> None:
        await taken_over(w, [SILENT])
        with untold(w) as back:
            await w.start()
            await w.clock.sleep(0.5)
            w.conductor._leaving = not grace_seconds
            stopping = asyncio.create_task(w.conductor.stop())
            await w.clock.sleep(2)
            back.set()
            await stopping

        assert (await codes(w, SILENT))[-1] == (1, "undelivered", "cancelled")
        assert not adopting()
        assert not w.phones.living()

    play(tmp_path, main)


@pytest.mark.parametrize("hangs", [True, False])
def test_a_store_that_says_nothing_of_a_call_that_was_found_does_not_hold_up_a_stop(tmp_path: Path, *, hangs: bool):
    async def main(w: World) -> None:
        await taken_over(w, [SILENT])
        with untold(w, hangs=hangs):
            await w.start()
            await w.clock.sleep(0.5)
            began = w.clock.monotonic()
            await w.conductor.stop()

            assert w.clock.monotonic() - began < GRACE_SECONDS + STOP_SECONDS
            assert not adopting(), "nobody goes on with what is closed"
        assert not w.phones.living()

    play(tmp_path, main)


@pytest.mark.parametrize("hangs", [True, False])
def test_nobody_who_answered_holds_the_line_while_the_store_is_away_when_the_call_is_found(
    tmp_path: Path, *, hangs: bool
):
    async def main(w: World) -> None:
        await talked_to(w, [PERSON])
        with untold(w, hangs=hangs) as back:
            await w.start()
            await w.clock.sleep(MOST_AWAY_SECONDS - 1)
            assert w.phones.living()
            await w.clock.sleep(2)
            assert not w.phones.living()
            back.set()

    play(tmp_path, main, prompts=PlainPrompts(2.0))


@pytest.mark.parametrize("hangs", [True, False])
def test_a_phone_rings_on_while_the_store_is_away_when_the_call_is_found(tmp_path: Path, *, hangs: bool):
    async def main(w: World) -> None:
        await taken_over(w, [SILENT])
        with untold(w, hangs=hangs) as back:
            await w.start()
            await w.clock.sleep(MOST_AWAY_SECONDS + 5)
            back.set()
        await w.clock.sleep(60)

        assert (await codes(w, SILENT))[-1] == (1, "undelivered", "no_answer")

    play(tmp_path, main)
