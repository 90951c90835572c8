"""What the converter and its child process say to each other."""

from __future__ import annotations

from typing import Final

import msgspec

MOST_BYTES: Final = 25 * 1024 * 1024
"""A larger file is not read."""
MOST_SECONDS: Final = 600
"""A longer one is not taken: nobody listens to a prompt for that long."""


class Converted(msgspec.Struct, tag=True, frozen=True, array_like=True):
    """A file as our telephones play it."""

    wav: bytes
    source: str
    """What it was: `wav`, `mp3`, `ogg`."""
    milliseconds: int


class Refused(msgspec.Struct, tag=True, frozen=True, array_like=True):
    """It cannot be played; the sentence says why."""

    why: str


_encoder = msgspec.msgpack.Encoder()
_answers = msgspec.msgpack.Decoder(Converted | Refused)


def write_answer(answer: Converted | Refused) -> bytes:
    """Write what became of a file."""
    return _encoder.encode(answer)


def read_answer(body: bytes) -> Converted | Refused:
    """Read what became of a file."""
    answer: Converted | Refused = _answers.decode(body)
    return answer
