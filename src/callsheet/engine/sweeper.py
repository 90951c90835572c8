"""Sweep: look again for the attempts of receipts that wait, and forget the carriers' ids that nobody names any more.

What waits for people is measured on the way.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from callsheet import meters
from callsheet.core.errors import Unavailable
from callsheet.core.matching import REMEMBERED_DAYS, day_of
from callsheet.engine.loop import Loop
from callsheet.engine.recorder import Recorder
from callsheet.store.store import Store

log = structlog.get_logger()

BLOCK_RECEIPTS = 500
BLOCK_IDS = 2_000
"""So many rows hold a writer for a few hundredths of a second."""
TICK_SECONDS = 60.0
"""How often to look although nobody woke us: another node may have parked a receipt, and died."""


class Sweeper(Loop):
    """Tells parked receipts again, at growing intervals, until they are matched or too old."""

    def __init__(self, store: Store, recorder: Recorder, *, tick_seconds: float = TICK_SECONDS) -> None:
        super().__init__()
        self._tick_seconds = max(TICK_SECONDS, tick_seconds)
        self._hot = store.hot
        self._receipts = store.parked_receipts
        self._recorder = recorder
        self._queue = store.flow_queue
        self._tidied_on = 0
        self._measures_at: datetime | None = None

    async def run(self) -> None:
        """Sweep until `stop`."""
        while not self._stopping:
            self._wake.clear()
            rest = self._tick_seconds
            try:
                rest = await self._sweep(await self._hot.now())
            except Unavailable:
                log.warning("sweeper.store_away")
            if rest:
                await self._rest(rest)

    async def _sweep(self, now: datetime) -> float:
        """Look again for what is due, and return after how many seconds to come back."""
        await self._tidy(now)
        await self._measure(now)
        receipts, dropped = await self._receipts.take(now, BLOCK_RECEIPTS)
        if dropped:
            log.warning("receipts.never_matched", count=dropped)
            meters.loose_receipts.labels(outcome="dropped").inc(dropped)
        if receipts:
            # Through the recorder, as if they were heard just now: there is one way in which receipts are matched.
            await self._recorder.settle((), receipts)
            return 0.0
        due = await self._receipts.next_due()
        tick = self._tick_seconds
        return tick if due is None else min(tick, max(0.0, (due - now) / timedelta(seconds=1)))

    async def _tidy(self, now: datetime) -> None:
        """Forget old ids, once a day."""
        if self._tidied_on < day_of(now):
            while not self._stopping and await self._receipts.forget(day_of(now) - REMEMBERED_DAYS, BLOCK_IDS):
                pass
            self._tidied_on = day_of(now)

    async def _measure(self, now: datetime) -> None:
        """Count the conversations that wait in queues, once a tick."""
        if self._measures_at is None or self._measures_at <= now:
            count, since = await self._queue.waiting()
            meters.waiting_conversations.set(count)
            meters.longest_wait.set(0 if since is None else max(0.0, (now - since) / timedelta(seconds=1)))
            self._measures_at = now + timedelta(seconds=self._tick_seconds)
