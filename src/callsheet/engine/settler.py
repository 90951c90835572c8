"""Settle: what carriers said of answers of ours becomes durable in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.engine.loop import Loop
from callsheet.store.replies import Outcome
from callsheet.store.store import Store

log = structlog.get_logger()

LINGER_SECONDS = 0.02
"""How long a small batch waits for company."""
BUSY = 50
"""Where so many come while a batch lingers, it lingers on: a commit costs more than what is in it."""
LONGEST_LINGERS = 3
FULL = 1000
"""A batch of this size does not wait, and none is larger."""
AWAY_SECONDS = 0.5
"""How long to wait before a store that is away is asked again."""
LAST_TRIES = 20
"""How often a batch is tried when the process is to stop."""
_FOR_EVER_SECONDS = 86_400.0


class Settler(Loop):
    """Collects what became of answers, and writes it down, batch after batch."""

    def __init__(self, store: Store, clock: Clock, on_settled: Callable[[Sequence[Outcome]], None]) -> None:
        """`on_settled` is told what is durable, or given up."""
        super().__init__()
        self._store = store
        self._clock = clock
        self._on_settled = on_settled
        self._noted: list[Outcome] = []

    def note(self, outcome: Outcome) -> None:
        """Take what became of one answer."""
        self._noted.append(outcome)
        self._wake.set()

    async def run(self) -> None:
        """Write batches until `stop`, and then what is left."""
        while not self._stopping or self._noted:
            await self._rest(_FOR_EVER_SECONDS)
            await self._linger()
            self._wake.clear()
            await self._flush()
            if self._noted:
                self._wake.set()

    async def _linger(self) -> None:
        """Wait for company, as long as it comes."""
        for lingers in range(1, LONGEST_LINGERS + 1):
            if len(self._noted) >= FULL or self._stopping:
                return
            await self._clock.sleep(LINGER_SECONDS)
            if len(self._noted) < BUSY * lingers:
                return

    async def _flush(self) -> None:
        batch, self._noted = self._noted[:FULL], self._noted[FULL:]
        tries = 0
        while batch:
            try:
                await self._store.replies.settle(batch, await self._store.hot.now())
                break
            except Unavailable:
                # What was stored after all is not changed by a repeat.
                log.warning("crew.store_away", crew="settler")
                tries += 1
                if self._stopping and tries >= LAST_TRIES:
                    break  # it is uncertain at the next start
                await self._clock.sleep(AWAY_SECONDS)
            except Exception:
                log.exception("crew.broke", crew="settler")
                break
        self._on_settled(batch)
