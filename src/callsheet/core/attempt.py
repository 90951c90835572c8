"""Attempts and what happens to them.

An attempt is one try to reach one contact in one run. Its row is the intent, durable before the first byte leaves;
everything after that is an event, unique by (attempt, kind). The state of an attempt is the furthest of its events in
a lattice that never moves backwards, whatever order receipts come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What can happen to an attempt.

    `refused` is a definite "not now" of the carrier (throttled, queue full), `rejected` a definite "never" (invalid
    number). `withdrawn` was taken back by us before the first byte left. `uncertain` means that nobody can know yet
    whether the carrier took it: only evidence settles it.
    """

    uncertain = "uncertain"
    withdrawn = "withdrawn"
    refused = "refused"
    rejected = "rejected"
    accepted = "accepted"
    undelivered = "undelivered"
    delivered = "delivered"


PENDING = "pending"
"""The state of an attempt without an event: armed, and held by a node."""

# Carriers report "delivered" before "accepted" now and then, and after "undelivered" once in a while. A message that
# a handset confirmed has arrived, whatever was said before it. No two are equal: the order of arrival decides nothing.
RANK: Mapping[str, int] = {
    PENDING: 0,
    Kind.uncertain: 1,
    Kind.withdrawn: 2,
    Kind.refused: 3,
    Kind.accepted: 4,
    Kind.rejected: 5,
    Kind.undelivered: 6,
    Kind.delivered: 7,
}
"""How far each state is: the furthest of its events is the state of an attempt."""

NOT_TAKEN = frozenset({Kind.withdrawn, Kind.refused})
"""The carrier did not take these tries: they use up no attempt, and the contact comes again."""

FINAL = frozenset({Kind.rejected, Kind.undelivered, Kind.delivered})
"""Nothing more is expected after these."""

UNREACHED = NOT_TAKEN | {Kind.rejected, Kind.undelivered}
"""A person whose every attempt ended like this was not reached. Whoever is in doubt counts as reached."""

UNSENT = frozenset({"unreadable_number", "unrenderable", "empty_message"})
"""Codes of attempts that were rejected by us: no carrier was asked, and nothing more is heard of them."""

INCOMPLETE = "incomplete"
"""The code of an undelivered text of which the person has, or may have, a part: it does not come again."""


def advance(state: str, kind: str) -> str:
    """Return the state after one more event: never a step backwards."""
    return kind if RANK[kind] > RANK[state] else state


def fold(kinds: Iterable[str]) -> str:
    """Return the state that a set of events amounts to, in whatever order they came."""
    return max(kinds, key=RANK.__getitem__, default=PENDING)


def beyond(state: str) -> frozenset[Kind]:
    """Return the events that would have moved an attempt on from a state."""
    return frozenset(kind for kind in Kind if RANK[kind] > RANK[state])


class Intent(NamedTuple):
    """A contact that was armed: it may be handed to the line before `deadline`, and to nobody else."""

    app: int
    run_no: int
    person: bytes
    n: int
    used: int
    """Attempts used when this one counts: tries minus refused and withdrawn ones."""
    list_no: int
    pos: int
    group_no: int
    arm_no: int
    number: str
    attributes: Mapping[str, str]
    sender_no: int = 0
    """Through which sender; 0: the run's own."""


class Happening(NamedTuple):
    """Something that happened to an attempt, as the line or a receipt tells it."""

    run_no: int
    person: bytes
    n: int
    kind: Kind
    at: datetime
    code: str = ""
    """Why, in a stable word or the carrier's own code; empty when there is nothing to say."""
    ref: str = ""
    """The carrier's id of the message."""
    segments: int = 0


SAID_LENGTH = 255


def as_said(words: str) -> str:
    """Return what a carrier says, as every database can keep it: what can be printed, at most 255 characters."""
    kept = words[:SAID_LENGTH]
    return kept if kept.isprintable() else "".join(filter(str.isprintable, kept))


class Disposition(StrEnum):
    """How a contact of a run stands, in words for people: the state of its latest attempt, or why there is none."""

    delivered = "delivered"
    undelivered = "undelivered"
    rejected = "rejected"
    accepted = "accepted"
    uncertain = "uncertain"
    pending = "pending"
    waiting = "waiting"
    suppressed = "suppressed"
    duplicate = "duplicate"
