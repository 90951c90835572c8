"""A call while it is led: what we did to it, and what was heard of it before somebody answered."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

import structlog

from callsheet.core.calling import Clearing, Dial
from callsheet.core.ids import AttemptKey
from callsheet.core.run import Run
from callsheet.engine.calling.call_events import CallEvents
from callsheet.engine.calling.live_call import LiveCall
from callsheet.voice.base import Call, CallGone, HungUp

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Leading:
    """One call, from when it was handed over."""

    key: AttemptKey
    run: Run
    dial: Dial
    trunk_no: int
    task: asyncio.Task[None] | None = None
    """What leads it."""
    events: CallEvents = field(default_factory=CallEvents)
    live: LiveCall | None = None
    """None: the engine has not said yet that it took it."""
    began: float = 0.0
    """When it was handed over, on the monotonic clock."""
    has_rung: bool = False
    is_answered: bool = False
    """It is: who takes it back would cut somebody off."""
    was_cancelled: bool = False
    ring_ran_out: bool = False
    is_crowded_out: bool = False
    recorded: asyncio.Task[None] | None = None
    """What writes down that it was answered."""

    def record(self, recording: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Begin to write down that it was answered; that goes on when nobody waits for it any more."""
        self.recorded = task = asyncio.get_running_loop().create_task(recording)
        # Whoever waits for it may be gone; then nobody would look at what became of it.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def cancel(self) -> None:
        """Take it back, unless somebody has answered."""
        if not self.is_answered and not self.was_cancelled:
            self.was_cancelled = True
            await self.hang_up()

    async def hang_up(self) -> None:
        """End it, if it has begun. What ends it is told as an event."""
        if self.live is not None:
            await end(self.live.call)

    def clearing(self) -> Clearing:
        """Return how it ended."""
        last = self.live.end if self.live is not None else None
        is_told = isinstance(last, HungUp)
        return Clearing(
            cause=last.cause if isinstance(last, HungUp) else 0,
            sip_status=last.sip_status if isinstance(last, HungUp) else 0,
            was_answered=self.is_answered,
            has_rung=self.has_rung,
            ring_ran_out=self.ring_ran_out,
            was_cancelled=self.was_cancelled,
            is_lost=not is_told,
            is_crowded_out=self.is_crowded_out,
        )


async def end(call: Call) -> None:
    """Hang up. What goes wrong is the engine's to get over: its events tell the rest."""
    try:
        await call.hang_up()
    except CallGone:
        return
    except Exception:
        log.exception("call.hang_up_broke")
