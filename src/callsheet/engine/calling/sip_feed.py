"""Feed the voice engine: tell it which SIP trunks there are, whenever one is made, changed or deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from callsheet.core.errors import Unavailable
from callsheet.core.sip import SipTrunk
from callsheet.engine.loop import Loop

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0
"""How often to look, as another node may have changed one."""


class SipFeed(Loop):
    """Tells one engine."""

    def __init__(
        self, read: Callable[[], Awaitable[Sequence[SipTrunk]]], use: Callable[[Sequence[SipTrunk]], None]
    ) -> None:
        """`read` returns the very same sequence while nothing has changed."""
        super().__init__()
        self._read = read
        self._use = use
        self._told: Sequence[SipTrunk] | None = None

    async def run(self) -> None:
        """Tell until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                trunks = await self._read()
            except Unavailable:
                log.warning("sip_feed.store_away")
            else:
                if trunks is not self._told:
                    self._told = trunks
                    self._use(trunks)
            await self._rest(LOOK_SECONDS)
