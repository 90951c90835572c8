"""WAV files as our telephones play them: 8 kHz, mono, 16 bits, and nothing in them but the sound."""

from __future__ import annotations

import struct
from typing import Final

RATE: Final = 8000
_SAMPLE_BYTES: Final = 2
BYTES_PER_SECOND: Final = RATE * _SAMPLE_BYTES
HEADER_BYTES: Final = 44
_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")


def write_wav(samples: bytes) -> bytes:
    """Return a file of samples: signed, 16 bits, little-endian."""
    return wave_header(len(samples)) + samples


def seconds_of(file: bytes, size: int | None = None) -> float | None:
    """Return how long a file plays that `write_wav` made; None: it is none, or a part of it is missing.

    The first `HEADER_BYTES` do, with the `size` of the whole.
    """
    size = len(file) if size is None else size
    length = size - HEADER_BYTES
    if length < 0 or file[:HEADER_BYTES] != wave_header(length):
        return None
    return length / BYTES_PER_SECOND


def wave_header(length: int) -> bytes:
    """Return how a file begins that has so many bytes of samples."""
    form = (16, 1, 1, RATE, BYTES_PER_SECOND, _SAMPLE_BYTES, 8 * _SAMPLE_BYTES)
    return _HEADER.pack(b"RIFF", length + HEADER_BYTES - 8, b"WAVE", b"fmt ", *form, b"data", length)
