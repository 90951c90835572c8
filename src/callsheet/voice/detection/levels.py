"""How loud a frame is."""

from __future__ import annotations

import math

import numpy as np

from callsheet.voice.detection.spectrum import Samples

FULL_SCALE = 32768.0


def samples_of(frame: bytes) -> Samples:
    """Return a frame's samples, between -1 and 1."""
    return np.frombuffer(frame, "<i2") / FULL_SCALE


def level(samples: Samples) -> float:
    """Return the power in dB of full scale: -100 is silence."""
    return 10 * math.log10(float(samples @ samples) / len(samples) + 1e-10)
