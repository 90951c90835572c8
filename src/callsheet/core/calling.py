"""Calls: what is dialed, how a call ended, and what that makes of its attempt.

How a call ended is decided from the Q.850 cause, the SIP status and our own timers, never from a dial status.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from callsheet.core.attempt import Kind
from callsheet.core.campaign import MachineDetection


class Outcome(StrEnum):
    """What came of a call. The words are the codes of its attempt's events."""

    human = "human"
    """A person answered, or nobody looked for a machine."""
    unsure = "unsure"
    """Somebody answered, and nobody can tell who: it counts as a person."""
    machine = "machine"
    busy = "busy"
    no_answer = "no_answer"
    """It rang until we gave up, or the network says that nobody is there."""
    rejected = "rejected"
    """The callee, or their phone, turned the call away."""
    invalid_number = "invalid_number"
    trunk_failed = "trunk_failed"
    """The trunk did not carry the call: that is not the contact's fault, and costs no attempt."""
    cancelled = "cancelled"
    """We took the call back while it rang."""
    lost = "lost"
    """It was answered, and then what carried it broke before anybody knew who was there."""
    uncertain = "uncertain"
    """Nobody knows whether it rang, or was answered."""


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


def decide_outcome(clearing: Clearing) -> Outcome:
    """Return what came of a call that nobody answered, or that was lost; an answered one is `human`.

    Who answered is for machine detection to say.
    """
    raise NotImplementedError


def happening_of(outcome: Outcome, detection: MachineDetection) -> tuple[Kind, str]:
    """Return the event of the attempt, and its code, that an outcome makes.

    A machine that was to be hung up on is `undelivered`: its number comes again as an unconnected one.
    """
    raise NotImplementedError
