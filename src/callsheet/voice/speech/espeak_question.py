"""What the speaker and the process of eSpeak NG say to each other."""

from __future__ import annotations

import msgspec


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """What is to be spoken, and how."""

    text: str
    language: str
    voice: str


class Spoken(msgspec.Struct, tag=True, frozen=True, array_like=True):
    """What was spoken: a WAV file, 8 kHz, mono, 16 bits."""

    wav: bytes


class Silent(msgspec.Struct, tag=True, frozen=True, array_like=True):
    """It cannot be spoken; the sentence says why."""

    why: str


_encoder = msgspec.msgpack.Encoder()
_asked = msgspec.msgpack.Decoder(Asked)
_answers = msgspec.msgpack.Decoder(Spoken | Silent)


def write(said: Asked | Spoken | Silent) -> bytes:
    """Write either side."""
    return _encoder.encode(said)


def read_asked(body: bytes) -> Asked:
    """Read what is to be spoken."""
    return _asked.decode(body)


def read_answer(body: bytes) -> Spoken | Silent:
    """Read what came of it."""
    answer: Spoken | Silent = _answers.decode(body)
    return answer
