"""Erase the contacts of deleted lists, a block at a time; what a stop interrupts goes on at the next start."""

from __future__ import annotations

import asyncio

import structlog

from callsheet.core.errors import Unavailable
from callsheet.store.erasing import Erasing

log = structlog.get_logger()

BLOCK_CONTACTS = 2_000
"""So many rows hold a writer for a few hundredths of a second."""
TICK_SECONDS = 60.0


class Eraser:
    """Erases what nobody can see any more."""

    def __init__(self, erasing: Erasing) -> None:
        self._erasing = erasing
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look for work now."""
        self._wake.set()

    def stop(self) -> None:
        """End after the block in work."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Erase until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                if await self._erasing.erase(BLOCK_CONTACTS):
                    continue
            except Unavailable:
                log.warning("eraser.store_away")
            try:
                async with asyncio.timeout(0 if self._stopping else TICK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue
