"""A recording of a simulated call: what the phone said, and what was played to it, as long as it was heard."""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from callsheet.voice.audio.wave import HEADER_BYTES, write_wav
from callsheet.voice.base import Recording, Sound
from callsheet.voice.sandbox.sounds import RATE, SAMPLE_BYTES, Track

_LOUDEST: Final = 32767


@dataclass(slots=True, eq=False)
class Heard:
    """A sound that was played."""

    sound: Sound
    at: float
    """Seconds after the answer, as all below."""
    until: float | None = None
    """When it was through, or was stopped; None: it plays."""


@dataclass(slots=True, eq=False)
class Tape:
    """A recording that goes on, or waits to be fetched."""

    begun: float
    until: float | None = None
    """When the call ended; None: it goes on."""
    heard: list[Heard] = field(default_factory=list)
    """What we played; nothing where only the other side is recorded."""

    def write(self, path: Path, track: Track, now: float) -> Recording | None:
        """Write the file; None: nothing was recorded, or it cannot be written."""
        ended = now if self.until is None else self.until
        if ended <= self.begun:
            return None
        samples = track.cut(self.begun, ended)
        if self.heard:
            samples = _mix(samples, self._ours().cut(self.begun, ended))
        try:
            path.write_bytes(write_wav(samples))
        except OSError:
            return None
        return Recording(path, len(samples) / SAMPLE_BYTES / RATE)

    def _ours(self) -> Track:
        ours = Track()
        for heard in self.heard:
            seconds = heard.sound.seconds if heard.until is None else heard.until - heard.at
            ours.add(heard.at, _samples(heard.sound)[: round(seconds * RATE) * SAMPLE_BYTES])
        return ours


def _samples(sound: Sound) -> bytes:
    """Return what a sound plays; nothing where its file is gone."""
    try:
        return sound.path.read_bytes()[HEADER_BYTES:]
    except OSError:
        return b""


def _mix(one: bytes, other: bytes) -> bytes:
    """Return two voices heard at once: of the same length, little-endian."""
    mixed = array("h", (max(-_LOUDEST, min(_LOUDEST, a + b)) for a, b in zip(_read(one), _read(other), strict=True)))
    if sys.byteorder == "big":
        mixed.byteswap()
    return mixed.tobytes()


def _read(samples: bytes) -> array[int]:
    read = array("h", samples)
    if sys.byteorder == "big":
        read.byteswap()
    return read
