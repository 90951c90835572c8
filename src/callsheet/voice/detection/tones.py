"""Single tones in a stream of frames: where each begins and ends, and whether it is one."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from callsheet.voice.detection.frames import FRAME_SAMPLES, FRAME_SECONDS
from callsheet.voice.detection.spectrum import FAINTEST_DB, WINDOW, Samples, find_line

STABLE_HZ = 20.0
BEATING_HZ = 45.0
"""Two tones that beat pull the line to and fro."""
GAP_FRAMES = 7
"""A tone outlives lost packets of this many frames."""
SHORTEST_FRAMES = 3
MOST_WANDER_HZ = 4.0
"""A machine's tone strays by less than 1 Hz, a voice by more than 5."""


class Tone(NamedTuple):
    """A tone that sounds, or has ended."""

    hz: float
    first: int
    """The frame with which it began."""
    last: int
    """The last frame that was of it."""
    steady_share: float
    """1: one tone; 0: two that beat."""
    wander_hz: float
    """How far it strays from its frequency (standard deviation)."""
    db: float
    """How loud, in dB of full scale."""

    @property
    def frames(self) -> int:
        """Return how many frames it has lasted."""
        return self.last - self.first + 1

    @property
    def seconds(self) -> float:
        """Return how long it has lasted."""
        return self.frames * FRAME_SECONDS

    @property
    def is_single(self) -> bool:
        """Tell whether it is one tone rather than two."""
        return self.steady_share >= 0.5

    @property
    def is_of_a_machine(self) -> bool:
        """Tell whether no voice holds a tone like this one."""
        return self.is_single and self.wander_hz <= MOST_WANDER_HZ


class Tones:
    """Follows the tone that sounds, if one does."""

    def __init__(self) -> None:
        self._before: Samples = np.zeros(FRAME_SAMPLES)
        self._at = -1
        self._lines = 0
        self._steady = 0
        self._hz = 0.0
        self._spread = 0.0
        self._power = 0.0
        self._first = 0
        self._last = 0

    def feed(self, samples: Samples, db: float) -> Tone | None:
        """Take a frame and its level; return the tone that has ended with it."""
        self._at += 1
        both = np.concatenate((self._before, samples))
        self._before = samples
        line = find_line(both) if db > FAINTEST_DB else None
        ended = None
        tolerance = STABLE_HZ if line is not None and line.is_steady else BEATING_HZ
        if line is not None and self._lines and abs(line.hz - self._hz) <= tolerance:
            strayed = line.hz - self._hz
            self._hz += strayed / (self._lines + 1)
            self._spread += strayed * (line.hz - self._hz)
        elif line is not None:
            ended = self._end()
            self._hz, self._spread, self._first = line.hz, 0.0, self._at
        elif self._lines and self._at - self._last > GAP_FRAMES:
            return self._end()
        if line is not None:
            self._lines += 1
            self._steady += line.is_steady
            self._power += float(both @ both) / WINDOW
            self._last = self._at
        return ended

    def sounding(self) -> Tone | None:
        """Return the tone that sounds now, or sounded a moment ago; None: none that is long enough."""
        if self._lines < SHORTEST_FRAMES:
            return None
        db = 10 * math.log10(self._power / self._lines + 1e-10)
        wander = math.sqrt(max(0.0, self._spread) / self._lines)
        return Tone(self._hz, self._first, self._last, self._steady / self._lines, wander, db)

    def _end(self) -> Tone | None:
        tone = self.sounding()
        self._lines = self._steady = 0
        self._power = 0.0
        return tone
