"""When a machine listens: after its beep, or when it has been silent for so long that none comes."""

from __future__ import annotations

from typing import Final

from callsheet.voice.detection.beep import BeepFinder
from callsheet.voice.detection.frames import FRAME_SECONDS, Frames
from callsheet.voice.detection.levels import level, samples_of

SILENT_SECONDS: Final = 4.0
"""Greetings pause for less."""
SILENT_DB: Final = -45.0
"""Of full scale: what is fainter is no greeting, but the noise of a line."""


class Readiness:
    """Hears whether a machine listens, in a stream of audio: 8 kHz, mono, 16 bits."""

    def __init__(self) -> None:
        self._frames = Frames()
        self._beeps = BeepFinder()
        self._silent_frames = 0

    def feed(self, pcm: bytes) -> bool:
        """Take audio in any portions; say whether it is time to speak."""
        for frame in self._frames.cut(pcm):
            self._silent_frames = self._silent_frames + 1 if level(samples_of(frame)) < SILENT_DB else 0
        return self._beeps.feed(pcm) is not None or self._silent_frames * FRAME_SECONDS >= SILENT_SECONDS
