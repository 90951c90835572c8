"""The daily caps of one sender: segments of the day, reserved in the store before anybody is armed for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from callsheet.clock import Clock, to_micros
from callsheet.core.allowance import Bucket, bounds_of_day
from callsheet.engine.pace import LONGEST_IDLE_SECONDS
from callsheet.store.protocol import HotStore


class DayCaps:
    """What one sender may still hand today.

    What is reserved counts in the store at once, so that nodes together never go past a cap, nor does one that starts
    again. What was not used is given back when there is nothing to do; what a crash leaves reserved is lost for
    the day.
    """

    def __init__(self, hot: HotStore, app: int, buckets: Sequence[Bucket]) -> None:
        """All of these buckets must grant; each has a cap."""
        self._hot = hot
        self._app = app
        self.buckets = buckets
        self._stock = 0
        self._days: dict[str, datetime] = {}
        """When the day began in which each bucket's part of the stock was reserved."""
        self._ends: datetime | None = None
        """When the first of these days is over, and with it the stock."""
        self.closed_until: datetime | None = None
        """Nothing is left today; it opens then."""

    async def reserve(self, wanted: int, now: datetime) -> int:
        """Return how many segments may be handed, after reserving so many where there are none; 0: none today."""
        self._turn_over(now)
        if self.closed_until is None and not self._stock:
            await self._refill(wanted, now)
        return self._stock

    async def spend(self, segments: int, now: datetime) -> bool:
        """Spend the segments of a message; False when the day has no room for it any more."""
        self._turn_over(now)
        if self.closed_until is None and segments > self._stock:
            await self._refill(segments - self._stock, now)
        if segments > self._stock:
            # Another message might be shorter; to look for one would arm and withdraw people all day.
            self.closed_until = self.closed_until or self._ends
            return False
        self._stock -= segments
        return True

    def is_closed(self, now: datetime) -> bool:
        """Tell whether it is known that nothing is left today."""
        self._turn_over(now)
        return self.closed_until is not None

    async def rest(self, clock: Clock, now: datetime, tick_seconds: float) -> int:
        """Wait a while, as nothing is left today, and return that nothing is; a cap may be raised meanwhile."""
        left = (self.closed_until - now).total_seconds() if self.closed_until is not None else 0.0
        await clock.sleep(min(max(left, 0.001), max(LONGEST_IDLE_SECONDS, tick_seconds)))
        return 0

    async def give_back(self) -> None:
        """Return what was reserved and not used: another node may need it."""
        stock, self._stock = self._stock, 0
        if stock:
            for bucket in self.buckets:
                await self._reserve(bucket, -stock)

    def _turn_over(self, now: datetime) -> None:
        """Forget what was reserved of a day that is over."""
        if self._ends is not None and now >= self._ends:
            self._stock, self._ends, self.closed_until = 0, None, None

    async def _refill(self, wanted: int, now: datetime) -> None:
        days = {bucket.name: bounds_of_day(bucket.reset_zone, now) for bucket in self.buckets}
        if self._stock and any(self._days.get(name) != begins for name, (begins, _) in days.items()):
            self._stock = 0
        self._days = {name: begins for name, (begins, _) in days.items()}
        self._ends = min(ends for _, ends in days.values())
        granted: list[tuple[Bucket, int]] = []
        for bucket in self.buckets:
            # What one grants is all that the next is asked for, and what is too much goes back.
            got = await self._reserve(bucket, wanted)
            granted.append((bucket, got))
            wanted = min(wanted, got)
            if not got:
                self.closed_until = days[bucket.name][1]
                break
        for bucket, got in granted:
            if got > wanted:
                await self._reserve(bucket, wanted - got)
        self._stock += wanted

    async def _reserve(self, bucket: Bucket, segments: int) -> int:
        assert bucket.segments_per_day is not None, "only capped buckets are asked"
        day = to_micros(self._days[bucket.name])
        return await self._hot.reserve_day(
            self._app, bucket.name, day=day, cap=bucket.segments_per_day, wanted=segments
        )


def caps_of(app: int, buckets: Sequence[Bucket], known: DayCaps | None, hot: HotStore) -> DayCaps | None:
    """Return the caps of these buckets, which all have one: those that are `known` if they are the same."""
    if known is not None and known.buckets == buckets:
        return known
    return DayCaps(hot, app, buckets) if buckets else None
