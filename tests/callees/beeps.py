"""How well beeps are found in clips of callees."""

from __future__ import annotations

from collections.abc import Sequence

from callees.corpus import Clip
from callees.scoring import FRAME_BYTES, Share
from callsheet.voice.detection import Beep, BeepFinder
from callsheet.voice.detection.beep import NOT_BEEPS_HZ

SLACK_SECONDS = 0.12
AFTER_SECONDS = 0.5


def find_beeps(clips: Sequence[Clip]) -> tuple[Share, Share]:
    """Return how many beeps were found within half a second of their end, and how many clips have false ones.

    Beeps at the frequencies of fax machines and ringing are none for the finder, and not counted.
    """
    found = of = false = 0
    for clip in clips:
        heard = hear(clip)
        real = [beep for beep in heard if clip.beep_ends_at and abs(beep.ended_at - clip.beep_ends_at) < SLACK_SECONDS]
        false += len(real) < len(heard)
        if clip.beep_ends_at and not any(low - 2 <= clip.beep_hz <= high + 2 for low, high in NOT_BEEPS_HZ):
            of += 1
            found += any(beep.found_at - clip.beep_ends_at <= AFTER_SECONDS for beep in real)
    return Share(found, of), Share(false, len(clips))


def hear(clip: Clip) -> list[Beep]:
    """Return the beeps of a clip."""
    finder = BeepFinder()
    portions = (clip.pcm[at : at + FRAME_BYTES] for at in range(0, len(clip.pcm), FRAME_BYTES))
    return [beep for portion in portions if (beep := finder.feed(portion)) is not None]
