"""Texts count as many segments here as in Twilio's own calculator: a difference is a wrong bill for somebody."""

import random

import pytest

from callsheet.core.segments import GSM_BASIC, GSM_EXTENSION, measure
from strangers.segments import twilio_segments

ALL = 3_000
SAMPLE = 600
# Characters that cut differently: two units, joined, combining, outside the alphabet though they look inside.
STRANGE = "çéαЖ一あ가é\u200b‘’“”`\u00a0\t\r\n😀👨\u200d👩👧🇮🇳🇬🇧न\u093f"  # noqa: RUF001
# A skin stands after a person here: on a letter that calculator cuts it off, by rules older than ours.
GRAPHEMES = ["e\u0301", "👨‍👩‍👧", "👍🏽", "🇮🇳", "नि", "각", "\r\n"]


def text(random_: random.Random) -> str:
    """Return a text of a length near a border, of one of the kinds that people write."""
    length = random_.choice(
        [*range(12), *range(60, 75), *range(128, 140), *range(150, 170), *range(300, 330), 460, 900]
    )
    kind = random_.choice(
        [GSM_BASIC, GSM_BASIC, GSM_BASIC + GSM_EXTENSION, GSM_EXTENSION, GSM_BASIC + STRANGE, STRANGE]
    )
    letters = random_.choices(kind, k=length)
    if random_.random() < 0.2:
        letters.insert(random_.randrange(length + 1), random_.choice(GRAPHEMES))
    return "".join(letters)


@pytest.mark.parametrize("count", [SAMPLE, pytest.param(ALL, marks=pytest.mark.full)])
def test_segments_are_counted_as_twilio_counts_them(count):
    random_ = random.Random(count)
    texts = [text(random_) for _ in range(count)]

    theirs = twilio_segments(texts)

    ours = [(size.encoding, size.count) for size in map(measure, texts)]
    assert [(t, o, w) for t, o, w in zip(texts, ours, theirs, strict=True) if o != w] == []
