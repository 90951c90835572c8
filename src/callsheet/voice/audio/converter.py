"""Converter: audio files become what our telephones play, in a process of their own."""

from __future__ import annotations

from typing import Final

from callsheet.voice.audio.question import MOST_BYTES, Converted, Refused, read_answer
from callsheet.voice.child.process import Child, ChildBroke

WORKER: Final = "callsheet.voice.audio.worker"
_BROKE: Final = "It could not be read: decoding it broke, or took too long."


class Converter:
    """Converts files, one after the other."""

    def __init__(self) -> None:
        self.child = Child(WORKER)
        self.close = self.child.close

    async def convert(self, file: bytes) -> Converted | Refused:
        """Return a WAV, MP3 or OGG file as 8 kHz, mono, 16 bits, or why it cannot be."""
        if not file:
            return Refused("The file is empty.")
        if len(file) > MOST_BYTES:
            return Refused(f"The file is larger than {MOST_BYTES // 1024**2} MiB.")
        try:
            return read_answer(await self.child.ask(file))
        except ChildBroke:
            return Refused(_BROKE)
