"""A circuit breaker: whether a route may be tried, by what came of the messages that it was given.

A route that answers is given as much as it bears. It opens on evidence, which is one of four:

- several messages in a row got no answer, or were not even taken in: each of them may be a person in doubt. A
  connection that was lost counts once, however many messages were on it;
- of the latest results so many are trouble that chance does not explain it: the lower bound of Wilson's interval (95 %,
  one-sided; E. B. Wilson, 1927) is above the limit;
- the same of messages that the carrier turned away for good, where that is not the contact's or the text's fault;
- the carrier does not let the account in: one answer is enough.

A carrier that asks us to slow down is well. While it is open nothing is handed over; then one message is, after pauses
that double, and a few more when that one is answered. A route without a recent success is given few messages first, and
one more for each that is answered: so a carrier that never answers leaves few people in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt
from typing import Final

IN_ROW: Final = 5
"""So many messages in a row without an answer open it."""
FEWEST: Final = 50
"""A share of fewer results says nothing."""
WINDOW: Final = 200
"""So many of the latest results are looked at."""
MOST_TROUBLE: Final = 0.10
"""The share of messages without an answer, or not taken in, that a route may have."""
MOST_REJECTED: Final = 0.25
"""The share of messages turned away for good, through no fault of the contact or of the text."""
FIRST_ROOM: Final = 10
"""So many messages may wait for an answer at first."""
AMPLE_ROOM: Final = 1_000
"""A route that bears so much is trusted with whatever its carrier bears."""
MOST_ROOM: Final = 1_000_000
"""No limit any more."""
ONE_LOSS: Final = timedelta(seconds=1)
"""Messages that lose their connection within this time lost the same one, or all that a carrier had."""
ENOUGH_TRIED: Final = 4
"""So many answers of a route that is tried again mend it."""
RECENT: Final = timedelta(minutes=10)
"""What happened longer ago says nothing of now."""
FIRST_PAUSE: Final = timedelta(seconds=20)
LONGEST_PAUSE: Final = timedelta(minutes=15)
_TOUCH: Final = timedelta(seconds=30)
_Z: Final = 1.645
_BITS: Final = (1 << WINDOW) - 1


class Position(StrEnum):
    """How a breaker stands."""

    closed = "closed"
    """Messages flow."""
    open = "open"
    """Nothing is handed over."""
    half_open = "half_open"
    """It is tried again, with one message and then a few."""


class Outcome(StrEnum):
    """What came of one message, as far as it tells of the route."""

    answered = "answered"
    """It was taken; or turned away for the contact's number or the text, which says that the route works."""
    unanswered = "unanswered"
    """Nobody knows whether it was taken."""
    unwell = "unwell"
    """It was not taken in: no connection, or the carrier says that it is out of order."""
    cut_off = "cut_off"
    """Its connection was lost, and with it whatever else was on it."""
    rejected = "rejected"
    """It was turned away for good, through no fault of the contact or of the text."""
    throttled = "throttled"
    """The carrier asks us to slow down."""
    locked_out = "locked_out"
    """The carrier does not let the account in."""


_TROUBLE: Final = frozenset({Outcome.unanswered, Outcome.unwell, Outcome.cut_off})
_IN_VAIN: Final = {Outcome.unanswered: "got no answer", Outcome.cut_off: "lost its connection"}


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a route."""

    position: Position = Position.closed
    why: str = ""
    """Why it is open: the figures, what the last one means, and since when; empty while it is closed."""
    since: datetime | None = None
    """Since when it has been out of order, or well again; none: from the beginning."""
    next_try_at: datetime | None = None
    """When an open one is tried again."""
    turn: int = 0
    """Ascends with each change of position: what was handed over before tells nothing of the time after."""
    room_limit: int = FIRST_ROOM
    """How many messages may wait for an answer while the latest result is recent: see `room_at`."""
    in_row: int = 0
    """Consecutive troubles since the last answer."""
    results: int = 0
    trouble_bits: int = 0
    """A bit for each of the latest results, the newest lowest: 1 for trouble."""
    rejected_bits: int = 0
    pauses: int = 0
    """How often it opened since it was last well for a while."""
    noted_at: datetime | None = None
    """When a result was last noted."""
    cut_off_at: datetime | None = None
    """When a connection was last lost that was counted."""

    @property
    def is_calm(self) -> bool:
        """Tell whether one more answer changes nothing."""
        return self.room_limit >= MOST_ROOM and self.results >= WINDOW and not (self.trouble_bits or self.rejected_bits)

    def room_at(self, at: datetime) -> int:
        """Return how many messages may wait for an answer now."""
        if self.position is Position.open:
            return 0
        if self.noted_at is not None and at - self.noted_at > RECENT:
            return min(self.room_limit, FIRST_ROOM)
        return self.room_limit

    def may_hand(self, in_flight: int) -> bool:
        """Tell whether one more message may leave that was armed when there was room.

        Several senders may have seen the same room. While a route is not trusted yet, what they armed beyond twice of
        it is taken back.
        """
        most = self.room_limit if self.position is not Position.closed else 2 * self.room_limit
        return in_flight < most or self.room_limit >= AMPLE_ROOM

    def wake(self, at: datetime) -> Breaker:
        """Return the breaker as time goes by: an open one whose pause is over is tried again with one message."""
        if self.position is not Position.open or self.next_try_at is None or self.noted_at is None:
            return self
        # A clock that was set back must not make a pause of hours.
        return _half_open(self, at) if at >= self.next_try_at or at < self.noted_at else self

    def try_now(self, at: datetime) -> Breaker:
        """Return the breaker after somebody said that the route works again: it is tried at once, with one message."""
        return Breaker(turn=self.turn + 1) if self.position is Position.closed else _half_open(self, at)

    def note(
        self, outcome: Outcome, at: datetime, *, turn: int, jitter: float, said: str = "", meaning: str = ""
    ) -> Breaker:
        """Return the breaker after one result.

        `turn` is the breaker's when the message was handed over; `jitter`, a random number in [0, 1), spreads the
        pauses of many nodes; `said` is what the carrier called it, if it did, and `meaning` a sentence of ours on that.
        """
        if outcome is Outcome.throttled or turn != self.turn or self.position is Position.open:
            return self
        recent = self.noted_at is not None and at - self.noted_at <= _TOUCH
        if outcome is Outcome.answered and recent and self.is_calm:
            # What a carrier that is well says a thousand times a second.
            return self
        if outcome is Outcome.cut_off and self.cut_off_at is not None and abs(at - self.cut_off_at) < ONE_LOSS:
            return self
        counted = _count(self, outcome, at)
        reason = _reason(counted, outcome, said)
        if reason:
            return _open(counted, f"{reason} {meaning}".strip(), at, jitter)
        if counted.position is Position.half_open and counted.results >= ENOUGH_TRIED:
            return _close(counted, at)
        return counted


def lower_bound(count: int, of: int) -> float:
    """Return the lower bound of a share, by Wilson's interval: with 95 % certainty the true one is above it."""
    if not of:
        return 0.0
    share, z2 = count / of, _Z * _Z
    spread = _Z * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, (share + z2 / (2 * of) - spread) / (1 + z2 / of))


def _count(breaker: Breaker, outcome: Outcome, at: datetime) -> Breaker:
    if breaker.noted_at is not None and at - breaker.noted_at > RECENT:
        breaker = replace(
            breaker,
            room_limit=min(breaker.room_limit, FIRST_ROOM),
            in_row=0,
            results=0,
            trouble_bits=0,
            rejected_bits=0,
            pauses=0,
        )
    trouble = outcome in _TROUBLE
    if outcome is Outcome.cut_off:
        # It is tried again at once, with fewer: what the next connection leaves in doubt has to be less.
        breaker = replace(breaker, room_limit=max(1, min(breaker.room_limit, FIRST_ROOM) // 2), cut_off_at=at)
    grown = breaker.room_limit + 1 if breaker.room_limit < AMPLE_ROOM else MOST_ROOM
    return replace(
        breaker,
        room_limit=breaker.room_limit if trouble else grown,
        in_row=breaker.in_row + 1 if trouble else 0,
        results=min(WINDOW, breaker.results + 1),
        trouble_bits=(breaker.trouble_bits << 1 | trouble) & _BITS,
        rejected_bits=(breaker.rejected_bits << 1 | (outcome is Outcome.rejected)) & _BITS,
        pauses=0 if breaker.results >= FEWEST and not trouble else breaker.pauses,
        noted_at=at,
    )


def _reason(breaker: Breaker, outcome: Outcome, said: str) -> str:
    """Say why it has to open, or nothing."""
    code = f" ({said})" if said else ""
    if outcome is Outcome.locked_out:
        return f"The account was refused{code}."
    if breaker.position is Position.half_open and outcome is not Outcome.answered:
        return f"It was tried again, and the message {_IN_VAIN.get(outcome, 'was not taken')}{code}."
    if breaker.in_row >= IN_ROW:
        return f"{breaker.in_row} messages in a row got no answer or were not taken in{code}."
    if breaker.results < FEWEST:
        return ""
    shares = (
        ("got no answer or were not taken in", breaker.trouble_bits.bit_count(), MOST_TROUBLE),
        ("were turned away for good", breaker.rejected_bits.bit_count(), MOST_REJECTED),
    )
    for what, count, most in shares:
        if lower_bound(count, breaker.results) > most:
            of = f"{count} of the latest {breaker.results} messages {what}{code}"
            return f"{of}: more than {most:.0%}, which is not chance."
    return ""


def _open(breaker: Breaker, why: str, at: datetime, jitter: float) -> Breaker:
    pause = min(FIRST_PAUSE * 2 ** min(breaker.pauses, 16), LONGEST_PAUSE)
    since = breaker.since if breaker.position is not Position.closed and breaker.since is not None else at
    return Breaker(
        position=Position.open,
        why=f"{why} Out of order since {since.isoformat(timespec='seconds')}.",
        since=since,
        next_try_at=at + pause * (0.75 + jitter / 2),
        turn=breaker.turn + 1,
        room_limit=0,
        pauses=breaker.pauses + 1,
        noted_at=at,
    )


def _close(breaker: Breaker, at: datetime) -> Breaker:
    return replace(
        breaker, position=Position.closed, why="", since=at, turn=breaker.turn + 1, room_limit=FIRST_ROOM, results=0
    )


def _half_open(breaker: Breaker, at: datetime) -> Breaker:
    return replace(
        breaker,
        position=Position.half_open,
        next_try_at=None,
        turn=breaker.turn + 1,
        room_limit=1,
        results=0,
        noted_at=at,
    )
