"""What a caller hears while somebody else's phone rings."""

import numpy as np
import pytest

from callsheet.voice.audio.ringing import RESTS_SECONDS, SOUNDS_SECONDS, ringing
from callsheet.voice.audio.wave import HEADER_BYTES, RATE, seconds_of
from callsheet.voice.detection import Detector


def test_it_rings_and_rests_as_a_phone_does():
    file = ringing()
    samples = np.frombuffer(file[HEADER_BYTES:], dtype="<i2").astype(float)
    ring = samples[: RATE * SOUNDS_SECONDS]

    assert seconds_of(file) == SOUNDS_SECONDS + RESTS_SECONDS
    assert not samples[len(ring) :].any()
    spectrum = np.abs(np.fft.rfft(ring)) / len(ring) * 2
    loud = {round(place / SOUNDS_SECONDS): level for place, level in enumerate(spectrum) if level > 100}
    assert loud == {440: pytest.approx(2561, rel=0.01), 480: pytest.approx(2561, rel=0.01)}


def test_what_listens_to_calls_takes_it_for_ringing():
    verdict = Detector().feed(ringing()[HEADER_BYTES:] * 3)

    assert verdict is not None
    assert (verdict.outcome, verdict.reason) == ("unsure", "ringback")
