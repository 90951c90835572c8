"""Whether a contact comes again after what happened, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from callsheet.core.attempt import INCOMPLETE, NOT_TAKEN, PENDING, Kind
from callsheet.core.campaign import UncertainPolicy
from callsheet.core.outcome import Outcome

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0
HASTY_TRIES = 3
"""So often a contact that we withdrew comes again at once; after that something is slow, and it backs off too."""
MOST_TRIES = 65_000
"""Refused or withdrawn so often (weeks on end), a contact does not come again: a try has a number of two bytes."""

MOST_FAILURES: Final = 50
"""So often a trunk may fail to carry a call to one contact at no cost. After that it is about this number, not about
the trunk: each further failure costs an attempt, and the contact waits its period, so that a run can end."""


class Turn(IntEnum):
    """Order of work among contacts that come again."""

    first = 0
    """Callbacks at a time, and messages that were refused or withdrawn: before fresh contacts, capped at half."""
    fresh = 1
    """Contacts that the gate deferred: like fresh ones."""
    last = 2
    """Retries of unconnected contacts: after everyone who may be contacted now."""


@dataclass(frozen=True, slots=True)
class Again:
    """The contact comes again at `due_at`, in its turn, as try `n` with `used` attempts used so far."""

    due_at: datetime
    turn: Turn
    n: int
    used: int


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What a run says about trying again."""

    max_attempts: int = 1
    retry_minutes: int = 10
    uncertain: UncertainPolicy = UncertainPolicy.at_most_once


def may_repeat(policy: RetryPolicy) -> bool:
    """Tell whether a contact may come again although a carrier took, or may have taken, its latest attempt."""
    return policy.max_attempts > 1 or policy.uncertain is UncertainPolicy.at_least_once


def decide(
    kind: Kind, policy: RetryPolicy, *, n: int, used: int, at: datetime, jitter: float, code: str = ""
) -> Again | None:
    """Decide whether the contact comes again.

    `used` counts the attempt that just ended; `jitter` is a random number in [0, 1) that spreads retries. A refusal
    backs off exponentially in the number of tries (they are definite, so a repeat is safe). An uncertain attempt is
    repeated only under `at_least_once`. Whoever was not connected (a message that was not delivered, a call that trunks
    failed to carry MOST_FAILURES times) waits the retry period and comes after everyone else, until its attempts are
    used up; a number that does not exist never does, nor does who has a part of the text already.
    """
    match kind:
        case Kind.withdrawn | Kind.refused if n >= MOST_TRIES:
            return None
        case Kind.undelivered | Kind.refused if _is_unconnected(kind, code, failures=n - used):
            period = timedelta(minutes=policy.retry_minutes)
            return Again(at + period, Turn.last, n + 1, used) if used < policy.max_attempts else None
        case Kind.withdrawn:
            haste = timedelta() if n <= HASTY_TRIES else backoff(n - HASTY_TRIES, jitter)
            return Again(at + haste, Turn.first, n + 1, used - 1)
        case Kind.refused:
            return Again(at + backoff(n, jitter), Turn.first, n + 1, used - 1)
        case Kind.uncertain if policy.uncertain is UncertainPolicy.at_least_once and used < policy.max_attempts + 1:
            return Again(at + backoff(n, jitter), Turn.first, n + 1, used)
        case _:
            return None


def _is_unconnected(kind: Kind, code: str, *, failures: int) -> bool:
    if kind is Kind.refused:
        return code == Outcome.trunk_failed and failures >= MOST_FAILURES
    return code != INCOMPLETE


def waits_for_receipts(policy: RetryPolicy, accepted: int, idle_since: datetime, now: datetime) -> datetime | None:
    """Return until when a run of which nothing else is left waits for receipts; None when it may end now.

    Where contacts have more than one attempt, a receipt may still send one of the `accepted` round again. It waits one
    retry period from when nothing else was left: what comes later is late, and holds no run.
    """
    until = idle_since + timedelta(minutes=policy.retry_minutes)
    return until if accepted > 0 and policy.max_attempts > 1 and now < until else None


CALLBACK = "callback"
"""The reason of a contact that comes again because it was asked for at a time."""


class Latest(NamedTuple):
    """The latest attempt of a contact in a run."""

    n: int
    used: int
    state: str


def after_callback(latest: Latest | None, at: datetime) -> Again | None:
    """Return how a contact comes again that was asked for at a time which has come, whatever happened before.

    None: its latest attempt has no result yet, and the callback waits for it.
    """
    if latest is None:
        return Again(at, Turn.first, 1, 0)
    if latest.state == PENDING:
        return None
    return Again(at, Turn.first, latest.n + 1, latest.used - (latest.state in NOT_TAKEN))


def is_needless(turn: Turn, before: str) -> bool:
    """Tell whether a repeat is needless: evidence came meanwhile that a try before it was taken.

    `before` is the furthest state of the tries before it.
    """
    match turn:
        case Turn.first:
            return before not in (PENDING, Kind.uncertain, *NOT_TAKEN)
        case Turn.last:
            return before == Kind.delivered
        case _:
            return False


def backoff(n: int, jitter: float) -> timedelta:
    """Return how long to wait after the n-th try was refused: doubling, at most a minute, spread over half of it."""
    seconds = min(FIRST_BACKOFF_SECONDS * 2 ** min(n - 1, 16), LONGEST_BACKOFF_SECONDS)
    return timedelta(seconds=seconds * (0.5 + jitter / 2))
