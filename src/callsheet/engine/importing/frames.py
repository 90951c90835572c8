"""Frames: what the importer and the process that reads files for it say to each other.

A frame is its length in four bytes, big-endian, and a MessagePack document. The importer sends one `Source`, then an
empty frame for each block that it wants; each is answered by one frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from callsheet.engine.importing.blocks import Block, Source

LENGTH_BYTES = 4
ASK = bytes(LENGTH_BYTES)
"""Asks for the next block."""


class Opened(msgspec.Struct, tag=True, frozen=True, array_like=True):
    """The file can be read; it has these columns."""

    columns: Sequence[str]


class Refused(msgspec.Struct, tag=True, frozen=True, array_like=True):
    """No row of the file can be imported; the sentence says why."""

    problem: str


class Broke(msgspec.Struct, tag=True, frozen=True, array_like=True):
    """Reading broke in a way that nobody foresaw. Only its kind and place: a message might quote a number."""

    error: str
    place: str


Answer = Opened | Refused | Broke | Block

_encoder = msgspec.msgpack.Encoder()
_answers = msgspec.msgpack.Decoder(Answer)
_sources = msgspec.msgpack.Decoder(Source)


def pack(said: Answer | Source) -> bytes:
    """Write a frame."""
    body = _encoder.encode(said)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def read_answer(body: bytes) -> Answer:
    """Read what the process says."""
    answer: Answer = _answers.decode(body)
    return answer


def read_source(body: bytes) -> Source:
    """Read which file the importer wants read."""
    return _sources.decode(body)
