"""Calls of a test, and what it heard of them."""

import asyncio
import secrets
import struct
import wave
from collections.abc import Callable
from math import cos, pi, sin
from operator import mul
from pathlib import Path
from typing import Any

from callsheet.core.asking import Leave, nobody_forbids
from callsheet.core.calling import Clearing, Dial, Outcome, decide_outcome
from callsheet.core.campaign import MachineDetection
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.base import Answered, Call, CallEvent, HungUp, Lost, Ringing, Sound

PATIENCE_SECONDS = 60
SENDER = "+12025550123"


async def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.01)


class Told:
    """What was told of one call."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []
        self._read = 0
        self._came = asyncio.Event()
        self.call: Call | None = None

    def hear(self, event: CallEvent) -> None:
        self.events.append(event)
        self._came.set()

    async def next(self, kind: type) -> Any:
        """Return the next event of a kind; those before it are passed over."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for event in self.events[self._read :]:
                    self._read += 1
                    if isinstance(event, kind):
                        return event
                self._came.clear()
                await self._came.wait()

    def kinds(self) -> list[type]:
        return [type(event) for event in self.events]


def dial_of(number: str, *, ring_seconds: int = 30, longest_seconds: int = 120, reference: str = "") -> Dial:
    return Dial(
        reference or secrets.token_hex(24), number, SENDER, ring_seconds, MachineDetection.no, "c-1", longest_seconds
    )


async def place(
    engine: AsteriskEngine, trunk_id: str, dial: Dial, leave: Leave = nobody_forbids, told: Told | None = None
) -> Told:
    told = told or Told()
    told.call = await engine.dial(trunk_id, dial, leave, told.hear)
    return told


def outcome_of(told: Told, *, ring_ran_out: bool = False) -> Outcome:
    """Return what the core makes of a call that is over."""
    end = told.events[-1]
    kinds = told.kinds()
    if isinstance(end, Lost):
        return decide_outcome(Clearing(0, 0, Answered in kinds, Ringing in kinds, False, False, is_lost=True))
    assert isinstance(end, HungUp)
    return decide_outcome(
        Clearing(end.cause, end.sip_status, Answered in kinds, Ringing in kinds, ring_ran_out, end.by_us)
    )


def make_tone(path: Path, *, hertz: int = 440, seconds: float = 1.0) -> Sound:
    count = int(8000 * seconds)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", int(9000 * sin(2 * pi * hertz * n / 8000))) for n in range(count)))
    return Sound(f"tone-{hertz}-{secrets.token_hex(4)}", path, seconds)


def loudness(octets: bytes, hertz: int) -> float:
    """Return how much of some audio is one tone: 0 to 1."""
    samples = struct.unpack(f"<{len(octets) // 2}h", octets)
    power = sum(sample * sample for sample in samples)
    turns = [2 * pi * hertz * n / 8000 for n in range(len(samples))]
    real, imaginary = (sum(map(mul, samples, map(wave_of, turns))) for wave_of in (sin, cos))
    return (real**2 + imaginary**2) * 2 / (len(samples) * power) if power else 0.0
