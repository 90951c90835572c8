"""Transfers: who a caller is handed over to, whom nobody calls, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from callsheet.core.outcome import Outcome
from callsheet.core.phone import BadNumber, Number, is_emergency

MOST_ANSWER_SECONDS: Final = 120
LEAST_ANSWER_SECONDS: Final = 5
USUAL_ANSWER_SECONDS: Final = 30
_SIP: Final = re.compile(
    r"sips?:(?P<user>[A-Za-z0-9+._-]{1,64})@(?P<host>[A-Za-z0-9.-]{1,253})(?::[0-9]{1,5})?", re.IGNORECASE
)


class Transferred(StrEnum):
    """What became of a transfer."""

    connected = "connected"
    """They talked."""
    busy = "busy"
    no_answer = "no_answer"
    rejected = "rejected"
    invalid_number = "invalid_number"
    """It is neither a telephone number nor a SIP address, or nobody has it."""
    unreachable = "unreachable"
    """The trunk failed, or nobody knows."""
    forbidden = "forbidden"
    """An emergency number, or one that is on a DNC list or has opted out."""
    no_room = "no_room"
    """Trunk or app allow no further call now."""
    no_agents = "no_agents"
    """The queue has neither agents nor a number."""


WHY: Final[Mapping[Transferred, str]] = {
    Transferred.busy: "The other side was busy.",
    Transferred.no_answer: "The other side did not answer in time.",
    Transferred.rejected: "The other side rejected the call.",
    Transferred.invalid_number: "The call is handed over to something that cannot be called.",
    Transferred.unreachable: "The other side could not be reached.",
    Transferred.forbidden: "Nobody is put through to this number.",
    Transferred.no_room: "No further call was allowed at this moment.",
    Transferred.no_agents: "The queue has neither agents nor a number.",
}

_OF_OUTCOMES: Final[Mapping[Outcome, Transferred]] = {
    Outcome.busy: Transferred.busy,
    Outcome.no_answer: Transferred.no_answer,
    Outcome.cancelled: Transferred.no_answer,
    Outcome.rejected: Transferred.rejected,
    Outcome.invalid_number: Transferred.invalid_number,
}


def of_outcome(outcome: Outcome) -> Transferred:
    """Return what an unanswered call to the other side makes of a transfer."""
    return _OF_OUTCOMES.get(outcome, Transferred.unreachable)


class Target(NamedTuple):
    """Whom to call."""

    to: str
    """A number (E.164), or a SIP address."""
    is_sip: bool


def read_target(text: str, region: str | None) -> Target | Transferred:
    """Read whom a flow hands over to; what cannot, or must not, be called is the result."""
    said = text.strip()
    sip = _SIP.fullmatch(said)
    if sip is not None:
        return Transferred.forbidden if is_emergency(sip["user"], region) else Target(said, is_sip=True)
    said = re.sub(r"^tel:", "", said, flags=re.IGNORECASE)
    if is_emergency(said, region):
        return Transferred.forbidden
    try:
        return Target(Number.parse(said, region).e164, is_sip=False)
    except BadNumber:
        return Transferred.invalid_number
