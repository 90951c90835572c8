"""Start: begin the runs that schedules ask for at their time, and end those whose time is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from callsheet.core.campaign import Campaign
from callsheet.core.errors import Unavailable
from callsheet.engine.loop import Loop
from callsheet.store.store import Store

log = structlog.get_logger()

AGAIN_SECONDS = 1.0
"""How long to wait after something broke: it is due still."""


async def _nothing(_campaign: Campaign, _now: datetime) -> None:
    return None


class Starter(Loop):
    """Looks after schedules; of several nodes each does, and one of them starts an occurrence."""

    def __init__(self, store: Store, *, tick_seconds: float) -> None:
        super().__init__()
        self._store = store
        self._tick_seconds = tick_seconds
        self.begin: Callable[[Campaign, datetime], Awaitable[None]] = _nothing
        """What is done with a campaign whose next occurrence has come."""
        self.end: Callable[[Campaign, datetime], Awaitable[None]] = _nothing
        """What is done with one whose occurrence is over."""
        self._broken: set[str] = set()
        """Campaigns of which was said that something broke; it is said again when that happens anew."""

    async def run(self) -> None:
        """Look when an occurrence begins or ends, when a schedule is new, and at every tick, until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                wait = await self.look()
            except Unavailable:
                log.warning("starter.store_away")
                wait = self._tick_seconds
            await self._rest(wait)

    async def look(self) -> float:
        """Begin what is due and end what is over; return how many seconds there is nothing to do."""
        now = await self._store.hot.now()
        broke = False
        for app, campaign_id in await self._store.schedules.over(now):
            broke |= not await self._done(self.end, app, campaign_id, now)
        for app, campaign_id in await self._store.schedules.due(now):
            if self._stopping:
                break
            broke |= not await self._done(self.begin, app, campaign_id, now)
        soonest = await self._store.schedules.soonest()
        if soonest is None:
            return self._tick_seconds
        wait = (soonest - await self._store.hot.now()) / timedelta(seconds=1)
        return min(self._tick_seconds, max(wait, AGAIN_SECONDS if broke else 0.0))

    async def _done(
        self, deal: Callable[[Campaign, datetime], Awaitable[None]], app: int, campaign_id: str, now: datetime
    ) -> bool:
        """Deal with a campaign, and say whether that did not break: one must not stand in the way of the others."""
        try:
            campaign = await self._store.campaigns.find(app, campaign_id=campaign_id)
            if campaign is not None:
                await deal(campaign, now)
        except Unavailable:
            raise
        except Exception:
            if campaign_id not in self._broken:
                log.exception("schedule.broke", campaign=campaign_id)
            self._broken.add(campaign_id)
            return False
        self._broken.discard(campaign_id)
        return True
