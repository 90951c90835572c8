"""Tones that no person makes: fax machines, and what the network says by tones."""

from __future__ import annotations

from callsheet.core.detection import Reason
from callsheet.voice.detection.frames import FRAME_SECONDS
from callsheet.voice.detection.tones import Tone

FAX_HZ = (1100.0, 2100.0)
"""The calling and the answering fax (ITU-T T.30); a modem answers as a fax does (V.25)."""
FAX_WITHIN_HZ = 25.0
FAX_SECONDS = 0.4
SIT_HZ = ((900.0, 1010.0), (1340.0, 1450.0), (1740.0, 1850.0))
"""Special information tones, one after the other (ITU-T E.180, and what is sent in North America)."""
SIT_SECONDS = (0.2, 0.5)
SIT_GAP_SECONDS = 0.2
RING_HZ = (390.0, 500.0)
"""440 and 480 Hz at once, or 400 and 450, or 425 alone."""
RING_SECONDS = 0.7


class Signals:
    """Names the signals among the tones that come."""

    def __init__(self) -> None:
        self._step = 0
        self._latest = 0

    def feed(self, ended: Tone | None, sounding: Tone | None) -> Reason | None:
        """Take what a frame has shown; return the signal that is certain now."""
        for tone in (ended, sounding):
            if tone is not None and is_fax(tone):
                return Reason.fax
            if tone is not None and is_ringing(tone):
                return Reason.ringback
        return Reason.announcement if ended is not None and self._steps_up(ended) else None

    def _steps_up(self, tone: Tone) -> bool:
        """Take the next tone; tell whether it is the last of the three."""
        follows = (tone.first - self._latest) * FRAME_SECONDS <= SIT_GAP_SECONDS
        self._latest = tone.last
        at = self._step if follows else 0
        low, high = SIT_HZ[at]
        fits = low <= tone.hz <= high and SIT_SECONDS[0] <= tone.seconds <= SIT_SECONDS[1]
        self._step = at + 1 if fits else 0
        if self._step < len(SIT_HZ):
            return False
        self._step = 0
        return True


def is_fax(tone: Tone) -> bool:
    """Tell whether a tone is one of a fax machine."""
    near = any(abs(tone.hz - hz) <= FAX_WITHIN_HZ for hz in FAX_HZ)
    return near and tone.is_single and tone.seconds >= FAX_SECONDS


def is_ringing(tone: Tone) -> bool:
    """Tell whether a tone is what a caller hears while it rings."""
    low, high = RING_HZ
    is_alone = abs(tone.hz - 425.0) <= 12.0
    return low <= tone.hz <= high and tone.seconds >= RING_SECONDS and (is_alone or not tone.is_single)
