"""Tells what handsets say: one loop over a heap of due tellings, each told until it was heard."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import structlog

from callsheet.carriers.base import Heard, Inbound, Receipt
from callsheet.carriers.ending import is_ending
from callsheet.carriers.sandbox.behaviour import REPLY
from callsheet.carriers.sandbox.ledger import Telling
from callsheet.clock import Clock
from callsheet.core.attempt import Kind

_log = structlog.get_logger(__name__)

# Tellings fall due in steps, so that those of about the same moment are heard, and committed, together.
_STEP_SECONDS: Final = 0.02
# Timers may fire this much early, by the resolution of the clock.
_EARLY_SECONDS: Final = 1e-6
_MOST_AT_ONCE: Final = 500
_FIRST_BACKOFF_SECONDS: Final = 0.1
_LONGEST_BACKOFF_SECONDS: Final = 5.0


Tell = Callable[[Sequence[Telling]], Awaitable[None]]
"""Tells a batch, and sees to it that the ledger knows what was heard; raises when it was not heard."""


class Teller:
    """Tells receipts and replies when they are due.

    What was not heard is told again after a pause that doubles from 0.1 s to 5 s, in smaller batches, so that
    one that can never be heard holds up no other for long.
    """

    def __init__(self, clock: Clock, tell: Tell) -> None:
        self._clock = clock
        self._tell_batch = tell
        self._due: list[tuple[float, int, Telling]] = []
        self._first_tries: dict[int, asyncio.Future[None]] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._most = _MOST_AT_ONCE
        self._backoff_seconds = _FIRST_BACKOFF_SECONDS

    def add(self, tellings: Iterable[Telling]) -> None:
        """Tell these when they are due: at once what was due before."""
        now, wall = self._clock.monotonic(), self._clock.now()
        for telling in tellings:
            # On the monotonic clock from here on: a wall clock that is set back must not hold receipts up.
            wait_seconds = max(0.0, (telling.due_at - wall).total_seconds())
            due = math.ceil((now + wait_seconds) / _STEP_SECONDS) * _STEP_SECONDS if wait_seconds else now
            if not self._due or due < self._due[0][0]:
                self._wake.set()
            heapq.heappush(self._due, (due, telling.id, telling))

    def first_try(self, telling: Telling) -> asyncio.Future[None]:
        """Return what is done once this one was told, heard or not, or the teller stops; asked before it is added."""
        tried = self._first_tries.setdefault(telling.id, asyncio.get_running_loop().create_future())
        if self._stopping:
            self._settle_first_tries([telling.id])
        return tried

    async def run(self) -> None:
        """Tell until stopped. What is under way then is told and acknowledged first."""
        try:
            while not self._stopping:
                batch = self._take_due()
                if not batch:
                    await self._rest(self._due[0][0] - self._clock.monotonic() if self._due else None)
                elif await self._tell(batch):
                    self._most = min(_MOST_AT_ONCE, self._most * 2)
                    self._backoff_seconds = _FIRST_BACKOFF_SECONDS
                else:
                    await self._back_off(batch)
        finally:
            self.stop()

    def stop(self) -> None:
        """Take up nothing more; the ledger keeps what was not told."""
        self._stopping = True
        self._wake.set()
        self._settle_first_tries(list(self._first_tries))

    def _take_due(self) -> list[Telling]:
        until = self._clock.monotonic() + _EARLY_SECONDS
        batch: list[Telling] = []
        while self._due and self._due[0][0] <= until and len(batch) < self._most:
            batch.append(heapq.heappop(self._due)[-1])
        return batch

    async def _rest(self, seconds: float | None) -> None:
        """Wait so long, or until there is something earlier to tell, or the end."""
        self._wake.clear()
        if self._stopping:
            return
        timer = None
        if seconds is not None:
            timer = asyncio.get_running_loop().call_later(max(seconds, 0.0), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()

    async def _tell(self, batch: Sequence[Telling]) -> bool:
        """Tell a batch, and say whether it was heard."""
        try:
            await self._tell_batch(batch)
        except asyncio.CancelledError:
            if is_ending():
                raise
            _log.warning("sandbox.not_heard", tellings=len(batch), error="CancelledError")
            return False  # it was the listener who was cancelled, not we
        except Exception as error:  # noqa: BLE001 (whatever keeps the listener from hearing, it is told again)
            # Its type only: the text of an error may quote a number.
            _log.warning("sandbox.not_heard", tellings=len(batch), error=type(error).__name__)
            return False
        finally:
            self._settle_first_tries([telling.id for telling in batch])
        return True

    async def _back_off(self, batch: Sequence[Telling]) -> None:
        seconds = self._backoff_seconds
        self._backoff_seconds = min(_LONGEST_BACKOFF_SECONDS, seconds * 2)
        self._most = max(1, len(batch) // 2)
        due = self._clock.monotonic() + 2 * seconds  # behind those that fall due meanwhile
        for telling in batch:
            heapq.heappush(self._due, (due, telling.id, telling))
        end = self._clock.monotonic() + seconds
        while not self._stopping and (left := end - self._clock.monotonic()) > _EARLY_SECONDS:
            await self._rest(left)

    def _settle_first_tries(self, telling_ids: Iterable[int]) -> None:
        if self._first_tries:
            for telling_id in telling_ids:
                tried = self._first_tries.pop(telling_id, None)
                if tried is not None and not tried.done():
                    tried.set_result(None)


def phrase(telling: Telling) -> Heard:
    """Say a telling in the words of every carrier."""
    if telling.kind == REPLY:
        # Our own reference is in it, so that a ledger that begins anew does not use an id twice.
        inbound_id = f"sb-in-{telling.reference}-{telling.id}"
        return Inbound(inbound_id, telling.number, telling.sender, telling.text, telling.due_at)
    return Receipt(telling.reference, telling.carrier_id, Kind(telling.kind), telling.due_at, telling.text)
