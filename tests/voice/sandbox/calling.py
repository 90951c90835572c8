"""Calls to simulated phones, and an ear that keeps what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from callsheet.core.asking import nobody_forbids
from callsheet.core.calling import Dial
from callsheet.core.campaign import MachineDetection
from callsheet.engine.virtual_time import VirtualClock
from callsheet.voice.base import Answered, CallEvent, HungUp, Lost, Pressed, Sound
from callsheet.voice.sandbox.call import SandboxCall
from callsheet.voice.sandbox.engine import SandboxVoice

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
TRUNK = "tr-1"
PROMPT = Sound("prompt", Path("prompt.wav"), 4.0)


class Ear:
    """Keeps what it was told of one call."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []
        self._told = asyncio.Event()

    def __call__(self, event: CallEvent) -> None:
        self.events.append(event)
        self._told.set()

    async def until(self, is_reached: Callable[[CallEvent], bool]) -> CallEvent:
        """Return the first event that is wanted."""
        while True:
            for event in self.events:
                if is_reached(event):
                    return event
            self._told.clear()
            await self._told.wait()

    async def answered(self) -> CallEvent:
        return await self.until(lambda event: isinstance(event, Answered | HungUp))

    async def ended(self) -> HungUp:
        event = await self.until(lambda event: isinstance(event, HungUp | Lost))
        assert isinstance(event, HungUp)
        return event

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    @property
    def keys(self) -> str:
        return "".join(event.digit for event in self.events if isinstance(event, Pressed))


def dial(ending: str, *, reference: str = "", ring_seconds: int = 20, longest_seconds: int = 600) -> Dial:
    """Return a call to the number with an ending."""
    number = f"+1202555{ending}"
    detection = MachineDetection.no
    return Dial(reference or f"at-{ending}", number, "+12025550100", ring_seconds, detection, "cd-1", longest_seconds)


def engine(folder: Path, clock: VirtualClock, **more: int) -> SandboxVoice:
    """Return a simulated engine in virtual time."""
    return SandboxVoice(folder, clock, seed=1, inline=True, **more)


async def call(voice: SandboxVoice, dialed: Dial) -> tuple[SandboxCall, Ear]:
    """Place a call."""
    ear = Ear()
    return await voice.dial(TRUNK, dialed, nobody_forbids, ear), ear
