"""When a machine listens: after its beep, or after a silence that no beep follows."""

import pytest

from callsheet.voice.detection.readiness import Readiness

SECOND = 16_000
"""Octets."""


@pytest.mark.parametrize(("completion", "ready_after"), [(0.5, 4), (2.0, 4), (6.0, 6)])
def test_a_greeting_is_over_after_the_silence_that_the_campaign_says(completion, ready_after):
    hears = Readiness(completion)
    tenths = [hears.feed(b"\0" * (SECOND // 10)) for _ in range(int(completion * 10))]

    assert hears.has_stopped_speaking
    assert tenths[:-1] == [False] * (len(tenths) - 1)
    while not hears.feed(b"\0" * (SECOND // 10)) and len(tenths) < 100:
        tenths.append(False)
    assert abs(len(tenths) / 10 - ready_after) <= 0.3
    assert not hears.has_beeped
