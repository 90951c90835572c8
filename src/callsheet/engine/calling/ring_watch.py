"""Watch what rings: who was forbidden to be called since the call was placed is rung no more.

A call that forbids looks at the calls of its own node before it answers; the other nodes look every moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from callsheet.core.errors import Unavailable
from callsheet.engine.calling.leading import Leading
from callsheet.engine.holds import Scope
from callsheet.engine.loop import Loop
from callsheet.store.ringing import Ringing

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0


class RingWatch(Loop):
    """Takes back calls that nobody has answered yet."""

    def __init__(self, store: Ringing, ringing: Callable[[], Iterable[Leading]]) -> None:
        super().__init__()
        self._store = store
        self._ringing = ringing

    async def run(self) -> None:
        """Look until `stop`."""
        while not self._stopping:
            try:
                await self.look()
            except Unavailable:
                log.warning("ring_watch.store_away")
            await self._rest(LOOK_SECONDS)

    async def look(self, scope: Scope | None = None) -> None:
        """Take back what is forbidden now, of what a scope covers, or of everything that rings."""
        runs: dict[int, list[Leading]] = {}
        for leading in self._ringing():
            if scope is None or scope.covers(leading.run.app, leading.run.no, leading.key.person):
                runs.setdefault(leading.run.no, []).append(leading)
        for mine in runs.values():
            await self._take_back(mine)

    async def _take_back(self, mine: list[Leading]) -> None:
        """Take back the forbidden calls of one run."""
        run = mine[0].run
        lists = [named.no for named in run.definition.dnc_lists]
        persons = {leading.key.person for leading in mine}
        forbidden = await self._store.forbidden(run.app, run.no, lists, persons)
        await asyncio.gather(*(leading.cancel() for leading in mine if leading.key.person in forbidden))
