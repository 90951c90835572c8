"""Hang up on calls that somebody wants to end: one that was named, or all of an app whose sending was stopped.

What is wanted stands in the store, so that it does not matter which node is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.engine.calling.leading import Leading
from callsheet.engine.loop import Loop
from callsheet.store.hang_ups import HangUps

log = structlog.get_logger()

LOOK_SECONDS: Final = 1.0
IDLE_SECONDS: Final = 3600.0
"""While there is no call there is nothing to look for."""
ASKED: Final = "asked"
"""Somebody named the call."""
STOPPED: Final = "stopped"
"""All sending of its app was stopped."""


class HangUpWatch(Loop):
    """Ends calls of this node."""

    def __init__(self, store: HangUps, clock: Clock, led: Callable[[], Iterable[Leading]], node_no: int) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._led = led
        self._node_no = node_no
        self._is_idle = True
        self._ending: dict[Leading, asyncio.Task[None]] = {}
        """What is being hung up: a node that is away holds up no other call."""

    def begun(self) -> None:
        """Take notice of a call."""
        if self._is_idle:
            self._is_idle = False
            self.wake()

    async def run(self) -> None:
        """Look until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self.look()
            except Unavailable:
                log.warning("hang_ups.store_away")
            await self._rest(IDLE_SECONDS if self._is_idle else LOOK_SECONDS)

    async def look(self) -> None:
        """Begin to end what somebody wants to end."""
        self._is_idle = not any(True for _ in self._led())
        if self._is_idle:
            return
        wanted = await self._store.of_node(self._node_no)
        if not (wanted.calls or wanted.apps):
            return
        for leading in list(self._led()):
            if leading.key in wanted.calls:
                self._end(leading, ASKED)
            elif leading.run.app in wanted.apps:
                self._end(leading, STOPPED)

    def _end(self, leading: Leading, why: str) -> None:
        if leading not in self._ending:
            task = asyncio.get_running_loop().create_task(leading.end_early(self._clock.now(), why), name="hang up")
            self._ending[leading] = task
            task.add_done_callback(lambda _: self._ending.pop(leading, None))
