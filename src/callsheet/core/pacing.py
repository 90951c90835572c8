"""How fast, and whose turn: a sender's rate, and the shares of campaigns that run at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

MICROS_PER_SECOND = 1_000_000
FURTHEST_SEGMENTS = 1000
"""No sender owes more than this beyond its slice: a row that says so was written before the clock was set back."""


class Grant(NamedTuple):
    """Leave to hand `segments` segments, the first at `start` and one more every `interval` (microseconds UTC)."""

    segments: int
    start: int
    interval: int
    tat: int
    """The theoretical arrival time to store: when the sender may begin its next slice."""
    now: int
    """The store's instant at which it was granted: `start` counts from here, whatever other clocks show."""


def grant(tat: int, now: int, segments_per_second: float, wanted: int, horizon_micros: int) -> Grant:
    """Lease a slice of a sender's rate (the generic cell rate algorithm, ITU-T I.371, with a burst of one).

    At most what fits into `horizon_micros` from now is granted, one segment at least when the sender is idle, so that
    a slow sender still moves. Nothing is granted while an earlier slice lasts beyond the horizon.
    """
    interval = max(1, round(MICROS_PER_SECOND / segments_per_second))
    start = max(min(tat, now + horizon_micros + FURTHEST_SEGMENTS * interval), now)
    room = now + horizon_micros - start
    segments = min(wanted, max(room // interval, 1 if room >= 0 else 0))
    return Grant(segments, start, interval, start + segments * interval, now)


class DayUse(NamedTuple):
    """How many segments of a day are reserved; `day` is when it began (microseconds UTC)."""

    day: int
    used: int

    def reserve(self, day: int, cap: int, wanted: int) -> tuple[DayUse, int]:
        """Reserve segments of a day, and say how many there were; a negative number gives so many back.

        Of a day before this one nothing is left: a node whose clock is behind must not begin it anew.
        """
        if day < self.day:
            return self, 0
        used = self.used if day == self.day else 0
        granted = max(-used, min(wanted, max(cap - used, 0)))
        return DayUse(day, used + granted), granted

    def of_day(self, day: int, cap: int) -> tuple[int, int]:
        """Return how many segments of a day are reserved, and how many `reserve` would still grant."""
        if day < self.day:
            return self.used, 0
        used = self.used if day == self.day else 0
        return used, max(cap - used, 0)


class Shares:
    """Stride scheduling: over time, each competitor gets capacity in proportion to its weight.

    SMS and Agentless campaigns share by p/Σp of their priorities (the documented FAQ: 5 and 3 give 62.5 % and 37.5 %).
    One that comes late, or had no work for a while, starts level with the others and never catches up what it missed.
    """

    def __init__(self) -> None:
        self._passes: dict[int, float] = {}

    def choose(self, weights: Mapping[int, int]) -> int:
        """Choose whose turn it is among those that have work now. `weights` must not be empty."""
        known = [self._passes[key] for key in weights if key in self._passes]
        floor = min(known, default=0.0)
        for key in weights:
            self._passes.setdefault(key, floor)
        return min(weights, key=lambda key: (self._passes[key], key))

    def spend(self, key: int, weight: int, units: int) -> None:
        """Charge what a turn used."""
        self._passes[key] = self._passes.get(key, 0.0) + units / weight

    def copy(self) -> Shares:
        """Return the same, to try out who would come next."""
        other = Shares()
        other._passes = dict(self._passes)
        return other

    def drop(self, key: int) -> None:
        """Forget one that has no work now."""
        self._passes.pop(key, None)

    def keep(self, busy: Collection[int]) -> None:
        """Forget those that have no work now, so that they start level when they return."""
        self._passes = {key: passed for key, passed in self._passes.items() if key in busy}


def share_out(places: int, wanted: Mapping[int, int], turn: int) -> Mapping[int, int]:
    """Share places out: nobody gets less than another who wants no more, and what nobody wants is shared evenly.

    Who gets the odd ones changes with `turn`: where there are fewer places than who want one, each is given one at
    times.
    """
    each = sorted(wanted)
    start = turn % len(each) if each else 0
    shares, left = dict.fromkeys([*each[start:], *each[:start]], 0), places
    while left and (hungry := [who for who in shares if shares[who] < wanted[who]]):
        even = max(1, left // len(hungry))
        for who in hungry:
            given = min(even, wanted[who] - shares[who], left)
            shares[who] += given
            left -= given
    for i, who in enumerate(shares):
        shares[who] += left // len(shares) + (i < left % len(shares))
    return shares


class Claims:
    """Whose turn a free place is, among several who may all have found none: nobody waits for ever.

    Who found no place has a claim to one, and whoever asks next leaves the places to those whose turn it is, by their
    weights. More than one is not left to anybody: who has one asks for more.
    """

    def __init__(self) -> None:
        self._shares = Shares()
        self._waiting: dict[int, int] = {}
        """The weights of those who found none."""

    def grant(self, who: int, weight: int, wanted: int, free: int) -> int:
        """Return how many of the free places somebody may have; who gets none of those he wants, waits."""
        granted = self._grant(who, weight, wanted, free)
        self._waiting.pop(who, None)
        if wanted and not granted:
            self._waiting[who] = weight
        return granted

    def _grant(self, who: int, weight: int, wanted: int, free: int) -> int:
        weights = {**self._waiting, who: weight}
        if len(weights) == 1:
            return min(wanted, free)
        left = {**dict.fromkeys(self._waiting, 1), who: wanted}
        if sum(left.values()) <= free:
            return wanted
        shares = self._shares.copy()
        for _ in range(free):
            chosen = shares.choose({key: weights[key] for key, count in left.items() if count})
            shares.spend(chosen, weights[chosen], 1)
            left[chosen] -= 1
        return wanted - left[who]

    def charge(self, who: int, weight: int, count: int) -> None:
        """Charge what somebody took; what was given back unused is negative."""
        self._shares.spend(who, weight, count)

    @property
    def are_made(self) -> bool:
        """Tell whether somebody waits."""
        return bool(self._waiting)

    def waits(self, who: int) -> bool:
        """Tell whether somebody has found no place, and was not heard of since."""
        return who in self._waiting

    def leave(self, who: int) -> None:
        """Take notice that somebody wants nothing now: he starts level with the others when he returns."""
        self._waiting.pop(who, None)
        self._shares.drop(who)
