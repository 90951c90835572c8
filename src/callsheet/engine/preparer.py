"""Prepare: make created voice campaigns Ready.

Nothing is expanded or scrubbed here, because the gate asks at the last instant; so a campaign is Preparing until the
next look. What a process left behind at its end is found at the next one's start.
"""

from __future__ import annotations

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.engine.loop import Loop
from callsheet.store.campaigns import Campaigns

log = structlog.get_logger()


class Preparer(Loop):
    """Looks after campaigns that are Preparing, those of other nodes too."""

    def __init__(self, campaigns: Campaigns, clock: Clock, *, tick_seconds: float) -> None:
        super().__init__()
        self._campaigns = campaigns
        self._clock = clock
        self._tick_seconds = tick_seconds

    async def run(self) -> None:
        """Look when something was created, and at every tick, until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self._campaigns.prepare(self._clock.now())
            except Unavailable:
                log.warning("preparer.store_away")
            await self._rest(self._tick_seconds)
