"""Recall: let go of what another node asks for, because something of it was forbidden there."""

from __future__ import annotations

import structlog

from callsheet.core.errors import Unavailable
from callsheet.engine.holds import Holds
from callsheet.engine.loop import Loop
from callsheet.store.store import Store

log = structlog.get_logger()

LOOK_SECONDS = 0.05
"""How often it is asked while this node holds something."""
AWAY_SECONDS = 0.5
"""How long to wait before a store that is away is asked again. Whoever forbids waits for us meanwhile."""


class Recaller(Loop):
    """Bars what this node holds and others recall."""

    def __init__(self, store: Store, holds: Holds) -> None:
        super().__init__()
        self._store = store
        self._holds = holds

    async def run(self) -> None:
        """Look until `stop`."""
        while not self._stopping:
            try:
                await self.look()
            except Unavailable:
                log.warning("recaller.store_away")
                await self._rest(AWAY_SECONDS)
            await self._rest(LOOK_SECONDS)

    async def look(self) -> None:
        """Let go of what is asked for."""
        if arms := self._holds.inside():
            self._holds.bar_arms(await self._store.hot.recalled(arms))
        if answers := self._holds.answers():
            asked = await self._store.replies.recalled(answers)
            self._holds.bar_answers(asked)
            await self._store.replies.let_go(asked)
