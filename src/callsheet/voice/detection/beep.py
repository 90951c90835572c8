"""The beep after a machine's greeting: when it is over, the machine listens."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from callsheet.voice.detection.frames import FRAME_SECONDS, Frames
from callsheet.voice.detection.levels import level, samples_of
from callsheet.voice.detection.tones import Tone, Tones

SHORTEST_SECONDS, LONGEST_SECONDS = 0.12, 1.2
LOWEST_HZ, HIGHEST_HZ = 350.0, 2200.0
Bands = tuple[tuple[float, float], ...]
NOT_BEEPS_HZ: Bands = ((413.0, 437.0), (1080.0, 1120.0), (2080.0, 2120.0))
"""A ringing or busy tone of one frequency (ITU-T E.180), the calling and the answering fax (ITU-T T.30)."""
QUIET_SECONDS = 0.3
"""After a beep nobody speaks for so long, and no other tone comes."""
QUIET_FRAMES = round(QUIET_SECONDS / FRAME_SECONDS)
QUIET_DB = 8.0
"""So much fainter than the beep is what counts as quiet."""
LOUD_FRAMES = 3
"""So many frames of the quiet may be loud: a click, the edge of the beep."""
BESIDE_SECONDS = 0.3
"""A tone that follows another one so soon is part of a melody, or of a signal of the network."""


class Beep(NamedTuple):
    """A beep that was heard. Seconds, from the first audio."""

    hz: float
    started_at: float
    ended_at: float
    found_at: float


class BeepFinder:
    """Finds beeps in a stream of audio: 8 kHz, mono, 16 bits."""

    def __init__(self) -> None:
        self._frames = Frames()
        self._tones = Tones()
        self._beeps = Beeps()

    def feed(self, pcm: bytes) -> Beep | None:
        """Take audio in any portions; return the last beep that was found in it."""
        found = None
        for frame in self._frames.cut(pcm):
            samples = samples_of(frame)
            db = level(samples)
            ended = self._tones.feed(samples, db)
            found = self._beeps.feed(ended, self._tones.sounding(), db) or found
        return found


class Beeps:
    """Tells beeps from other tones, by what they are and by what comes after them."""

    def __init__(self, not_beeps_hz: Bands = NOT_BEEPS_HZ) -> None:
        self._not_beeps_hz = not_beeps_hz
        self._at = -1
        self._levels: deque[float] = deque(maxlen=QUIET_FRAMES)
        self._candidate: Tone | None = None
        self._latest = -round(BESIDE_SECONDS / FRAME_SECONDS) - 1
        """The last frame of the latest tone."""

    @property
    def is_listening(self) -> bool:
        """Tell whether there was a tone that may prove to be a beep."""
        return self._candidate is not None

    def feed(self, ended: Tone | None, sounding: Tone | None, db: float) -> Beep | None:
        """Take what a frame has shown; return the beep that is certain now."""
        self._at += 1
        self._levels.append(db)
        if ended is not None:
            is_alone = (ended.first - self._latest) * FRAME_SECONDS > BESIDE_SECONDS
            self._candidate = ended if is_alone and is_like_a_beep(ended, self._not_beeps_hz) else None
            self._latest = ended.last
        tone = self._candidate
        if tone is None or self._at < tone.last + QUIET_FRAMES:
            return None
        self._candidate = None
        loud = sum(db > tone.db - QUIET_DB for db in self._levels)
        goes_on = sounding is not None and sounding.first > tone.last
        if goes_on or loud > LOUD_FRAMES:
            return None
        return Beep(
            tone.hz, tone.first * FRAME_SECONDS, tone.last * FRAME_SECONDS, round((self._at + 1) * FRAME_SECONDS, 2)
        )


def is_like_a_beep(tone: Tone, not_beeps_hz: Bands) -> bool:
    """Tell whether a tone that has ended may be a beep."""
    return (
        SHORTEST_SECONDS <= tone.seconds <= LONGEST_SECONDS
        and LOWEST_HZ <= tone.hz <= HIGHEST_HZ
        and tone.is_of_a_machine
        and not any(low <= tone.hz <= high for low, high in not_beeps_hz)
    )
