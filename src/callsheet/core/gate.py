"""The gate at the last instant: whether a contact may be contacted now.

The store gathers the facts inside the transaction that arms the contact and asks here; what comes back is what
happens. Hours are judged once for a group, because all contacts of a group share their set of zones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from callsheet.core.hours import CallingHours, is_open_in_all, next_open


class Reason(StrEnum):
    """Why a contact is not contacted."""

    dnc = "dnc"
    opted_out = "opted_out"
    no_common_hour = "no_common_hour"
    outside_hours = "outside_hours"
    cap = "cap"
    duplicate = "duplicate"
    filtered = "filtered"
    reached = "reached"
    daily_cap = "daily_cap"
    """The sender, its trunk or the contact's class has no segments left today."""
    on_the_line = "on_the_line"
    """A call to the contact goes on: nobody is called, or called again, by two at once."""
    carrier_rate = "carrier_rate"
    """The contact's class, or its sender of a pool, is slower than the others."""


@dataclass(frozen=True, slots=True)
class Send:
    """The contact may be contacted now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: the contact may be contacted at `until` at the earliest."""

    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Suppress:
    """Not at all in this run."""

    reason: Reason


GOOD_FOR = timedelta(seconds=2)
"""How long a verdict holds. Nobody is armed in the last moments of a window, and what was not handed within this time
is withdrawn and judged again: so nothing leaves after the window has closed.
"""

LOOK_AGAIN: Final = timedelta(seconds=5)
"""So long whoever is on the line is left alone before it is seen whether the call is over."""

Verdict = Send | Wait | Suppress

SEND = Send()


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `attempts` to one person within `hours` elapsed hours, over all campaigns of the app and channel."""

    attempts: int
    hours: int


class Facts(NamedTuple):
    """What the store knows of a person at the instant of arming."""

    on_dnc: bool
    opted_out: bool
    capped_until: datetime | None = None
    reached: bool = False
    """An earlier run reached the person, and this one is for those who were not."""
    is_on_the_line: bool = False
    """A call of the run to the person goes on, as far as anybody knows."""


def judge_hours(hours: CallingHours, zones: frozenset[str], now: datetime, *, skip_outside: bool) -> Verdict:
    """Judge a set of zones: contact is allowed only when every zone of the set is open.

    A set that no hour of the campaign fits is suppressed at once, so that a run can end. With `skip_outside` (the
    app setting `outside_hours: skip`, the literal reading of the documentation) a closed set is suppressed as well.
    """
    edge = now + GOOD_FOR
    if is_open_in_all(hours, zones, now) and is_open_in_all(hours, zones, edge):
        return SEND
    opens_at = next_open(hours, zones, edge if is_open_in_all(hours, zones, now) else now)
    if opens_at is None:
        return Suppress(Reason.no_common_hour)
    if skip_outside:
        return Suppress(Reason.outside_hours)
    return Wait(opens_at, Reason.outside_hours)


def judge(facts: Facts, now: datetime) -> Verdict:
    """Judge a person. Prohibitions come before waiting, so that nobody waits for a message that never comes."""
    if facts.on_dnc:
        return Suppress(Reason.dnc)
    if facts.opted_out:
        return Suppress(Reason.opted_out)
    if facts.reached:
        return Suppress(Reason.reached)
    if facts.capped_until is not None and facts.capped_until > now:
        return Wait(facts.capped_until, Reason.cap)
    if facts.is_on_the_line:
        return Wait(now + LOOK_AGAIN, Reason.on_the_line)
    return SEND


def capped_until(cap: Cap, recent: list[datetime]) -> datetime | None:
    """Return when the cap lets a person be contacted again, or None when it does now.

    `recent` holds the instants of attempts within the cap's hours, in any order.
    """
    if len(recent) < cap.attempts:
        return None
    # The oldest of the last `attempts` tries has to leave the sliding window first.
    return sorted(recent)[-cap.attempts] + timedelta(hours=cap.hours)


def zones_of_group(own: str | None, candidates: frozenset[str], campaign: str, *, by_number: bool) -> frozenset[str]:
    """Return the set of zones that must all be open.

    The contact's own zone comes first, as documented; with the app setting `zones: number` the zones that its number
    may be in come before the campaign's zone.
    """
    if own is not None:
        return frozenset((own,))
    if by_number and candidates:
        return candidates
    return frozenset((campaign,))
