"""A renewal: the node beside us gets no more calls until it has none, and is started anew.

It is what a node needs now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from callsheet.clock import Clock
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.asterisk.standing import NodeState
from callsheet.voice.asterisk.supervisor import NAME, Supervisor

_LOOK_SECONDS: Final = 0.2


class Renewal:
    """Renews one node, one time after another."""

    def __init__(self, supervisor: Supervisor, engine: Callable[[], AsteriskEngine], clock: Clock) -> None:
        """`engine` is asked when the node runs."""
        self._supervisor = supervisor
        self._engine = engine
        self._clock = clock
        self._by = 0.0
        """When it is started anew, by the monotonic clock, even if it has calls."""
        self.is_ending = False
        """Whether the node is ended and started again: it gets calls again by itself, then."""
        self._task: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        """Whether the node is being emptied, or started anew."""
        return self._task is not None and not self._task.done()

    def begin(self, seconds: float) -> None:
        """Empty the node, and start it anew when it has no calls, or, whatever it has, after so long.

        Nothing is waited for; a node that does not run is none to start anew.
        """
        if self._supervisor.standing.state is not NodeState.running:
            return
        self._by = self._clock.monotonic() + seconds
        if not self.is_on:
            self._engine().drain(NAME)
            self._task = asyncio.get_running_loop().create_task(self._renew(self._supervisor.standing.pid))

    def give_up(self) -> None:
        """Let it run on after all, unless it is ending already; whoever says so gives it calls again."""
        if self._task is not None and not self.is_ending:
            self._task.cancel()
            self._task = None

    async def close(self) -> None:
        """Do no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _renew(self, pid: int) -> None:
        """Start a process anew; one that took its place meanwhile, whoever ended the one before, is new already."""
        supervisor, engine = self._supervisor, self._engine()
        while supervisor.standing.pid == pid and engine.calls_on(NAME) and self._clock.monotonic() < self._by:
            await self._clock.sleep(_LOOK_SECONDS)
        if supervisor.standing.pid == pid:
            self.is_ending = True
            await engine.end(NAME)
            supervisor.start_anew()
        while supervisor.standing.pid in (0, pid):
            await self._clock.sleep(_LOOK_SECONDS)
        self.is_ending = False
        if not supervisor.is_draining():
            engine.resume(NAME)
