"""Notify: tell what the outbox holds to those who listen, after the commit and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from callsheet.core.errors import Unavailable
from callsheet.store.outbox import Notice, Outbox

log = structlog.get_logger()

BATCH = 100

Listener = Callable[[Notice], Awaitable[None]]


class Notifier:
    """Tells notices at least once, each to every listener."""

    def __init__(self, outbox: Outbox, *, tick_seconds: float) -> None:
        self._outbox = outbox
        self._tick_seconds = tick_seconds
        self._listeners: list[Listener] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self.on_told: Callable[[], None] = lambda: None
        """Called when notices left the outbox: their deliveries to webhooks wait."""

    def listen(self, listener: Listener) -> None:
        """Add one who listens."""
        self._listeners.append(listener)

    def wake(self) -> None:
        """Look into the outbox now."""
        self._wake.set()

    def stop(self) -> None:
        """End."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Tell until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                told = await self.tell()
            except Unavailable:
                told = 0
            if told < BATCH and not self._stopping:
                try:
                    async with asyncio.timeout(self._tick_seconds):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    async def tell(self) -> int:
        """Tell one batch and forget it; return how many there were."""
        notices = await self._outbox.peek(BATCH)
        for notice in notices:
            log.info("notice.told", kind=notice.kind, seq=notice.seq)
            for listener in self._listeners:
                await listener(notice)
        if notices:
            await self._outbox.drop(notices)
            self.on_told()
        return len(notices)
