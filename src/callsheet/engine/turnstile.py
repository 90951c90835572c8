"""The turnstile before arming: apps pass it in their turns, so that none has to wait for another's million."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callsheet.core.fairness import Turns


class Turnstile:
    """Lets the dispatchers of a node arm in the turns of their apps."""

    def __init__(self, turns: Turns | None = None) -> None:
        self._turns = turns or Turns()
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, app: int, cost: int) -> AsyncIterator[None]:
        """Wait for a turn of an app, and have it while inside. `cost` is how many contacts may be armed in it."""
        await self._enter(app, cost)
        try:
            yield
        finally:
            self._turns.finish(app)
            self._admit()

    async def _enter(self, app: int, cost: int) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(app, deque()).append(future)
        self._turns.ask(app, cost)
        self._admit()
        try:
            await future
        except asyncio.CancelledError:
            if future in self._waiting.get(app, ()):
                self._waiting[app].remove(future)
                self._turns.withdraw(app, cost)
            elif not future.cancelled():
                self._turns.finish(app)
            self._admit()
            raise

    def _admit(self) -> None:
        while (app := self._turns.admit()) is not None:
            future = self._waiting[app].popleft()
            if not self._waiting[app]:
                del self._waiting[app]
            if future.cancelled():
                # Its owner has not noticed yet; he never had the turn.
                self._turns.finish(app)
            else:
                future.set_result(None)
