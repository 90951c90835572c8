"""Calls: what is dialed, how a call ended, and what that makes of its attempt.

How a call ended is decided from the Q.850 cause, the SIP status and our own timers, never from a dial status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from callsheet.core.attempt import FINAL, PENDING, Kind, fold
from callsheet.core.breaker import Outcome as Sign
from callsheet.core.campaign import MachineDetection
from callsheet.core.clearing import Sureness, meaning_of
from callsheet.core.outcome import Outcome

__all__ = [
    "Clearing", "Dial", "Outcome", "decide_outcome", "happening_of", "is_sudden", "outcome_of_left", "result_of",
    "sign_of",
]  # fmt: skip


TALKS = frozenset({Outcome.human, Outcome.unsure, Outcome.machine})
"""After these a call is led through the flow of its campaign: somebody, or something, is there to hear it."""


class Clearing(NamedTuple):
    """How a call ended, as a voice engine tells it, with what our own timers know."""

    cause: int
    """Q.850 (ITU-T); 0: none was given."""
    sip_status: int
    """The final SIP status; 0: none came."""
    was_answered: bool
    has_rung: bool
    """It rang, or early media came: the callee's side had it."""
    ring_ran_out: bool
    """It ended when the time was over for which it may ring."""
    was_cancelled: bool
    """We took it back before it was answered."""
    is_lost: bool = False
    """What carried it broke: the engine died, or cannot say."""
    is_crowded_out: bool = False
    """Its trunk turned it away with others, all at once: it takes no more calls."""
    was_answered_late: bool = False
    """Somebody answered at the moment when we took it back: they heard nothing."""


class Dial(NamedTuple):
    """A call, ready to be placed."""

    reference: str
    """Our attempt id, and the id of its channel: a second call of the same id is refused by the engine itself."""
    to: str
    """E.164."""
    sender: str
    """The caller ID that the contact sees."""
    ring_seconds: int
    detection: MachineDetection
    campaign_id: str
    longest_seconds: int
    """The call is ended when it lasts longer, whoever forgot it."""


_PICKED_UP: Final = 2
"""The class of a status that says that somebody picked up. No sound ever came: they are not called again for that."""

SUDDEN_SECONDS: Final = 1.0
"""Who was turned away sooner was so before any phone could ring."""
SILENT_SECONDS: Final = 8.0
"""A provider that says nothing at all for so long, not even that it tries, is not there: the engine ends the call."""
_NOBODY_THERE: Final = 480
"""Said of a phone that is off, and by trunks that take no more calls."""
_LOCKED_OUT: Final = frozenset({401, 402, 407})
"""Said of our account: no call goes before somebody mends that."""

_KINDS: Final[Mapping[Outcome, Kind]] = {
    Outcome.human: Kind.delivered,
    Outcome.unsure: Kind.delivered,
    Outcome.machine: Kind.delivered,
    Outcome.lost: Kind.delivered,
    Outcome.busy: Kind.undelivered,
    Outcome.no_answer: Kind.undelivered,
    Outcome.rejected: Kind.undelivered,
    Outcome.cancelled: Kind.undelivered,
    Outcome.invalid_number: Kind.rejected,
    Outcome.trunk_failed: Kind.refused,
    Outcome.uncertain: Kind.uncertain,
}


def decide_outcome(clearing: Clearing) -> Outcome:
    """Return what came of a call that nobody answered, or that was lost; an answered one is `human`.

    Who answered is for machine detection to say. What we know ourselves comes before what the network says: its answer
    to our ring time-out looks like its own "nobody is there".
    """
    match clearing:
        case Clearing(was_answered_late=True) | Clearing(is_lost=True, was_answered=True):
            # Whoever picked up is not called again for that.
            return Outcome.lost
        case Clearing(is_lost=True):
            return Outcome.uncertain
        case Clearing(was_answered=True):
            return Outcome.human
        case Clearing(was_cancelled=True):
            return Outcome.cancelled
        case Clearing(ring_ran_out=True):
            return Outcome.no_answer
        case _:
            return _by_network(clearing)


def outcome_of_left(state: str) -> Outcome | None:
    """Return what came of a call that nobody saw end, by the state of its attempt; None: that is known already."""
    if state in (PENDING, Kind.uncertain):
        return Outcome.uncertain
    return Outcome.lost if state == Kind.accepted else None


def result_of(told: Mapping[str, str]) -> Outcome | None:
    """Return what came of a call as it is recorded of its attempt, code by kind; None: nothing is, so far."""
    state = fold(told)
    return Outcome(told[state]) if state in FINAL and told[state] in Outcome.__members__ else None


def _by_network(clearing: Clearing) -> Outcome:
    if clearing.sip_status // 100 == _PICKED_UP:
        return Outcome.lost
    if clearing.is_crowded_out:
        return Outcome.trunk_failed
    outcome = meaning_of(clearing.cause, clearing.sip_status).outcome
    # The contact was disturbed, whoever broke it off: that is a try, and the next one waits.
    return Outcome.no_answer if outcome is Outcome.trunk_failed and clearing.has_rung else outcome


def happening_of(outcome: Outcome, detection: MachineDetection) -> tuple[Kind, str]:
    """Return the event of the attempt, and its code, that an outcome makes.

    A machine that was to be hung up on is `undelivered`: its number comes again as an unconnected one.
    """
    if outcome is Outcome.machine and detection is MachineDetection.disconnect:
        return Kind.undelivered, outcome
    return _KINDS[outcome], outcome


def is_sudden(clearing: Clearing, seconds: float) -> bool:
    """Tell whether a call was turned away so soon, and so vaguely, that the trunk may have done so by itself."""
    is_early = seconds < SUDDEN_SECONDS and not (clearing.has_rung or clearing.ring_ran_out)
    outcome = decide_outcome(clearing)
    if outcome is Outcome.no_answer:
        vague = meaning_of(clearing.cause, clearing.sip_status).sureness <= Sureness.vague
        return is_early and vague and clearing.sip_status == _NOBODY_THERE
    return is_early and outcome is Outcome.trunk_failed and clearing.sip_status not in _LOCKED_OUT


def sign_of(clearing: Clearing, ring_seconds: int) -> tuple[Sign, str]:
    """Return what the end of a call that nobody answered says of its trunk, and how the trunk put it."""
    outcome = decide_outcome(clearing)
    match outcome:
        case Outcome.trunk_failed if clearing.sip_status in _LOCKED_OUT:
            return Sign.locked_out, str(clearing.sip_status)
        case Outcome.trunk_failed:
            return Sign.unwell, str(clearing.sip_status or clearing.cause)
        case Outcome.uncertain:
            return Sign.unanswered, "lost"
        case Outcome.cancelled:
            return Sign.throttled, ""
    if clearing.ring_ran_out and not clearing.has_rung and ring_seconds < SILENT_SECONDS:
        # We gave up before a provider that is not there would have been found out.
        return Sign.unwell, "silent"
    return Sign.answered, ""
