"""Tell: say to whoever asked for a single call what becomes of it, at least once each, until he took it in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.asking import NotReached, Request
from callsheet.engine.crew import TICK_SECONDS, Crew
from callsheet.engine.outside import Outside
from callsheet.store.dialouts import Parcel
from callsheet.store.store import Store

log = structlog.get_logger()

TIMEOUT_SECONDS: Final = 15.0
LEASE_SECONDS: Final = 60.0
"""Longer than a try takes with all that goes before and after it."""
LOOK_SECONDS: Final = 0.5
"""How often to look at what became of calls, while some go on."""
MOST_AT_ONCE: Final = 64
KEPT: Final = timedelta(days=30)
PRUNE_EVERY: Final = timedelta(hours=1)


class DialoutTeller:
    """Tells of the single calls of all apps."""

    def __init__(self, store: Store, outside: Outside, clock: Clock, *, tick_seconds: float = TICK_SECONDS) -> None:
        self._store = store
        self._outside = outside
        self._clock = clock
        self._pruned_at: datetime | None = None
        self._crew: Crew[Parcel] = Crew(
            "dialouts", self._look, self._tell, clock, most=MOST_AT_ONCE, tick_seconds=tick_seconds
        )
        self.wake = self._crew.wake
        self.stop = self._crew.stop
        self.run = self._crew.run

    async def _look(self, room: int) -> tuple[Sequence[Parcel], datetime | None]:
        now = await self._store.hot.now()
        if self._pruned_at is None or now - self._pruned_at >= PRUNE_EVERY:
            self._pruned_at = now
            await self._store.dialouts.prune(now - KEPT)
        some_go_on = await self._store.dialouts.look(now)
        parcels, next_at = await self._store.dialouts.take(now, most=room, lease_seconds=LEASE_SECONDS)
        if some_go_on:
            soon = now + timedelta(seconds=LOOK_SECONDS)
            next_at = min(next_at, soon) if next_at is not None else soon
        return parcels, next_at

    async def _tell(self, parcel: Parcel) -> None:
        is_told = await self._post(parcel)
        now = await self._store.hot.now()
        is_given_up = await self._store.dialouts.settle(parcel, is_told=is_told, now=now)
        meters.dialout_notices.labels("done" if is_told else "giveup" if is_given_up else "retry").inc()
        if is_given_up:
            log.warning("dialout.given_up", dialout=parcel.sid, tries=parcel.tries)

    async def _post(self, parcel: Parcel) -> bool:
        """Send a notice; return whether it was taken in."""
        if parcel.url is None:
            log.error("dialout.unreadable", dialout=parcel.sid)
            return False
        headers = dict(parcel.headers)
        if not any(name.lower() == "content-type" for name in headers):
            headers["content-type"] = "application/json"
        request = Request("POST", parcel.url, headers, msgspec.json.encode(parcel.payload))
        try:
            answer = await self._outside.ask(request, seconds=TIMEOUT_SECONDS, most_bytes=0)
        except NotReached:
            return False
        return 200 <= answer.status < 300
