"""Audio in frames of 20 ms, however it comes."""

from __future__ import annotations

from collections.abc import Iterator

RATE = 8000
FRAME_SECONDS = 0.02
FRAME_SAMPLES = 160
FRAME_BYTES = 2 * FRAME_SAMPLES


class Frames:
    """Cuts what comes in chunks of any size into frames; keeps less than one."""

    def __init__(self) -> None:
        self._rest = b""

    def cut(self, pcm: bytes) -> Iterator[bytes]:
        """Yield the frames that are whole now. What is not taken from the iterator is dropped."""
        whole = self._rest + pcm
        end = len(whole) // FRAME_BYTES * FRAME_BYTES
        self._rest = whole[end:]
        for at in range(0, end, FRAME_BYTES):
            yield whole[at : at + FRAME_BYTES]
