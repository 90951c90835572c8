"""A call that goes on: what leads it reads its events one by one, and notes what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from callsheet.core.ids import AttemptKey
from callsheet.core.run import Run
from callsheet.voice.base import Call, CallEvent, HungUp, Lost


@dataclass(slots=True)
class LiveCall:
    """One call of an attempt, from when it was placed."""

    key: AttemptKey
    run: Run
    call: Call
    events: asyncio.Queue[CallEvent] = field(default_factory=asyncio.Queue)
    """What the engine tells of it, not read yet. The last one is `HungUp` or `Lost`. Read by `hear`."""
    timeline: list[tuple[datetime, str, Mapping[str, str | int | float]]] = field(default_factory=list)
    """What happened, in order: when, a stable word, and facts. It is stored sealed."""
    is_over: bool = False
    """The last event was read."""
    end: HungUp | Lost | None = None
    """That event."""
    session_no: int = 0
    """Of the conversation that is led in it; 0: none, so far."""

    async def hear(self) -> CallEvent:
        """Wait for the next event, and return it; after the last one there is none: it is returned again."""
        if self.end is not None:
            return self.end
        event = await self.events.get()
        if isinstance(event, HungUp | Lost):
            self.end, self.is_over = event, True
        return event

    def note(self, at: datetime, what: str, **facts: str | float) -> None:
        """Add to the timeline."""
        self.timeline.append((at, what, facts))
