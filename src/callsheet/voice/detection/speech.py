"""When somebody speaks: voice activity that also stands out from the noise of the line.

The detector of voices takes a crowd, music and clicks for speech; so a frame counts only when it is louder, too, than
a threshold between the noise and the speech of this call. Both become known while the call goes on, so the threshold
moves, and what was heard before is judged again by it.
"""

from __future__ import annotations

from typing import NamedTuple

FLOOR_DB = -60
"""Fainter frames are as good as silent."""
NOISE_SHARE = 0.3
"""So much of what was heard is fainter than the noise is said to be,"""
FAINTEST_SHARE, MOST_VARIED_DB = 0.07, 15
"""unless that is so far above the faintest frames: then it is speech without pauses."""
SPEECH_SHARE = 0.95
LEAST_CONTRAST_DB, EARLY_FRAMES = 8, 100
"""Noise alone varies less, however little of it was heard;"""
LATER_CONTRAST_DB = 5
"""and after the first frames less is enough: somebody who talks without a pause hides how faint the noise is."""
MIDDLE = 0.8
"""The threshold lies so far from the noise to the speech,"""
MOST_ABOVE_DB = 10
"""and at most so far above the noise: the last syllable of a sentence is faint;"""
MOST_BELOW_DB = 13
"""but never further below the speech: then it is others in the room."""
STRONG_DB = 12
"""Speech that is less far below the loudest is of who spoke first; fainter speech may be of others in the room."""
NOBODY_DB = 1
"""No frame is so loud."""
WINDOW = 6
ENOUGH = 2
"""So many frames of the last `WINDOW` are speech: then somebody speaks."""
ENOUGH_STRONG = 3
"""So many of them are strong, then it is who spoke first: single peaks of a crowd are no words."""
WORD_FRAMES = 4
"""Fewer frames of speech are no word,"""
FORGET_FRAMES = 6
"""once nothing has followed them for so many frames."""
MASK = (1 << WINDOW) - 1


class Spoken(NamedTuple):
    """Who has spoken when, in frames."""

    first: int
    """-1: nobody has spoken."""
    last: int
    strong: int
    """The last frame that was as loud as who spoke first."""
    frames: int
    """So many were speech."""
    longest_pause: int
    pauses: int
    """So many pauses of at least `WINDOW` frames."""
    first_end: int
    """The last frame before the first pause."""


NOTHING = Spoken(-1, -1, -1, 0, 0, 0, -1)


class Speech:
    """Follows speech, frame by frame."""

    def __init__(self) -> None:
        self._levels: list[int] = []
        self._voices: list[bool] = []
        self._counts = [0] * (1 - FLOOR_DB)
        self._thresholds: tuple[int, int] | None = None
        self._judge = Judge()

    def feed(self, db: float, *, is_voice: bool) -> Spoken:
        """Take a frame; return who has spoken so far."""
        whole = min(0, max(FLOOR_DB, round(db)))
        self._levels.append(whole)
        self._voices.append(is_voice)
        self._counts[whole - FLOOR_DB] += 1
        self._follow()
        return self._words()

    def forget(self, first: int) -> None:
        """Take no frame from `first` on for speech, it was a tone; the next frame judges all again."""
        first = max(0, first)
        self._voices[first:] = [False] * (len(self._voices) - first)
        self._thresholds = None

    @property
    def noise_db(self) -> int:
        """What the faint frames are like."""
        return min(self._quantile(NOISE_SHARE), self._quantile(FAINTEST_SHARE) + MOST_VARIED_DB)

    @property
    def speech_db(self) -> int:
        """What the loud frames are like."""
        return self._quantile(SPEECH_SHARE)

    def _words(self) -> Spoken:
        spoken = self._judge.spoken
        return spoken if spoken.frames >= WORD_FRAMES else NOTHING

    def _quantile(self, share: float) -> int:
        wanted, seen = share * len(self._levels), 0
        for at, count in enumerate(self._counts):
            seen += count
            if seen > wanted:
                return at + FLOOR_DB
        return 0

    def _follow(self) -> None:
        noise, speech = self.noise_db, self.speech_db
        contrast = speech - noise
        above = max(min(round(MIDDLE * contrast), MOST_ABOVE_DB), contrast - MOST_BELOW_DB)
        least = LEAST_CONTRAST_DB if len(self._levels) <= EARLY_FRAMES else LATER_CONTRAST_DB
        thresholds = noise + above if contrast >= least else NOBODY_DB, speech - STRONG_DB
        if thresholds == self._thresholds:
            self._take(len(self._levels) - 1, *thresholds)
            return
        self._thresholds, self._judge = thresholds, Judge()
        for at in range(len(self._levels)):
            self._take(at, *thresholds)

    def _take(self, at: int, threshold: int, strong: int) -> None:
        level = self._levels[at]
        self._judge.take(at, is_speech=self._voices[at] and level >= threshold, is_strong=level >= strong)


class Judge:
    """Tells speech from single frames that look like it."""

    def __init__(self) -> None:
        self.spoken = NOTHING
        self._recent = 0
        self._recent_strong = 0

    def take(self, at: int, *, is_speech: bool, is_strong: bool) -> None:
        """Take the frame `at`; the frames come in order."""
        self._recent = (self._recent << 1 | is_speech) & MASK
        self._recent_strong = (self._recent_strong << 1 | (is_speech and is_strong)) & MASK
        if not is_speech or self._recent.bit_count() < ENOUGH:
            return
        first, last, strong, frames, longest, pauses, first_end = self.spoken
        begins = at - self._recent.bit_length() + 1
        pause = begins - last - 1
        if first < 0 or (frames < WORD_FRAMES and pause >= FORGET_FRAMES):
            self.spoken = Spoken(begins, at, at, self._recent.bit_count(), 0, 0, at)
            return
        if pause >= WINDOW:
            pauses += 1
            longest = max(longest, pause)
        elif not pauses:
            first_end = at
        fresh = self._recent & ((1 << min(at - last, WINDOW)) - 1)
        strong = at if is_strong and self._recent_strong.bit_count() >= ENOUGH_STRONG else strong
        self.spoken = Spoken(first, at, strong, frames + fresh.bit_count(), longest, pauses, first_end)
