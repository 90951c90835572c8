"""Fullness: how many calls a trunk takes at once, where it tells its limit only by turning calls away.

A trunk that is full says 503, or 480, which is also what a network says of a phone that is off. One such answer says
nothing of the trunk. Several within a second, each at once and before anything rang, do: so many phones are not
switched off by chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from callsheet.core.breaker import MOST_TROUBLE, lower_bound

BURST: Final = timedelta(seconds=1)
"""Calls that are turned away within this time are turned away together."""
FEWEST: Final = 3
"""So many have to be."""
ONE_MORE: Final = timedelta(seconds=10)
"""After each such time without another one it is given one call more."""
FORGOTTEN: Final = timedelta(minutes=5)
"""What it took longer ago says nothing of now."""


@dataclass(frozen=True, slots=True)
class Fullness:
    """What is known of one trunk."""

    most: int = 0
    """So many calls went on when it turned others away; it means something while `full_at` is recent."""
    full_at: datetime | None = None
    """When it last turned a call away for its own reason; none: never."""
    heard: tuple[tuple[datetime, bool], ...] = ()
    """When something was first heard of the latest calls, and whether they were turned away at once."""

    def note(self, at: datetime, *, going_on: int, is_sudden: bool) -> Fullness:
        """Return it after one more call was heard of, while so many others go on that rang or were answered."""
        heard = (*((when, sudden) for when, sudden in self.heard if at - when < BURST), (at, is_sudden))
        count = sum(sudden for _, sudden in heard)
        is_burst = count >= FEWEST and lower_bound(count, len(heard)) > MOST_TROUBLE
        is_known = self._is_recent(at) and going_on >= self.most
        if is_sudden and (is_burst or is_known):
            return Fullness(going_on, at, heard)
        return replace(self, heard=heard, most=self.most if is_sudden else max(self.most, going_on))

    def blames(self, at: datetime) -> bool:
        """Tell whether a call that was turned away at once, then, was so by the trunk itself."""
        return self.full_at is not None and self.full_at >= at - BURST

    def is_full(self, at: datetime) -> bool:
        """Tell whether it takes some calls, and no more."""
        return self._is_recent(at) and self.most > 0

    def room_at(self, at: datetime) -> int | None:
        """Return how many calls it is given at once now; None: nothing is known."""
        if self.full_at is None or not self._is_recent(at):
            return None
        return max(1, self.most + (at - self.full_at) // ONE_MORE)

    def _is_recent(self, at: datetime) -> bool:
        return self.full_at is not None and timedelta() <= at - self.full_at < FORGOTTEN
