"""A call to a simulated phone: it rings, somebody answers, listens, presses keys, and hangs up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from callsheet.clock import Clock
from callsheet.core.calling import Clearing, Outcome, decide_outcome
from callsheet.voice.base import (
    Answered,
    Call,
    CallEvent,
    CallGone,
    CannotJoin,
    Hear,
    HearAudio,
    HungUp,
    Played,
    Pressed,
    Recording,
    Ringing,
    Sound,
)
from callsheet.voice.sandbox import ledger as entries
from callsheet.voice.sandbox import sounds
from callsheet.voice.sandbox.behaviour import MOST_ANSWERS, CallTimings, Phone
from callsheet.voice.sandbox.ledger import CallLedger, LedgerFailed
from callsheet.voice.sandbox.placed import Placed
from callsheet.voice.sandbox.tape import Heard, Tape

NODE: Final = "sandbox"
NORMAL: Final = 16
"""Q.850: normal clearing."""
_NO_ANSWER: Final = (19, 480)
_TAKEN_BACK: Final = (0, 487)
_TIMER: Final = (0, 0)
_NO_SOUND: Final = (44, 200)
"""What Asterisk makes of a call from which no sound comes any more."""
_TICK_SECONDS: Final = 0.1
"""Audio comes in portions of so much, cut into frames."""


class World(NamedTuple):
    """What the phones of one engine share."""

    clock: Clock
    timings: CallTimings
    ledger: CallLedger
    recordings: Path
    forget: Callable[[SandboxCall], None]
    """Called before the end of a call is told."""


class _Over(Exception):
    """The call ends."""

    def __init__(self, cause: int, sip_status: int, *, by_us: bool = False, ring_ran_out: bool = False) -> None:
        self.cause = cause
        self.sip_status = sip_status
        self.by_us = by_us
        self.ring_ran_out = ring_ran_out
        super().__init__()


class SandboxCall:
    """One call, led by a task of its own."""

    def __init__(self, world: World, placed: Placed, phone: Phone, rng: random.Random, hear: Hear) -> None:
        self.hear = hear
        self._world = world
        self._placed = placed
        self._phone = phone
        self._rng = rng
        self._clock = world.clock
        self._began = world.clock.monotonic()
        self._ends_by = self._began + placed.longest_seconds
        self._is_over = False
        self._is_answered = placed.is_answered
        self._has_rung = False
        self._answered_by = world.clock.monotonic()
        """On the monotonic clock."""
        self._ending = asyncio.Event()
        self._turn = asyncio.Event()
        """A prompt is through, or an answer is being recorded: it is the callee's turn."""
        self._queue: list[tuple[str, Sound]] = []
        self._playing: asyncio.Task[None] | None = None
        self._tokens = 0
        self._keys = ""
        self._track = sounds.Track()
        self._listening: asyncio.Task[None] | None = None
        self._heard: Heard | None = None
        """What plays now."""
        self._tapes: dict[bool, Tape] = {}
        """By whether both sides are on it."""
        self._is_asked_to_speak = False
        self._other: SandboxCall | None = None
        """With whom it is joined."""
        self._ends_talk = False
        """It was called last of the two."""
        self.living = asyncio.create_task(self._live(), name=f"sandbox call {placed.reference}")

    @property
    def id(self) -> str:
        """The reference that it was placed with."""
        return self._placed.reference

    @property
    def node(self) -> str:
        """Which node carries it."""
        return NODE

    # What is asked of it.

    async def play(self, sound: Sound) -> str:
        """Begin to play a sound, after those that play already; return the token that `Played` will bear."""
        self._check()
        self._tokens += 1
        token = f"{self.id}.{self._tokens}"
        self._queue.append((token, sound))
        self._turn.clear()
        if self._playing is None or self._playing.done():
            self._playing = asyncio.create_task(self._play(), name="sandbox playing")
        return token

    async def stop_playing(self) -> None:
        """Stop all that plays or waits to be played: each is told by `Played`."""
        self._check()
        self._stop_playing()

    async def listen(self, hear: HearAudio) -> datetime:
        """Begin to hear the other side, and return from when on; one ear at a time."""
        self._check()
        await self.stop_listening()
        self._listening = asyncio.create_task(self._sound(hear), name="sandbox audio")
        return self._clock.now()

    async def stop_listening(self) -> None:
        """Hear nothing more."""
        self._check()
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None

    async def record(self, *, both_sides: bool) -> bool:
        """Begin to record the other side, or both."""
        self._check()
        if both_sides in self._tapes:
            return True
        self._tapes[both_sides] = Tape(self._since_answer())
        if both_sides and self._heard is not None:
            self._tapes[True].heard.append(self._heard)
        # What begins when a prompt is through is an answer; what begins with the call is its record.
        if not both_sides and self._tokens and not self._queue:
            self._is_asked_to_speak = True
            self._turn.set()
        return True

    async def stop_recording(self, *, both_sides: bool) -> Recording | None:
        """Return what was recorded; None: nothing was. Works after the call's end, too."""
        tape = self._tapes.pop(both_sides, None)
        if not both_sides:
            self._is_asked_to_speak = False
        if tape is None:
            return None
        self._tokens += 1
        path = self._world.recordings / f"{self.id}-{self._tokens}.wav"
        return await asyncio.to_thread(tape.write, path, self._track, self._since_answer())

    async def join(self, other: Call) -> None:
        """Let the two people talk. Raises CannotJoin."""
        self._check()
        if not isinstance(other, SandboxCall) or other._is_over:  # noqa: SLF001 (it is of the same network)
            raise CannotJoin("The other call is not there.")
        self._other, other._other = other, self  # noqa: SLF001
        other._ends_talk = True  # noqa: SLF001
        for one in (self, other):
            one._turn.set()  # noqa: SLF001

    async def part(self) -> None:
        """Let them be alone again."""
        other, self._other = self._other, None
        if other is not None:
            other._other = None  # noqa: SLF001
            other._turn.set()  # noqa: SLF001

    async def hang_up(self) -> None:
        """End it; `HungUp` tells when it is over."""
        self._check()
        self._ending.set()

    # What happens in it.

    async def _live(self) -> None:
        try:
            await self._go()
        except _Over as over:
            await self._end(over)

    async def _go(self) -> None:
        if not self._is_answered:
            await self._be_called()
        if self._phone.is_mute:
            await self._pause(self._world.timings.mute)
            raise _Over(*_NO_SOUND)
        await (self._be_machine() if self._phone.is_machine else self._be_person())

    async def _be_called(self) -> None:
        """Ring, and be answered; by somebody who is late the end of the call is crossed."""
        try:
            await self._ring()
        except _Over as over:
            if not (over.by_us and self._phone.answers_late):
                raise
            await self._answer()
            raise _Over(NORMAL, 200, by_us=True) from None
        await self._answer()

    async def _ring(self) -> None:
        timings, clears = self._world.timings, self._phone.clears
        setup = self._rng.uniform(*timings.setup)
        await self._pause(setup)
        if clears is not None and not clears.rings:
            raise _Over(clears.cause, clears.sip_status)
        self._has_rung = True
        self._tell(Ringing(self._clock.now()))
        left = max(0.0, self._placed.ring_seconds - setup)
        rings = self._rng.uniform(*timings.ring) if self._phone.answers else left
        await self._pause(min(rings, left))
        if rings >= left:
            raise _Over(*_NO_ANSWER, by_us=True, ring_ran_out=True)
        if clears is not None:
            raise _Over(clears.cause, clears.sip_status)

    async def _answer(self) -> None:
        at = self._clock.now()
        self._is_answered = True
        await self._note(self._world.ledger.answer(self._placed.call_id, at))
        said = sounds.GREETING if self._phone.is_machine else sounds.HELLO
        for begin, seconds in said:
            self._track.add(begin, sounds.speech(seconds))
        if self._phone.is_machine:
            self._track.add(sounds.BEEP_BEGINS, sounds.beep())
        self._answered_by = self._clock.monotonic()
        self._tell(Answered(at))

    async def _be_machine(self) -> None:
        await self._pause(sounds.LISTENS_FROM + self._world.timings.machine)
        raise _Over(NORMAL, 200)

    async def _be_person(self) -> None:
        if self._phone.stays_seconds is not None:
            await self._pause(self._phone.stays_seconds)
            raise _Over(NORMAL, 200)
        for _ in range(MOST_ANSWERS):
            await self._await_turn()
            if self._other is None:
                await self._pause(self._rng.uniform(*self._world.timings.think))
            if self._other is not None:
                await self._talk()
            elif self._is_asked_to_speak:
                await self._speak()
            elif self._turn.is_set():
                self._turn.clear()
                await self._press(self._phone.keys)
        raise _Over(NORMAL, 200)

    async def _talk(self) -> None:
        """Talk with whom it is joined, until one of the two hangs up."""
        self._turn.clear()
        seconds = self._rng.uniform(*self._world.timings.talk)
        if self._ends_talk:
            await self._pause(seconds)
            raise _Over(NORMAL, 200)
        while self._other is not None:
            await self._pause(seconds, self._turn)
        self._turn.clear()

    async def _await_turn(self) -> None:
        """Wait for the end of what is said; whoever hears nothing for too long hangs up."""
        while not self._turn.is_set():
            if not await self._pause(self._world.timings.patience, self._turn) and not self._queue:
                raise _Over(NORMAL, 200)

    async def _press(self, keys: str) -> None:
        for place, key in enumerate(keys):
            if place:
                await self._pause(self._world.timings.key)
            self._keys += key
            self._tell(Pressed(self._clock.now(), key))

    async def _speak(self) -> None:
        self._turn.clear()
        # In tenths of a second: each length is made once.
        seconds = round(self._rng.uniform(*self._world.timings.speak), 1)
        self._track.add(self._since_answer(), sounds.speech(seconds))
        await self._pause(seconds)
        self._is_asked_to_speak = False
        await self._press("#")

    async def _pause(self, seconds: float, until: asyncio.Event | None = None) -> bool:
        """Let time pass; return whether something came before. Raises _Over when the call ends meanwhile."""
        left = self._ends_by - self._clock.monotonic()
        waits = [asyncio.create_task(event.wait()) for event in (self._ending, until) if event is not None]
        try:
            async with asyncio.timeout(max(0.0, min(seconds, left))):
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            if left <= seconds:
                raise _Over(*_TIMER, by_us=True) from None
            return False
        finally:
            for wait in waits:
                wait.cancel()
        if self._ending.is_set():
            await self._clock.sleep(self._world.timings.hang_up)
            raise _Over(*((NORMAL, 0) if self._is_answered else _TAKEN_BACK), by_us=True)
        return True

    async def _play(self) -> None:
        while self._queue:
            token, sound = self._queue[0]
            self._heard = heard = Heard(sound, self._since_answer())
            if (tape := self._tapes.get(True)) is not None:
                tape.heard.append(heard)
            try:
                await self._clock.sleep(sound.seconds)
            finally:
                heard.until = self._since_answer()
                self._heard = None
            self._queue.pop(0)
            if not self._queue:
                self._turn.set()
            self._tell(Played(self._clock.now(), token))

    def _stop_playing(self) -> None:
        if self._playing is not None:
            self._playing.cancel()
            self._playing = None
        stopped, self._queue = self._queue, []
        for token, _ in stopped:
            self._tell(Played(self._clock.now(), token, is_whole=False))

    async def _sound(self, hear: HearAudio) -> None:
        begin = self._since_answer()
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            end = begin + _TICK_SECONDS
            samples = b"" if self._phone.is_mute else self._track.cut(begin, end)
            for first in range(0, len(samples), sounds.FRAME_BYTES):
                hear(samples[first : first + sounds.FRAME_BYTES])
            begin = end

    def _outcome(self, over: _Over) -> Outcome:
        """Return what came of a call that nobody answered."""
        # Whoever asked for it has a clock, too, and may take it back a moment before ours has run out.
        rang_out = over.ring_ran_out or self._clock.monotonic() - self._began >= self._placed.ring_seconds - 1
        return decide_outcome(
            Clearing(over.cause, over.sip_status, False, self._has_rung, rang_out, over.by_us and not rang_out)
        )

    def _since_answer(self) -> float:
        return self._clock.monotonic() - self._answered_by if self._is_answered else 0.0

    def _tell(self, event: CallEvent) -> None:
        if not self._is_over:
            self.hear(event)

    def _check(self) -> None:
        if self._is_over:
            raise CallGone

    async def _note(self, write: Awaitable[None]) -> None:
        """Write to the ledger; a network whose books are full goes on."""
        try:
            await write
        except LedgerFailed:
            return

    async def _end(self, over: _Over) -> None:
        at = self._clock.now()
        for tape in self._tapes.values():
            tape.until = self._since_answer()
        if self._listening is not None:
            self._listening.cancel()
        self._stop_playing()
        await self.part()
        status = entries.ANSWERED if self._is_answered else self._outcome(over).value
        await self._note(self._world.ledger.end(self._placed.call_id, status, self._keys, at))
        # Its place is free before its end is told.
        self._world.forget(self)
        self._tell(HungUp(at, over.cause, over.sip_status, over.by_us))
        self._is_over = True
