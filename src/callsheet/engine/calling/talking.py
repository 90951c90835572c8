"""Talking: one call while its flow is led, with the keys that were pressed and the answers that came meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from callsheet.core.flow.effects import Say
from callsheet.core.flow.given import Given
from callsheet.engine.calling.live_call import LiveCall
from callsheet.voice.base import CallEvent, Sound


class Answer(NamedTuple):
    """What somebody who was asked has answered."""

    given: Given
    errand_id: str
    taken: asyncio.Future[bool]
    """Whether the conversation took it."""


@dataclass(slots=True, eq=False)
class Talking:
    """A call in which a flow is led."""

    live: LiveCall
    talk_no: int
    answers: asyncio.Queue[Answer] = field(default_factory=asyncio.Queue)
    """What was asked of others, answered."""
    ready: dict[Say, Sequence[Sound]] = field(default_factory=dict)
    """What was made before it is to be said."""

    @property
    def app(self) -> int:
        """Return the app whose call it is."""
        return self.live.run.app

    @property
    def keys(self) -> deque[str]:
        """Return what was pressed, and no reply has it yet."""
        return self.live.keys

    @property
    def is_over(self) -> bool:
        """Tell whether the call is over."""
        return self.live.end is not None

    async def hear(self, seconds: float | None = None) -> CallEvent | None:
        """Return the next event of the call; None: nothing came for so long."""
        try:
            async with asyncio.timeout(seconds):
                return await self.live.hear()
        except TimeoutError:
            return None

    async def hear_or_answer(self, seconds: float) -> CallEvent | Answer | None:
        """Return what comes first: an event of the call, or an answer; None: neither came for so long."""
        answering = asyncio.get_running_loop().create_task(self.answers.get())
        try:
            event = await self.live.hear_beside(answering, seconds)
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
        return event if answering.cancelled() else answering.result()

    def note(self, at: datetime, what: str, **facts: str | float) -> None:
        """Add to the timeline of the call."""
        self.live.note(at, what, **facts)

    def refuse(self) -> None:
        """Say of the answers that come too late that nobody takes them."""
        while not self.answers.empty():
            self.answers.get_nowait().taken.set_result(False)
