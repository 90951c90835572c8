"""Awaiting the beep: what is left on a machine is said when it listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, Protocol

from callsheet.clock import Clock
from callsheet.core.detection import thresholds_of
from callsheet.engine.calling.talking import Talking
from callsheet.voice.base import CannotHear

BEEP: Final = "beep"
GREETING_OVER: Final = "greeting_over"
"""What is noted of a machine in a call: it beeped; it stopped speaking."""


class Waits(Protocol):
    """Hears when a machine begins to listen."""

    has_stopped_speaking: bool
    """Its greeting is over."""
    has_beeped: bool

    def feed(self, pcm: bytes) -> bool:
        """Take audio: 8 kHz, mono, 16 bits; say whether it is time to speak."""


def _said_of(talking: Talking) -> Mapping[str, float]:
    """Return what the campaign says of machine detection."""
    plan = talking.live.run.definition.voice
    return plan.detection if plan is not None else {}


class BeepWaiter:
    """Waits for beeps in calls."""

    def __init__(self, make: Callable[[float], Waits], clock: Clock) -> None:
        self._make = make
        self._clock = clock

    async def wait(self, talking: Talking, longest_seconds: float) -> None:
        """Return when the machine listens, the call is over, or so many seconds are. Raises CallGone.

        A campaign may say that it waits for the beep no longer, and how much silence ends a greeting.
        """
        said = _said_of(talking)
        heard, waits = asyncio.Event(), self._make(thresholds_of(said).greeting_completion_seconds)
        longest_seconds = min(longest_seconds, said.get("tone_seconds", longest_seconds))

        def feed(pcm: bytes) -> None:
            if not heard.is_set() and waits.feed(pcm):
                heard.set()

        call = talking.live.call
        began_at = self._clock.now()
        # Whom we cannot hear is spoken to when the time is over.
        with suppress(CannotHear):
            await call.listen(feed)
        try:
            async with asyncio.timeout(longest_seconds):
                await _until(heard, talking)
        except TimeoutError:
            talking.note(self._clock.now(), "no_beep")
        else:
            if heard.is_set() and waits.has_beeped:
                seconds = (self._clock.now() - began_at).total_seconds()
                talking.note(self._clock.now(), BEEP, after_seconds=seconds)
        if waits.has_stopped_speaking:
            talking.note(self._clock.now(), GREETING_OVER)
        if not talking.is_over:
            await call.stop_listening()


async def _until(heard: asyncio.Event, talking: Talking) -> None:
    """Wait for the one or the other; what is told of the call meanwhile is taken."""
    waiting = asyncio.get_running_loop().create_task(heard.wait())
    try:
        while not talking.is_over and not heard.is_set():
            await talking.live.hear_beside(waiting)
    finally:
        waiting.cancel()
