"""Transfers: who a caller is handed over to, whom nobody calls, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
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
_REACHED_ANYWHERE: Final = frozenset({"000", "112", "911", "999"})
"""Exchanges lead these to an emergency service in many countries where another number is the usual one."""


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
    """An emergency number, or one that is on a DNC list or has opted out; or all sending was stopped."""
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
    """A number (E.164), or a SIP address; its scheme is in small letters."""
    numbers: tuple[str, ...]
    """The telephone numbers (E.164) that this may reach: those of a SIP address are read from its user."""


def read_target(text: str, region: str | None) -> Target | Transferred:
    """Read whom a flow hands over to; what cannot, or must not, be called is the result."""
    said = text.strip()
    sip = _SIP.fullmatch(said)
    if sip is not None:
        if _may_reach_emergency(sip["user"], region):
            return Transferred.forbidden
        scheme, _, address = said.partition(":")
        return Target(f"{scheme.lower()}:{address}", _numbers_of(sip["user"], region))
    said = re.sub(r"^tel:", "", said, flags=re.IGNORECASE)
    if is_emergency(said, region):
        return Transferred.forbidden
    try:
        number = Number.parse(said, region).e164
    except BadNumber:
        return Transferred.invalid_number
    return Target(number, (number,))


def _may_reach_emergency(user: str, region: str | None) -> bool:
    """Tell whether the user of a SIP address may reach an emergency service, whatever the exchange there adds or takes.

    A prefix for an outside line, or a country code, may stand before the number.
    """
    digits = re.sub(r"[^0-9]", "", user)
    most = 3 if user.startswith("+") else 2 if digits.startswith(("00", "99")) else int(digits.startswith(("0", "9")))
    rests = [digits[cut:] for cut in range(most + 1)]
    return any(rest in _REACHED_ANYWHERE or is_emergency(rest, region) for rest in rests)


def _numbers_of(user: str, region: str | None) -> tuple[str, ...]:
    """Return the telephone numbers that the user of a SIP address may stand for."""
    found = dict[str, None]()
    for text in (user, f"+{user.lstrip('+')}"):
        with suppress(BadNumber):
            found[Number.parse(text, region).e164] = None
    return tuple(found)
