"""The pace of one sender: leave to speak, leased from the store in slices, spent segment by segment."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import ceil

from callsheet.clock import Clock
from callsheet.core.allowance import OF_APP, Bucket
from callsheet.core.pacing import MICROS_PER_SECOND, Grant
from callsheet.core.run import Run
from callsheet.store.protocol import HotStore

SLICE_SECONDS = 0.25
"""How far ahead a slice reaches: a dispatcher arms no more than it can hand over in this time."""
LONGEST_SLICE_SECONDS = 0.75
"""How far it may reach where the store is slow: what is used late must not be too old for it."""
LONGEST_IDLE_SECONDS = 5.0
"""A slow sender looks this often whether it was made faster."""
_FOR_EVER_SECONDS = 86_400.0
_STALE_SECONDS = 1.0


class Pace:
    """What one sender may still hand, and when.

    A grant is a row of instants, one a segment. An instant that has passed may be used late, for up to a second; in any
    sliding second no more than the rate (plus one message) leaves this node all the same. The store's instants are
    turned into this node's monotonic seconds, so that nothing depends on whether the two clocks show the same.
    """

    def __init__(
        self,
        hot: HotStore,
        clock: Clock,
        app: int,
        buckets: dict[str, float],
        *,
        longest_slice_seconds: float = SLICE_SECONDS,
    ) -> None:
        """`buckets` names the rates that all must grant (the sender's, the app's), in segments per second.

        Between asking for a slice and using it a store that has much to do may need longer than the slice lasts. Who
        shares the buckets with nobody may lease so much that this costs nothing of the rate.
        """
        self._hot = hot
        self._clock = clock
        self._app = app
        self.buckets = buckets
        self._instants: deque[float] = deque()
        self._recent: deque[float] = deque()
        self._ready_at = 0.0
        self._slice_seconds = SLICE_SECONDS
        self._longest_slice_seconds = longest_slice_seconds
        self._refilled_at: float | None = None
        """When a slice was asked for of which nothing was used yet."""
        self._limit = max(1, ceil(min(buckets.values()))) if buckets else 0

    @property
    def is_free(self) -> bool:
        """Tell whether nothing limits this sender."""
        return not self.buckets

    async def lease(self, wanted: int) -> int:
        """Return how many segments may be handed soon, after leasing a slice where there are none."""
        now = self._clock.monotonic()
        while self._instants and self._instants[0] < now - _STALE_SECONDS:
            self._instants.popleft()
        if not self._instants:
            await self._refill(wanted)
        return len(self._instants)

    def due(self) -> int:
        """Return how many of the leased segments may be handed at once."""
        now = self._clock.monotonic()
        return sum(instant <= now for instant in self._instants)

    async def _refill(self, wanted: int) -> None:
        grants: list[Grant] = []
        asked_at = self._clock.monotonic()
        for name, rate in sorted(self.buckets.items(), key=lambda item: item[1]):
            # The slowest is asked first; what it grants is all that the others are asked for.
            grant = await self._hot.lease_rate(
                self._app, name, rate, wanted=wanted, horizon_seconds=self._slice_seconds
            )
            if grant.segments == 0:
                self._ready_at = asked_at + (grant.start - grant.now) / MICROS_PER_SECOND - self._slice_seconds
                return
            wanted = grant.segments
            grants.append(grant)
        self._refilled_at = asked_at
        slowest = max(grants, key=lambda grant: grant.interval)
        wait = max(grant.start - grant.now for grant in grants)
        self._instants.extend(asked_at + (wait + i * slowest.interval) / MICROS_PER_SECOND for i in range(wanted))

    def idle_seconds(self) -> float:
        """Return how long to wait before asking again when nothing was granted."""
        return min(max(self._ready_at - self._clock.monotonic(), 0.001), LONGEST_IDLE_SECONDS)

    async def wait_turn(self, segments: int) -> None:
        """Wait until a message may leave, and spend its segments.

        It leaves at the instant of its first segment; the others are spent ahead, so that those who come after wait.
        """
        while not self._instants:
            await self._refill(segments)
            if not self._instants:
                await self._clock.sleep(self.idle_seconds())
        if self._refilled_at is not None:
            self._learn(self._clock.monotonic() - self._refilled_at)
        due = self._instants.popleft()
        missing = segments - 1
        while missing and self._instants:
            self._instants.popleft()
            missing -= 1
        if missing:
            await self._borrow(missing)
        await self._sleep_until(due)
        if len(self._recent) >= self._limit:
            # What was used late must not crowd a second that others use on time.
            await self._sleep_until(self._recent[-self._limit] + 1.0)
        self._recent.extend([self._clock.monotonic()] * segments)
        while len(self._recent) > self._limit:
            self._recent.popleft()

    def _learn(self, seconds: float) -> None:
        """Let slices last twice as long as it takes from asking for one to using it."""
        self._refilled_at = None
        # It is as slow as it was lately: a quick one among slow ones says little.
        slow = max(SLICE_SECONDS, 2 * seconds, 0.9 * self._slice_seconds)
        self._slice_seconds = min(self._longest_slice_seconds, slow)

    async def _borrow(self, segments: int) -> None:
        """Spend segments that are not due yet."""
        for name, rate in self.buckets.items():
            await self._hot.lease_rate(
                self._app, name, rate, wanted=segments, horizon_seconds=segments / rate + _FOR_EVER_SECONDS
            )

    async def _sleep_until(self, instant: float) -> None:
        wait = instant - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)


def rates(run: Run) -> dict[str, float]:
    """Return the rates that a run's messages obey, by the name of their bucket, in segments per second."""
    return rates_of(run.sender.buckets, run.messages_per_minute)


def rates_of(buckets: Iterable[Bucket], messages_per_minute: int | None) -> dict[str, float]:
    """Return the rates that messages in these buckets obey, and those of the app, in segments per second."""
    found = {one.name: one.segments_per_second for one in buckets if one.segments_per_second is not None}
    if messages_per_minute is not None:
        found[OF_APP] = messages_per_minute / 60
    return found
