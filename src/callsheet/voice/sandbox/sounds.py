"""What simulated phones sound like: bursts of a hum in the rhythm of speech, and the beep of a machine.

Samples are 8 kHz, mono, 16 bits, little-endian. No word is in them; whoever listens for speech takes them for some.
"""

from __future__ import annotations

import math
from array import array
from functools import lru_cache
from typing import Final

RATE: Final = 8000
FRAME_BYTES: Final = 320
"""20 ms."""
FRAME_SECONDS: Final = 0.02
SAMPLE_BYTES: Final = 2

_LEVEL: Final = 6000
_PITCHES: Final = (64, 57, 67, 60)
"""Samples of one period, syllable by syllable: about 120 to 140 Hz."""
_SYLLABLE: Final = 1440
"""Samples of one syllable, with the dip after it."""
_HARMONICS: Final = (1.0, 0.8, 0.9, 1.0, 0.7, 0.3, 0.25, 0.4, 0.5, 0.35, 0.15, 0.1)
_BEEP_HZ: Final = 1000
_BEEP_SECONDS: Final = 0.5

HELLO: Final = ((0.4, 0.54),)
"""A person: when speech begins after the answer, and how long it is."""
GREETING: Final = ((0.5, 7.0),)
BEEP_BEGINS: Final = 7.9
LISTENS_FROM: Final = BEEP_BEGINS + _BEEP_SECONDS


@lru_cache(maxsize=64)
def speech(seconds: float) -> bytes:
    """Return so much of what sounds like speech."""
    periods = [_period(samples) for samples in _PITCHES]
    samples = array("h")
    for place in range(round(seconds * RATE)):
        syllable, at = divmod(place, _SYLLABLE)
        period = periods[syllable % len(periods)]
        loudness = max(0.05, math.sin(math.pi * at / _SYLLABLE))
        samples.append(round(period[at % len(period)] * loudness * _LEVEL))
    return _little_endian(samples)


@lru_cache(maxsize=1)
def beep() -> bytes:
    """Return the beep after a machine's greeting."""
    turn = 2 * math.pi * _BEEP_HZ / RATE
    length = round(_BEEP_SECONDS * RATE)
    return _little_endian(array("h", (round(math.sin(turn * place) * _LEVEL) for place in range(length))))


def _period(samples: int) -> list[float]:
    turn = 2 * math.pi / samples
    wave = [
        sum(loudness * math.sin(number * turn * place) for number, loudness in enumerate(_HARMONICS, 1))
        for place in range(samples)
    ]
    highest = max(abs(value) for value in wave)
    return [value / highest for value in wave]


def _little_endian(samples: array[int]) -> bytes:
    if array("H", (1,)).tobytes()[0] == 0:
        samples.byteswap()
    return samples.tobytes()


class Track:
    """What one phone says, from its answer on."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, bytes]] = []

    def add(self, at_seconds: float, samples: bytes) -> None:
        """Say something from an instant on."""
        self._parts.append((round(at_seconds * RATE) * SAMPLE_BYTES, samples))

    def cut(self, begin_seconds: float, end_seconds: float) -> bytes:
        """Return what is heard in between; where nothing is said, silence."""
        first = round(begin_seconds * RATE) * SAMPLE_BYTES
        last = max(first, round(end_seconds * RATE) * SAMPLE_BYTES)
        heard = bytearray(last - first)
        for start, samples in self._parts:
            begin, end = max(start, first), min(start + len(samples), last)
            if begin < end:
                heard[begin - first : end - first] = samples[begin - start : end - start]
        return bytes(heard)
