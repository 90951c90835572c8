"""Calls that are taken over while the store is slow or away, or while we stop: they end, and hold nobody up."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from calling import PlainPrompts
from callsheet.core.campaign import Campaign, MachineDetection, Move, Status
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey
from callsheet.core.run import AppSettings
from callsheet.engine.calling.leader import GRACE_SECONDS, STOP_SECONDS
from callsheet.engine.calling.patience import MOST_AWAY_SECONDS
from callsheet.store.ringing import Told
from conversing import make_flow
from databases import rows
from engine.calls import call, codes, count_at_once, placed, play
from engine.test_call_endings import kill, ringing
from engine.test_calls_without_a_store import until_answered, until_written
from engine.test_phone_talk import PAYMENT
from engine.world import World
from phone_numbers import numbers

SILENT, *OTHERS = numbers("IN", 6, ending="9922")
PERSON, HASTY = "+12125550001", "+12125559903"


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


async def until_settled(w: World) -> Any:
    """Wait until the one call that was found is led to its end, and that is written; return its record."""
    while adopting() or w.conductor.call_records._kept:
        await w.clock.sleep(0.1)
    return await until_written(w)


def adopting() -> list[str]:
    return [name for task in asyncio.all_tasks() if (name := task.get_name()) == "adopt call"]


async def taken_over(w: World, people: list[str], count: int = 0, **changes: Any) -> Campaign:
    """Place calls, and die when so many of them ring: all, unless told otherwise."""
    campaign = await call(w, people, ring_seconds=60, **changes)
    await ringing(w, count or len(people))
    await kill(w)
    return campaign


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

        assert in_use[-1] == 0

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


@pytest.mark.parametrize("detection", [MachineDetection.no, MachineDetection.detect])
@pytest.mark.parametrize("hangs", [True, False])
def test_nobody_who_answers_while_the_store_is_away_holds_the_line_when_the_call_was_found_ringing(
    tmp_path: Path, detection: MachineDetection, *, hangs: bool
):
    async def main(w: World) -> None:
        flow = await make_flow(w.store, w.app, PAYMENT)
        campaign = await taken_over(w, [PERSON], flow=flow, detection=detection)
        with untold(w, hangs=hangs) as back:
            await w.start()
            await until_answered(w)
            await w.clock.sleep(MOST_AWAY_SECONDS - 1)
            assert w.phones.living()
            await w.clock.sleep(2)
            assert not w.phones.living()
            back.set()
            row = await until_settled(w)

        assert (row.outcome, row.ended_by) == ("lost", "us")
        assert (await codes(w, PERSON))[-1] == (1, "delivered", "lost")
        assert await rows(w.store, "select 1 from flow_session") == []
        await w.until(campaign, Status.completed, longest_seconds=600)

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_whoever_answered_and_hung_up_while_the_store_was_away_talked_to_nobody(tmp_path: Path):
    async def main(w: World) -> None:
        await taken_over(w, [HASTY], flow=await make_flow(w.store, w.app, PAYMENT))
        with untold(w) as back:
            await w.start()
            await until_answered(w)
            await w.clock.sleep(5)
            assert not w.phones.living()
            back.set()
            row = await until_settled(w)

        assert (row.outcome, row.ended_by) == ("lost", "them")
        assert (await codes(w, HASTY))[-1] == (1, "delivered", "lost")
        assert await rows(w.store, "select 1 from flow_session") == []

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_whoever_answers_while_the_store_is_away_is_talked_to_when_it_is_back_in_time(tmp_path: Path):
    async def main(w: World) -> None:
        await taken_over(w, [PERSON], flow=await make_flow(w.store, w.app, PAYMENT))
        with untold(w) as back:
            await w.start()
            await until_answered(w)
            await w.clock.sleep(5)
            back.set()
            row = await until_settled(w)

        assert row.outcome == "human"
        assert [row.ending for row in await rows(w.store, "select ending from flow_session")] == ["done"]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_a_conversation_that_was_given_up_when_it_was_found_is_recorded_when_the_store_is_back(tmp_path: Path):
    async def main(w: World) -> None:
        await talked_to(w, [PERSON])
        with untold(w) as back:
            await w.start()
            await w.clock.sleep(MOST_AWAY_SECONDS + 1)
            assert not w.phones.living()
            back.set()
            row = await until_settled(w)

        assert (row.outcome, row.ended_by) == ("human", "us")
        assert await codes(w, PERSON) == [(1, "delivered", "human")]
        assert [row.ending for row in await rows(w.store, "select ending from flow_session")] == ["hung_up"]

    play(tmp_path, main, prompts=PlainPrompts(2.0))


def test_a_call_is_hung_up_when_the_question_whose_it_is_breaks(tmp_path: Path):
    async def main(w: World) -> None:
        await taken_over(w, [SILENT])
        told = w.store.ringing.told

        async def broken(app: int, key: AttemptKey) -> Told | None:
            raise ValueError

        w.store.ringing.told = broken  # type: ignore[method-assign]
        with capture_logs() as logs:
            await w.start()
            await w.clock.sleep(1)
        w.store.ringing.told = told  # type: ignore[method-assign]

        assert [entry["log_level"] for entry in logs if entry["event"] == "call.broke"] == ["error"]
        assert not w.phones.living()
        assert not adopting()

    play(tmp_path, main)


def test_a_store_that_takes_too_long_by_its_own_measure_is_asked_again_after_a_moment(tmp_path: Path):
    async def main(w: World) -> None:
        await taken_over(w, [SILENT])
        told, asked = w.store.ringing.told, 0

        async def late(app: int, key: AttemptKey) -> Told | None:
            nonlocal asked
            asked += 1
            # Whoever spins lets no time pass: that must fail, and not last.
            if asked < 100:
                raise TimeoutError
            return await told(app, key)

        w.store.ringing.told = late  # type: ignore[method-assign]
        await w.start()
        await w.clock.sleep(5)
        w.store.ringing.told = told  # type: ignore[method-assign]
        assert asked < 10
        await w.clock.sleep(60)

        assert (await codes(w, SILENT))[-1] == (1, "undelivered", "no_answer")

    play(tmp_path, main)


@pytest.mark.parametrize("is_paused", [False, True], ids=["its own run", "another run"])
def test_there_are_never_more_calls_than_are_allowed_while_it_is_not_known_whose_those_are_that_were_found(
    tmp_path: Path, *, is_paused: bool
):
    async def main(w: World) -> None:
        first = await taken_over(w, [SILENT, *OTHERS], 2)
        if is_paused:
            await w.store.campaigns.move(first, Move.pause, w.clock.now())
        with untold(w) as back:
            await w.start()
            running = await call(w, [PERSON]) if is_paused else first
            at_once = count_at_once(w)
            await w.clock.sleep(10)
            back.set()
            await w.until(running, Status.completed, longest_seconds=3600)

        assert at_once, "they were called then"
        assert max(at_once) <= 2
        assert len(await placed(w)) == (3 if is_paused else 6)

    play(tmp_path, main, settings=AppSettings(agentless_concurrent_calls=2))
