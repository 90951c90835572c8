"""Erase the contacts of deleted lists, a block at a time; what a stop interrupts goes on at the next start."""

from __future__ import annotations

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.engine.loop import Loop
from callsheet.store.erasing import Erasing

log = structlog.get_logger()

BLOCK_CONTACTS = 2_000
"""So many rows hold a writer for a few hundredths of a second."""
TICK_SECONDS = 60.0
"""How often to look although nobody woke us: another node may have deleted a list, and died."""


class Eraser(Loop):
    """Erases what nobody can see any more."""

    def __init__(self, erasing: Erasing, clock: Clock, *, tick_seconds: float = TICK_SECONDS) -> None:
        super().__init__()
        self._tick_seconds = max(TICK_SECONDS, tick_seconds)
        self._erasing = erasing
        self._clock = clock

    async def run(self) -> None:
        """Erase until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                if await self._erasing.erase(BLOCK_CONTACTS, self._clock.now()):
                    continue
            except Unavailable:
                log.warning("eraser.store_away")
            await self._rest(self._tick_seconds)
