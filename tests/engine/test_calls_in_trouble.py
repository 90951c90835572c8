"""Calls that go wrong: links that break, answers that cross with our end, sounds that never come, faults of ours."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from calling import PlainPrompts
from callsheet.core.asking import Leave
from callsheet.core.calling import Dial
from callsheet.core.campaign import MachineDetection, Move
from callsheet.voice.base import Call, CallEvent, Hear, HearAudio, HungUp
from callsheet.voice.sandbox.behaviour import CallTimings, Phone
from conversing import make_flow
from databases import away, rows
from engine.calls import call, codes, placed, play
from engine.test_call_endings import moved, ringing
from engine.test_calls_without_a_store import until_answered, until_written
from engine.test_phone_talk import PAYMENT
from engine.world import World

PERSON, BUSY, SILENT = "+12125550001", "+12125559921", "+12125559922"
RING_SECONDS = 15
DEAF_SECONDS = 10.0
"""So long a node is waited for that does not answer."""


class Link:
    """What is between us and the simulated network: it can be cut, and what was told meanwhile is told later."""

    def __init__(self, w: World, edit: Callable[[CallEvent], CallEvent] = lambda event: event) -> None:
        self._clock = w.clock
        self._edit = edit
        self._plain = w.phones.dial
        self._told: list[tuple[Hear, CallEvent]] = []
        self._unwanted: list[Call] = []
        self.is_cut = False
        self.is_broken = False
        """Its engine breaks when calls are to be listened to."""
        w.phones.dial = self._dial  # type: ignore[method-assign,assignment]

    async def _dial(self, trunk_id: str, dial: Dial, leave: Leave, hear: Hear) -> Any:
        return Linked(await self._plain(trunk_id, dial, leave, partial(self._hear, hear)), self)

    def _hear(self, hear: Hear, event: CallEvent) -> None:
        if self.is_cut:
            self._told.append((hear, event))
        else:
            hear(self._edit(event))

    async def end(self, call: Call) -> None:
        if self.is_cut:
            self._unwanted.append(call)
            await self._clock.sleep(DEAF_SECONDS)
        else:
            await call.hang_up()

    async def mend(self) -> None:
        """Tell what happened meanwhile, and end what was to be ended."""
        self.is_cut = False
        for hear, event in self._told:
            hear(self._edit(event))
        for unwanted in self._unwanted:
            if unwanted.id in self._living():
                await unwanted.hang_up()

    def _living(self) -> list[str]:
        return list(self._plain.__self__.living())  # type: ignore[attr-defined]


class Linked:
    """A call over such a link."""

    def __init__(self, call: Any, link: Link) -> None:
        self._call = call
        self._link = link

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    async def listen(self, hear: HearAudio) -> datetime:
        assert not self._link.is_broken, "a fault of the engine"
        return await self._call.listen(hear)

    async def hang_up(self) -> None:
        await self._link.end(self._call)


def nothing_is_held(w: World) -> bool:
    return not len(w.conductor.holds) and not any(w.conductor._slots._used.values())


@pytest.mark.parametrize("back_after_seconds", [20, 45])
def test_who_answered_while_the_link_was_down_is_not_called_again(tmp_path: Path, back_after_seconds: float):
    async def main(w: World) -> None:
        link = Link(w)
        await call(w, [PERSON], ring_seconds=RING_SECONDS, max_attempts=3, retry_minutes=1)
        await ringing(w, 1)
        link.is_cut = True
        await w.clock.sleep(back_after_seconds)
        await link.mend()
        row = await until_written(w)
        await w.clock.sleep(120)

        assert await codes(w, PERSON) == [(1, "delivered", "lost")]
        assert len(await placed(w)) == 1
        assert row.outcome == "lost"
        assert 0 < row.answered_at < row.ended_at
        assert nothing_is_held(w)

    play(tmp_path, main)


def test_who_was_busy_while_the_link_was_down_was_busy_whatever_our_timer_says(tmp_path: Path):
    async def main(w: World) -> None:
        link = Link(w)
        await call(w, [BUSY], ring_seconds=RING_SECONDS, max_attempts=1)
        await ringing(w, 1)
        link.is_cut = True
        await w.clock.sleep(20)
        await link.mend()
        row = await until_written(w)

        assert await codes(w, BUSY) == [(1, "undelivered", "busy")]
        assert (row.outcome, row.ended_by) == ("busy", "network")

    play(tmp_path, main)


def test_who_let_it_ring_for_too_long_was_hung_up_on_by_us_whichever_timer_was_first(tmp_path: Path):
    def edit(event: CallEvent) -> CallEvent:
        # A node ends the call by its own timer, and says so of itself.
        return event._replace(by_us=False) if isinstance(event, HungUp) else event

    async def main(w: World) -> None:
        Link(w, edit)
        await call(w, [SILENT], ring_seconds=RING_SECONDS, max_attempts=1)
        row = await until_written(w)

        assert await codes(w, SILENT) == [(1, "undelivered", "no_answer")]
        assert (row.outcome, row.ended_by) == ("no_answer", "us")

    play(tmp_path, main)


@pytest.mark.parametrize("is_stopped", [False, True])
def test_who_answers_at_the_moment_when_we_give_up_is_hung_up_on_and_not_called_again(
    tmp_path: Path, *, is_stopped: bool
):
    async def main(w: World) -> None:
        campaign = await call(w, [PERSON], ring_seconds=RING_SECONDS, max_attempts=3, retry_minutes=1)
        await ringing(w, 1)
        await w.clock.sleep(2)
        if is_stopped:
            await moved(w, campaign, Move.stop)
        row = await until_written(w)
        await w.clock.sleep(120)

        assert await codes(w, PERSON) == [(1, "delivered", "lost")]
        assert (row.outcome, row.ended_by) == ("lost", "us")
        assert (row.ended_at - row.answered_at) / 1e6 < 1
        assert len(await placed(w)) == 1
        assert nothing_is_held(w)

    play(tmp_path, main, phones=lambda _: Phone(answers=False, answers_late=True))


@pytest.mark.parametrize(("detection", "code"), [(MachineDetection.no, "human"), (MachineDetection.detect, "unsure")])
def test_a_call_from_which_no_sound_comes_ends_and_was_answered(tmp_path: Path, detection: MachineDetection, code: str):
    async def main(w: World) -> None:
        flow = await make_flow(w.store, w.app, PAYMENT)
        await call(w, [PERSON], detection=detection, flow=flow, max_attempts=3, retry_minutes=1)
        row = await until_written(w)
        await w.clock.sleep(120)

        assert (await codes(w, PERSON))[-1] == (1, "delivered", code)
        assert (row.outcome, row.ended_by, row.cause) == (code, "network", 44)
        assert (row.ended_at - row.answered_at) / 1e6 == pytest.approx(CallTimings().mute, abs=1)
        assert [one.ending for one in await rows(w.store, "select ending from flow_session")] == ["hung_up"]
        assert len(await placed(w)) == 1

    play(tmp_path, main, prompts=PlainPrompts(2.0), phones=lambda _: Phone(is_mute=True, keys=""))


def test_a_fault_of_ours_before_the_answer_leaves_it_uncertain_and_holds_nothing(tmp_path: Path):
    def edit(event: CallEvent) -> CallEvent:
        return event._replace(sip_status="486") if isinstance(event, HungUp) else event  # type: ignore[arg-type]

    async def main(w: World) -> None:
        Link(w, edit)
        await call(w, [BUSY], max_attempts=3, retry_minutes=1)
        row = await until_written(w)
        await w.clock.sleep(120)

        assert await codes(w, BUSY) == [(1, "uncertain", "broke")]
        assert row.outcome == "uncertain"
        assert nothing_is_held(w)

    play(tmp_path, main)


def test_a_fault_of_ours_after_the_answer_loses_the_call_and_holds_nothing(tmp_path: Path):
    async def main(w: World) -> None:
        Link(w).is_broken = True
        await call(w, [PERSON], detection=MachineDetection.detect, max_attempts=3, retry_minutes=1)
        row = await until_written(w)
        await w.clock.sleep(120)

        assert await codes(w, PERSON) == [(1, "accepted", "answered"), (1, "delivered", "lost")]
        assert (row.outcome, row.ended_by) == ("lost", "us")
        assert len(await placed(w)) == 1
        assert nothing_is_held(w)

    play(tmp_path, main)


def test_whose_run_cannot_be_read_is_not_forgotten_and_called_once(tmp_path: Path):
    async def main(w: World) -> None:
        agenda, taken = w.conductor.agenda, away(w.store)

        def strike() -> None:
            # The run goes on elsewhere, and the store is away, just when the call is to be placed.
            states = dict(agenda.states)
            agenda.states.clear()
            taken.__enter__()

            def mend() -> None:
                taken.__exit__(None, None, None)
                agenda.states.update(states)

            asyncio.get_running_loop().call_later(3, mend)

        w.failpoints.call_at("after_hand", strike)
        await call(w, [PERSON])
        await w.clock.sleep(10)
        row = await until_written(w)

        told = await codes(w, PERSON)
        assert [(kind, code) for _, kind, code in told] == [("withdrawn", "run_unread"), ("delivered", "human")]
        assert len(await placed(w)) == 1
        assert row.outcome == "human"
        assert nothing_is_held(w)

    play(tmp_path, main)


@pytest.mark.parametrize("is_answered", [False, True])
@pytest.mark.parametrize("is_cut", [False, True])
def test_a_stop_ends_in_time_whatever_the_engine_does(tmp_path: Path, *, is_answered: bool, is_cut: bool):
    async def main(w: World) -> None:
        link = Link(w)
        to = PERSON if is_answered else SILENT
        await call(w, [to], flow=await make_flow(w.store, w.app, PAYMENT), ring_seconds=60)
        await (until_answered(w) if is_answered else ringing(w, 1))
        await w.clock.sleep(1)
        link.is_cut = is_cut
        began = w.clock.monotonic()
        await w.conductor.stop()
        took_seconds = w.clock.monotonic() - began
        assert took_seconds < (20 if is_cut else 8)

        await w.start()
        await w.clock.sleep(60)
        ((_, kind, _),) = await codes(w, to)
        assert kind == ("delivered" if is_answered else "uncertain" if is_cut else "undelivered")
        if is_answered:
            # Somebody was there, and that was said: what is cut off later does not change it.
            assert (await until_written(w)).outcome == "human"

    play(tmp_path, main, prompts=PlainPrompts(60.0))
