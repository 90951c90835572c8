"""Resampling: sound at any rate becomes 8 kHz, without tones that were not there. It runs in child processes."""

from __future__ import annotations

from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from callsheet.voice.audio.wave import RATE

_LOUDEST: Final = 32_767


class Resampler:
    """Takes one channel piece by piece."""

    def __init__(self, rate: int) -> None:
        self._stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32")

    def take(self, block: NDArray[np.float32], *, is_last: bool) -> bytes:
        """Return what a piece adds: signed samples of 16 bits, little-endian. What is too loud is clipped."""
        part = self._stream.resample_chunk(block, last=is_last)
        return bytes((np.clip(part, -1.0, 1.0) * _LOUDEST).astype("<i2").tobytes())


def resample(samples: bytes, rate: int) -> bytes:
    """Return samples of 16 bits at 8 kHz."""
    block = np.frombuffer(samples, dtype="<i2").astype(np.float32) / np.float32(_LOUDEST + 1)
    return Resampler(rate).take(block, is_last=True)
