"""What single tone a moment of audio is, if it is one."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from callsheet.voice.detection.frames import FRAME_SAMPLES, RATE

Samples = NDArray[np.float64]

WINDOW = 2 * FRAME_SAMPLES
"""Two frames: 25 Hz apart is then a line of its own."""
SIZE = 512
BIN_HZ = RATE / SIZE
WEIGHTS = np.hanning(WINDOW)
LOBE = 5
"""So many lines on each side belong to the peak itself, by the shape of the window."""
LOWEST_HZ, HIGHEST_HZ = 350.0, 2250.0
FIRST, LAST = math.floor(LOWEST_HZ / BIN_HZ), math.ceil(HIGHEST_HZ / BIN_HZ)
ITS_OWN = (1, 3, 5)
"""Clipping gives a tone odd harmonics; a voice has even ones, too."""
PROMINENCE_DB = 15.0
"""So much a tone stands above everything else."""
PROMINENCE = 10 ** (PROMINENCE_DB / 10)
BLOCK = 40
"""5 ms: two tones that are close together beat, and show here."""
STEADY = 0.35
"""The faintest block of a single tone has at least so much of the power of the loudest."""
FAINTEST_DB = -50.0


class Line(NamedTuple):
    """One tone, and nothing beside it."""

    hz: float
    is_steady: bool
    """It does not beat: it is one tone, not two that are close together."""


def find_line(samples: Samples) -> Line | None:
    """Return the tone that two frames are, or None."""
    power = np.abs(np.fft.rfft(samples * WEIGHTS, SIZE)) ** 2
    peak = int(power[FIRST : LAST + 1].argmax()) + FIRST
    here = float(power[peak])
    others = power.copy()
    for multiple in ITS_OWN:
        others[max(0, multiple * peak - LOBE) : multiple * peak + LOBE + 1] = 0.0
    if here <= 0.0 or here < PROMINENCE * float(others.max()):
        return None
    below, above = math.log(power[peak - 1] + 1e-9), math.log(power[peak + 1] + 1e-9)
    curve = below - 2 * math.log(here) + above
    shift = 0.5 * (below - above) / curve if curve else 0.0
    blocks = (samples.reshape(-1, BLOCK) ** 2).mean(axis=1)
    return Line((peak + shift) * BIN_HZ, bool(blocks.min() >= STEADY * blocks.max()))
