"""What the day caps leave: which of them holds messages back now, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from callsheet.core.allowance import Bucket
from callsheet.core.campaign import Channel, Status
from callsheet.core.pools import choose
from callsheet.core.rooms import own_buckets
from callsheet.core.run import Run, Sender
from callsheet.core.segments import measure

_NAMES_COLUMNS = "{<"
"""How a placeholder may begin."""


class Today(NamedTuple):
    """What is left of the present day of a cap, in segments."""

    used: int
    """Reserved, which a node does shortly before messages leave."""
    left: int
    ends: datetime
    """When the next day begins."""


class UsedUp(NamedTuple):
    """A day cap that has no room for a message."""

    what: str
    """The id of the sender or of the trunk; of a class with a slash and its name behind."""
    until: datetime


def capped(buckets: Iterable[Bucket]) -> tuple[Bucket, ...]:
    """Return those limits that count days."""
    return tuple(bucket for bucket in buckets if bucket.segments_per_day is not None)


def shared_caps(run: Run) -> tuple[Bucket, ...]:
    """Return the day caps that all messages of a run obey; none while it sends nothing."""
    goes_on = run.status is Status.active and run.channel is Channel.sms
    return capped(run.sender.buckets) if goes_on else ()


def sender_of_person(run: Run, person: bytes, last: int | None) -> Sender:
    """Return the sender that a person hears; `last` is the member of the pool that they heard last."""
    return run.sender_of(choose([one.no for one in run.members], person, last)) if run.members else run.sender


def caps_of_person(run: Run, sender: Sender, number: str) -> tuple[Bucket, ...]:
    """Return the day caps that a message to one number obeys."""
    return capped((*run.sender.buckets, *own_buckets(sender, number, is_member=bool(run.members))))


def used_up(run: Run, caps: Iterable[Bucket], todays: Mapping[Bucket, Today]) -> UsedUp | None:
    """Return the cap that holds a run's messages back, the one that does so longest; none: there is room.

    What is left may be too little for a message. Of a text with placeholders nobody knows how long it comes out: one
    segment more than it has itself is taken to be needed, so that the last segments of a day do not count as room.
    """
    size = max(measure(run.text, sender.writing).count for sender in run.senders)
    needed = size + any(sign in run.text for sign in _NAMES_COLUMNS)
    full = (UsedUp(cap.name, todays[cap].ends) for cap in caps if todays[cap].left < needed)
    return max(full, key=lambda one: one.until, default=None)
