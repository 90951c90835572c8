"""When a machine listens: after its beep, or when it has been silent for so long that none comes."""

from __future__ import annotations

from typing import Final

from callsheet.voice.detection.beep import BeepFinder
from callsheet.voice.detection.frames import FRAME_SECONDS, Frames
from callsheet.voice.detection.levels import level, samples_of

SILENT_SECONDS: Final = 4.0
"""Greetings pause for less: no beep comes any more."""
SILENT_DB: Final = -45.0
"""Of full scale: what is fainter is no greeting, but the noise of a line."""


class Readiness:
    """Hears whether a machine listens, in a stream of audio: 8 kHz, mono, 16 bits."""

    def __init__(self, completion_seconds: float) -> None:
        """`completion_seconds`: after so much silence a greeting is over; a beep may follow."""
        self.has_stopped_speaking = False
        """It was silent for so long."""
        self.has_beeped = False
        self._completion_seconds = completion_seconds
        self._longest_silence = max(SILENT_SECONDS, completion_seconds)
        self._frames = Frames()
        self._beeps = BeepFinder()
        self._silent_frames = 0

    def feed(self, pcm: bytes) -> bool:
        """Take audio in any portions; say whether it is time to speak."""
        for frame in self._frames.cut(pcm):
            self._silent_frames = self._silent_frames + 1 if level(samples_of(frame)) < SILENT_DB else 0
            self.has_stopped_speaking |= self._silent_frames * FRAME_SECONDS >= self._completion_seconds
        self.has_beeped |= self._beeps.feed(pcm) is not None
        return self.has_beeped or self._silent_frames * FRAME_SECONDS >= self._longest_silence
