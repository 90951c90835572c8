"""Notify: tell what the outbox holds to those who listen, after the commit and in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from callsheet.core.errors import Unavailable
from callsheet.engine.loop import Loop
from callsheet.store.deliveries import UNREADABLE_KINDS
from callsheet.store.outbox import Notice, Outbox

log = structlog.get_logger()

BATCH = 500

Listener = Callable[[Notice], Awaitable[None]]


class Notifier(Loop):
    """Tells notices at least once, each to every listener."""

    def __init__(self, outbox: Outbox, *, tick_seconds: float) -> None:
        super().__init__()
        self._outbox = outbox
        self._tick_seconds = tick_seconds
        self._listeners: list[Listener] = []
        self.on_told: Callable[[], None] = lambda: None
        """Called when notices left the outbox: their deliveries to webhooks wait."""

    def listen(self, listener: Listener) -> None:
        """Add one who listens."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Tell until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                told = await self.tell()
            except Unavailable:
                told = 0
            if told < BATCH:
                await self._rest(self._tick_seconds)

    async def tell(self) -> int:
        """Tell one batch and forget it; return how many there were."""
        notices = await self._outbox.peek(BATCH)
        for notice in notices:
            for listener in self._listeners:
                await listener(notice)
        for kind, count in Counter(notice.kind for notice in notices).items():
            log.info("notice.told", kind=kind, count=count)
        if notices:
            for webhook_id in await self._outbox.drop(notices):
                log.warning("webhook.disabled", webhook=webhook_id, reason=UNREADABLE_KINDS)
            self.on_told()
        return len(notices)
