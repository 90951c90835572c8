"""A call that goes on: what leads it reads its events one by one, and notes what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from callsheet.core.ids import AttemptKey
from callsheet.core.run import Run
from callsheet.voice.base import Call, CallEvent


@dataclass(slots=True)
class LiveCall:
    """One call of an attempt, from when it was placed."""

    key: AttemptKey
    run: Run
    call: Call
    events: asyncio.Queue[CallEvent] = field(default_factory=asyncio.Queue)
    """What the engine tells of it, not read yet. The last one is `HungUp` or `Lost`."""
    timeline: list[tuple[datetime, str, Mapping[str, str | int | float]]] = field(default_factory=list)
    """What happened, in order: when, a stable word, and facts. It is stored sealed."""
    is_over: bool = False
    """The last event was read."""

    def note(self, at: datetime, what: str, **facts: str | float) -> None:
        """Add to the timeline."""
        self.timeline.append((at, what, facts))
