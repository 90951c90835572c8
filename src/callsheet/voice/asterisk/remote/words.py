"""What a node elsewhere and we tell each other, besides what its Asterisk tells: messages of one websocket."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

import msgspec

from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.place import Registration
from callsheet.voice.asterisk.records import Record

VERSION: Final = 1
"""Of these words: both sides have to speak the same."""
JOIN_PATH: Final = "/join"
"""Where a node's own process connects to: it looks after the Asterisk that connects beside it."""
SOUNDS_PATH: Final = "/sounds/"
"""Where a node fetches a sound, by its id."""
RECORDINGS_PATH: Final = "/recordings/"
"""Where a node brings a recording, by its name."""
SAFE_NAME: Final = r"[0-9A-Za-z][0-9A-Za-z_-]{0,190}"
"""What ids of sounds, names of recordings and names of nodes look like: none leads out of a folder."""


Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class _Word(msgspec.Struct, frozen=True, tag=True):
    """A message."""


# What the node says.


class Hello(_Word, frozen=True):
    """The first message of a connection."""

    version: int
    instance: str
    """Made once, and kept: two nodes of one name are told apart by it."""
    most_calls: int
    trunks: list[str] | None = None
    """It calls through these only; None: through all."""
    is_draining: bool = False


class Stands(_Word, frozen=True):
    """How its Asterisk stands."""

    state: str
    why: str = ""
    version: str = ""


class Knows(_Word, frozen=True):
    """The trunks that its Asterisk has been told of: it calls through these."""

    trunks: list[str]


class Registers(_Word, frozen=True):
    """How its trunks that register stand with their providers."""

    stands: dict[str, Registration]


class Died(_Word, frozen=True):
    """Its Asterisk is dead, and all its calls with it."""

    why: str


class Emptying(_Word, frozen=True):
    """It is to get no calls, or gets them again, as somebody at the node wishes."""

    is_draining: bool


class Kept(_Word, frozen=True):
    """The answer to Drain: it will remember that."""

    is_draining: bool


class IsWell(_Word, frozen=True):
    """A question: does its Asterisk answer us."""

    no: int


class Done(_Word, frozen=True):
    """The answer to what was asked of it."""

    no: int
    is_done: bool


class Said(_Word, frozen=True):
    """What call records say: the answer to RecordsOf."""

    no: int
    records: dict[str, tuple[Instant, int, Instant | None]]
    """By call: when it ended, the cause, and when it was answered."""


# What we say.


class Trunks(_Word, frozen=True):
    """All trunks that it is to have, instead of those before."""

    trunks: list[SipTrunk]


class Shelve(_Word, frozen=True):
    """Fetch a sound, unless it is there."""

    no: int
    sound: str


class Bring(_Word, frozen=True):
    """Bring a recording, and delete it when it has been taken."""

    no: int
    recording: str


class RecordsOf(_Word, frozen=True):
    """A question: what do the call records say."""

    no: int
    ids: list[str]


class Drain(_Word, frozen=True):
    """It gets no more calls, or gets them again: it remembers that for us."""

    is_draining: bool


class Wellness(_Word, frozen=True):
    """The answer to IsWell."""

    no: int
    is_well: bool


class Refused(_Word, frozen=True):
    """We do not take it; the connection ends."""

    why: str


FromNode = Hello | Stands | Knows | Registers | Died | Emptying | Kept | IsWell | Done | Said
ToNode = Trunks | Shelve | Bring | RecordsOf | Drain | Wellness | Refused

_from_node: Final = msgspec.json.Decoder(FromNode)
_to_node: Final = msgspec.json.Decoder(ToNode)
_encode: Final = msgspec.json.Encoder().encode


def read_from_node(text: str) -> FromNode:
    """Return what a node says. Raises msgspec.DecodeError."""
    word: FromNode = _from_node.decode(text)
    return word


def read_to_node(text: str) -> ToNode:
    """Return what a node is told. Raises msgspec.DecodeError."""
    word: ToNode = _to_node.decode(text)
    return word


def write(word: FromNode | ToNode) -> str:
    """Return a message."""
    return _encode(word).decode()


def said_of(records: Mapping[str, Record]) -> dict[str, tuple[datetime, int, datetime | None]]:
    """Return call records as they are told."""
    return {name: (record.ended_at, record.cause, record.answered_at) for name, record in records.items()}


def records_of(said: Said) -> dict[str, Record]:
    """Return call records as they were told."""
    return {name: Record(*each) for name, each in said.records.items()}
