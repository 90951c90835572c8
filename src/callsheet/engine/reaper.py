"""Reap: renew what this node holds, and make uncertain what a dead one left."""

from __future__ import annotations

import asyncio
import random

import structlog

from callsheet import meters
from callsheet.core.errors import Unavailable
from callsheet.engine.agenda import Agenda
from callsheet.engine.holds import Holds
from callsheet.store.protocol import HotStore

log = structlog.get_logger()


class Reaper:
    """Looks after leases, three times within each."""

    def __init__(
        self, hot: HotStore, agenda: Agenda, holds: Holds, rng: random.Random, *, node_no: int, lease_seconds: float
    ) -> None:
        self._hot = hot
        self._agenda = agenda
        self._holds = holds
        self._rng = rng
        self._node_no = node_no
        self._lease_seconds = lease_seconds
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End."""
        self._stopping.set()

    async def run(self) -> None:
        """Renew and reap until `stop`."""
        while not self._stopping.is_set():
            try:
                held = [state.chunk for state in self._agenda.states.values() if state.chunk is not None]
                # A call lasts as long as it likes, and its arm with it.
                await self._hot.renew(self._node_no, held, self._lease_seconds, self._holds.lasting())
                await self.reap()
            except Unavailable:
                log.warning("reaper.store_away")
            try:
                async with asyncio.timeout(self._lease_seconds / 3):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def reap(self, *, all_arms: bool = False) -> int:
        """Make attempts uncertain whose lease ran out without a result."""
        reaped = await self._hot.reap(self._node_no, self._rng.random, all_arms=all_arms)
        if reaped:
            log.warning("attempts.uncertain", count=reaped)
            meters.reaped.inc(reaped)
            self._agenda.wake()
        return reaped
