"""The pace of one sender: leave to speak, leased from the store in slices, spent segment by segment."""

from __future__ import annotations

from collections import deque
from math import ceil

from callsheet.clock import Clock, to_micros
from callsheet.core.pacing import MICROS_PER_SECOND, Grant
from callsheet.core.run import Run
from callsheet.store.protocol import HotStore

SLICE_SECONDS = 0.25
"""How far ahead a slice reaches: a dispatcher arms no more than it can hand over in this time."""
LONGEST_IDLE_SECONDS = 5.0
"""A slow sender looks this often whether it was made faster."""
_FOR_EVER_SECONDS = 86_400.0
_STALE_MICROS = MICROS_PER_SECOND


class Pace:
    """What one sender may still hand, and when.

    A grant is a row of instants, one a segment. An instant that has passed may be used late, for up to a second; in any
    sliding second no more than the rate (plus one message) leaves this node all the same.
    """

    def __init__(self, hot: HotStore, clock: Clock, app: int, buckets: dict[str, float]) -> None:
        """`buckets` names the rates that all must grant (the sender's, the app's), in segments per second."""
        self._hot = hot
        self._clock = clock
        self._app = app
        self.buckets = buckets
        self._instants: deque[int] = deque()
        self._recent: deque[int] = deque()
        self._ready_at = 0
        self._limit = max(1, ceil(min(buckets.values()))) if buckets else 0

    @property
    def is_free(self) -> bool:
        """Tell whether nothing limits this sender."""
        return not self.buckets

    async def lease(self, wanted: int) -> int:
        """Return how many segments may be handed soon, after leasing a slice where there are none."""
        now = to_micros(self._clock.now())
        while self._instants and self._instants[0] < now - _STALE_MICROS:
            self._instants.popleft()
        if not self._instants:
            await self._refill(wanted)
        return len(self._instants)

    async def _refill(self, wanted: int) -> None:
        grants: list[Grant] = []
        for name, rate in sorted(self.buckets.items(), key=lambda item: item[1]):
            # The slowest is asked first; what it grants is all that the others are asked for.
            grant = await self._hot.lease_rate(self._app, name, rate, wanted=wanted, horizon_seconds=SLICE_SECONDS)
            if grant.segments == 0:
                self._ready_at = grant.start - round(SLICE_SECONDS * MICROS_PER_SECOND)
                return
            wanted = grant.segments
            grants.append(grant)
        slowest = max(grants, key=lambda grant: grant.interval)
        start = max(grant.start for grant in grants)
        self._instants.extend(start + i * slowest.interval for i in range(wanted))

    def idle_seconds(self) -> float:
        """Return how long to wait before asking again when nothing was granted."""
        wait = (self._ready_at - to_micros(self._clock.now())) / MICROS_PER_SECOND
        return min(max(wait, 0.001), LONGEST_IDLE_SECONDS)

    async def wait_turn(self, segments: int) -> None:
        """Wait until a message may leave, and spend its segments.

        It leaves at the instant of its first segment; the others are spent ahead, so that those who come after wait.
        """
        while not self._instants:
            await self._refill(segments)
            if not self._instants:
                await self._clock.sleep(self.idle_seconds())
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
            await self._sleep_until(self._recent[-self._limit] + MICROS_PER_SECOND)
        now = to_micros(self._clock.now())
        self._recent.extend([now] * segments)
        while len(self._recent) > self._limit:
            self._recent.popleft()

    async def _borrow(self, segments: int) -> None:
        """Spend segments that are not due yet."""
        for name, rate in self.buckets.items():
            await self._hot.lease_rate(
                self._app, name, rate, wanted=segments, horizon_seconds=segments / rate + _FOR_EVER_SECONDS
            )

    async def _sleep_until(self, micros: int) -> None:
        wait = micros - to_micros(self._clock.now())
        if wait > 0:
            await self._clock.sleep(wait / MICROS_PER_SECOND)


def rates(run: Run) -> dict[str, float]:
    """Return the rates that a run's messages obey, by the name of their bucket, in segments per second."""
    found: dict[str, float] = {}
    if run.sender.segments_per_second is not None:
        found[run.sender.id] = run.sender.segments_per_second
    if run.settings.messages_per_minute is not None:
        found["app"] = run.settings.messages_per_minute / 60
    return found
