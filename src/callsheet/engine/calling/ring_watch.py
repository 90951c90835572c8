"""Watch what rings: who was forbidden to be called since the call was placed is rung no more.

A call that forbids looks at the calls of its own node before it answers; the other nodes look every moment.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import structlog

from callsheet.core.errors import Unavailable
from callsheet.core.run import Run
from callsheet.engine.holds import Scope
from callsheet.engine.loop import Loop
from callsheet.store.ringing import Ringing

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0


class Rings(Protocol):
    """A call that nobody has answered yet."""

    @property
    def run(self) -> Run:
        """Return the run for which it was placed."""

    @property
    def run_no(self) -> int | None:
        """Return the run with which it is stopped; None: with none."""

    @property
    def persons(self) -> frozenset[bytes]:
        """Return whom it reaches."""

    async def cancel(self) -> None:
        """Take it back, unless somebody has answered."""


class RingWatch(Loop):
    """Takes back calls that nobody has answered yet."""

    def __init__(self, store: Ringing, ringing: Callable[[], Iterable[Rings]]) -> None:
        super().__init__()
        self._store = store
        self._ringing = ringing
        self.beside: Callable[[], Iterable[Rings]] = tuple
        """Returns what rings beside calls, for those who are put through."""

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
        alike: dict[tuple[int, int | None], list[Rings]] = {}
        for call in itertools.chain(self._ringing(), self.beside()):
            if scope is None or any(scope.covers(call.run.app, call.run_no, person) for person in call.persons):
                alike.setdefault((call.run.no, call.run_no), []).append(call)
        for mine in alike.values():
            await self._take_back(mine)

    async def _take_back(self, mine: list[Rings]) -> None:
        """Take back the forbidden ones of calls of one run that are stopped with the same one."""
        run, run_no = mine[0].run, mine[0].run_no
        lists = [named.no for named in run.definition.dnc_lists]
        persons = frozenset[bytes]().union(*(call.persons for call in mine))
        forbidden = await self._store.forbidden(run.app, run_no, lists, persons)
        await asyncio.gather(*(call.cancel() for call in mine if call.persons & forbidden))
