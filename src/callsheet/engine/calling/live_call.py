"""A call that goes on: what leads it reads its events one by one, and notes what happens."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from callsheet.core.ids import AttemptKey
from callsheet.core.recording import Recorded
from callsheet.core.run import Run
from callsheet.engine.calling.call_events import CallEvents
from callsheet.voice.base import Call, CallEvent, HungUp, Lost, Pressed

ANSWERED: Final = "answered"
"""Somebody answered: a word of the timeline, and the code of the attempt while nobody knows yet who it is."""
ANSWERED_LATE: Final = "answered_too_late"
"""Somebody answered when the call was to end: a word of the timeline."""


@dataclass(slots=True)
class LiveCall:
    """One call of an attempt, from when it was placed."""

    key: AttemptKey
    run: Run
    call: Call
    trunk_no: int
    """What carries it: of a pool of senders, that of the one which it was given."""
    events: CallEvents = field(default_factory=CallEvents)
    """What the engine tells of it, not read yet. Read by `hear`."""
    keys: deque[str] = field(default_factory=deque)
    """What was pressed, and no reply has it yet: who knows a menu presses before it has spoken, or before it is known
    who answered."""
    timeline: list[tuple[datetime, str, Mapping[str, str | int | float]]] = field(default_factory=list)
    """What happened, in order: when, a stable word, and facts. It is stored sealed."""
    end: HungUp | Lost | None = None
    """The last event, once it was read."""
    is_closed: bool = False
    """Its end was noted, and nothing more comes."""
    session_no: int = 0
    """Of the conversation that is led in it; 0: none, so far."""
    answered_from: datetime | None = None
    """As early as this it may have been answered, by the clock of what carries it; None: it was not, so far."""
    is_taken_over: bool = False
    """It had been answered when this process found it."""
    recording: Recorded = Recorded.off
    """How the recording of the whole call stands."""

    async def hear(self) -> CallEvent:
        """Wait for the next event, and return it; after the last one there is none: it is returned again."""
        if self.end is not None:
            return self.end
        event = await self.events.get()
        match event:
            case HungUp() | Lost():
                self.end = event
            case Pressed(at=at, digit=digit):
                self.keys.append(digit)
                self.note(at, "pressed", digit=digit)
        return event

    async def hear_beside(self, other: asyncio.Task[Any], seconds: float | None = None) -> CallEvent | None:
        """Return the next event; None: the other came first, or neither for so long."""
        hearing = asyncio.get_running_loop().create_task(self.hear())
        try:
            await asyncio.wait({hearing, other}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # One that is broken off has taken nothing yet.
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
        return None if hearing.cancelled() else hearing.result()

    def note(self, at: datetime, what: str, **facts: str | float) -> None:
        """Add to the timeline."""
        self.timeline.append((at, what, facts))
