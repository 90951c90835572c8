"""Crew: works on what is due, several jobs at once, so that one that takes long holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.engine.loop import Loop

log = structlog.get_logger()

Job = TypeVar("Job")

TICK_SECONDS = 5.0
"""How often to look although nobody woke us: another node may have written down what is due."""
RETRY_SECONDS = 1.0
GRACE_SECONDS = 5.0
"""So long jobs in work have at the end; what is cut off comes up again when its lease runs out."""

Look = Callable[[int], Awaitable[tuple[Sequence[Job], datetime | None]]]
"""Takes at most so many jobs that are due, and says when the next will be, as far as that is known."""


class Crew(Loop, Generic[Job]):
    """A loop that takes jobs, and their tasks."""

    def __init__(
        self,
        name: str,
        look: Look[Job],
        work: Callable[[Job], Awaitable[None]],
        clock: Clock,
        *,
        most: int,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        """Work on at most so many jobs at once."""
        super().__init__()
        self._name = name
        self._look = look
        self._work = work
        self._clock = clock
        self._most = most
        self._tick_seconds = tick_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until `stop`."""
        try:
            while not self._stopping:
                self._wake.clear()
                await self._rest(await self._begin())
        finally:
            await self._finish()

    async def _begin(self) -> float:
        """Begin the jobs that are due, and return after how many seconds to look again."""
        room = self._most - len(self._tasks)
        if room <= 0:
            return self._tick_seconds  # the next that ends wakes us
        try:
            jobs, next_at = await self._look(room)
        except Unavailable:
            log.warning("crew.store_away", crew=self._name)
            return RETRY_SECONDS
        for job in jobs:
            task = asyncio.get_running_loop().create_task(self._attempt(job), name=self._name)
            self._tasks.add(task)
            task.add_done_callback(self._end)
        if jobs:
            return 0.0
        if next_at is None:
            return self._tick_seconds
        return min(self._tick_seconds, max(0.0, (next_at - self._clock.now()) / timedelta(seconds=1)))

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()

    async def _attempt(self, job: Job) -> None:
        try:
            await self._work(job)
        except Unavailable:
            log.warning("crew.store_away", crew=self._name)
        except Exception:
            log.exception("crew.broke", crew=self._name)

    async def _finish(self) -> None:
        """Wait a while for jobs in work, and cut off what takes longer."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
