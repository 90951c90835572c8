"""Rooms: how many segments each limit has left for one arm, where limits differ from contact to contact.

A limit that all contacts of a run share keeps its sender waiting. One of a class of destinations, or of a member of a
pool, must not: who meets it is put off, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from callsheet.core.allowance import Bucket, class_bucket
from callsheet.core.gate import Reason, Wait
from callsheet.core.pools import choose

if TYPE_CHECKING:
    from callsheet.core.run import Sender

SOON = timedelta(seconds=0.05)
"""When somebody comes again whom a limit met that nobody has asked for yet."""
LINE_SECONDS = timedelta(seconds=2)
"""The same for a line that takes nothing now."""


def own_buckets(sender: Sender, number: str, *, is_member: bool) -> tuple[Bucket, ...]:
    """Return the limits of a message that others of its run may not share: of its class, of its member of a pool."""
    found = (
        class_bucket(sender.id, sender.allowance, number),
        class_bucket(sender.trunk_id, sender.trunk_allowance, number),
    )
    return (*(sender.buckets if is_member else ()), *(bucket for bucket in found if bucket is not None))


class Rooms:
    """What is left for one arm. It is made for it, and used up by it."""

    def __init__(
        self,
        senders: Mapping[int, Sender],
        room: dict[Bucket, float],
        later: dict[Bucket, datetime],
        closed: Mapping[Bucket, datetime],
        *,
        is_pool: bool,
        lines: dict[int, int],
        broken: Collection[int],
        fail_over: bool,
        segments_guess: float,
        number_of: Callable[[bytes, bytes], str],
    ) -> None:
        """Take what is left.

        `room`: segments by limit; `later`: when the last contact that a limit put off comes again; `closed`: until when
        a limit has nothing left; `lines`: how many messages each trunk takes, `broken` those that take none for long;
        `number_of` opens a sealed number.
        """
        self.senders = senders
        self.met: set[Bucket] = set()
        """The limits that contacts met."""
        self._room = room
        self._later = later
        self._closed = closed
        self._is_pool = is_pool
        self._lines = lines
        self._broken = broken
        self._fail_over = fail_over
        self._guess = segments_guess
        self._number_of = number_of

    @property
    def members(self) -> tuple[int, ...]:
        """The senders among which contacts choose; none: the run has one sender."""
        return tuple(self.senders) if self._is_pool else ()

    def judge(self, person: bytes, sealed: bytes, last: int | None, now: datetime) -> int | Wait:
        """Return the sender that a person hears now, or until when they wait."""
        sender = self.senders[self._choose(person, last)]
        if self._is_pool and self._lines.get(sender.trunk_no, 0) < 1:
            return Wait(now + LINE_SECONDS, Reason.carrier_rate)
        buckets = own_buckets(sender, self._number_of(sealed, person), is_member=self._is_pool)
        self.met.update(buckets)
        full = [bucket for bucket in buckets if self._room.get(bucket, 0) < 1]
        if full:
            return max((self._put_off(bucket, now) for bucket in full), key=lambda wait: wait.until)
        for bucket in buckets:
            self._room[bucket] -= self._guess
        if self._is_pool:
            self._lines[sender.trunk_no] -= 1
        return sender.no

    def _choose(self, person: bytes, last: int | None) -> int:
        whole = [no for no, sender in self.senders.items() if sender.trunk_no not in self._broken]
        return choose((self._fail_over and whole) or self.senders, person, last)

    def _put_off(self, bucket: Bucket, now: datetime) -> Wait:
        """Say when there is room again: whom a rate puts off come one after the other, at its pace."""
        if bucket in self._closed:
            return Wait(self._closed[bucket], Reason.daily_cap)
        if bucket.segments_per_second is None:
            return Wait(now + SOON, Reason.carrier_rate)
        at = max(self._later.get(bucket, now), now) + timedelta(seconds=self._guess / bucket.segments_per_second)
        self._later[bucket] = at
        return Wait(at, Reason.carrier_rate)
