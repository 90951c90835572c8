"""What checks and rehearsals of flows answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from callsheet.client.record import Record


class Finding(Record, frozen=True):
    """Something wrong with a document."""

    path: str
    message: str
    severity: str
    """`error` or `warning`."""


class Validation(Record, frozen=True):
    """What was found in a document."""

    is_valid: bool
    findings: tuple[Finding, ...]


class Effect(Record, frozen=True):
    """Something that would be done, or that was given."""

    kind: str
    details: dict[str, Any]


class Visit(Record, frozen=True):
    """A block that was come to and waits, or that was left."""

    no: int
    flow: str
    block: str
    name: str
    kind: str
    at: datetime
    has_left: bool
    exit: str
    is_question: bool
    value: Any
    response: str | None
    why: str


class Turn(Record, frozen=True):
    """What came of one reply; the first turn is the beginning."""

    at: datetime
    given: Effect | None
    was_taken: bool
    why: str
    says: str
    effects: tuple[Effect, ...]
    visits: tuple[Visit, ...]


class Collected(Record, frozen=True):
    """What a block collected last."""

    flow: str
    block: str
    name: str
    exit: str
    value: Any
    response: str | None


class Standing(Record, frozen=True):
    """Where a conversation stands."""

    awaits: str
    wakes_at: datetime | None
    ending: str | None
    why: str
    flow: str
    block: str
    block_name: str
    language: str
    replies: int
    queue: str
    disposition: str
    changed: dict[str, str]
    groups: dict[str, str]


class Transcript(Record, frozen=True):
    """A rehearsal."""

    version: int | None
    turns: tuple[Turn, ...]
    stands: Standing
    results: tuple[Collected, ...]
