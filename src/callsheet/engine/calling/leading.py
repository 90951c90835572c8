"""A call while it is led: what we did to it, and what was heard of it before somebody answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from callsheet.core.calling import Clearing, Dial
from callsheet.core.ids import AttemptKey
from callsheet.core.outcome import Outcome
from callsheet.core.run import Run
from callsheet.engine.calling.call_events import CallEvents
from callsheet.engine.calling.live_call import LiveCall
from callsheet.voice.base import Call, CallGone, HungUp

log = structlog.get_logger()

CLOSE: Final = timedelta(seconds=1)
"""A call that ended so shortly before it had rung long enough has rung long enough: clocks differ a little."""


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
    was_answered_late: bool = False
    """Somebody answered when it was to end already: their answer and our end of it crossed, or it was told late."""
    was_cancelled: bool = False
    rings_until: datetime | None = None
    """Until when it may ring; None: it was not placed yet."""
    ring_ran_out: bool = False
    """Our own timer says so; what was told late may say that it had ended before."""
    is_crowded_out: bool = False
    is_told: bool = False
    """What came of its attempt was said."""
    judged: Outcome | None = None
    """What came of it, once somebody was found to be there and that was said: whatever breaks later, it stays so."""
    is_cut_off: bool = False
    """This node stops, and waits for it no longer."""
    is_to_end: bool = False
    """Somebody wants it to end, whoever talks."""

    @property
    def run_no(self) -> int:
        """Return the run with which it is stopped, as long as it rings."""
        return self.run.no

    @property
    def persons(self) -> frozenset[bytes]:
        """Return whom it reaches."""
        return frozenset({self.key.person})

    async def cancel(self) -> None:
        """Take it back, unless somebody has answered."""
        if not self.is_answered and not self.was_cancelled:
            self.was_cancelled = True
            await self.hang_up()

    async def end_early(self, at: datetime, why: str) -> None:
        """End it because somebody wants that: hang up on whoever answered, or take it back."""
        if not self.is_to_end and self.live is not None:
            self.is_to_end = True
            self.live.note(at, "hang_up_asked", why=why)
        await (self.hang_up() if self.is_answered else self.cancel())

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
            ring_ran_out=self._has_rung_out(),
            was_cancelled=self.was_cancelled,
            is_lost=not is_told,
            is_crowded_out=self.is_crowded_out,
            was_answered_late=self.was_answered_late,
        )

    def _has_rung_out(self) -> bool:
        """Tell whether it ended because it had rung for as long as it may, by our timer or by that of the engine.

        When it ended counts, not when that was told: a link may have been down in between.
        """
        last = self.live.end if self.live is not None else None
        if self.is_answered or self.rings_until is None or not isinstance(last, HungUp):
            return False
        return last.at >= self.rings_until - CLOSE

    def say_who_ended_it(self) -> None:
        """Correct who ended a call that nobody answered, as far as our timers know better than the engine."""
        live = self.live
        if live is None or not isinstance(live.end, HungUp) or self.is_answered or self.was_cancelled:
            return
        if self._has_rung_out():
            live.end = live.end._replace(by_us=True)
        elif self.ring_ran_out and not self.was_answered_late:
            # We hung up on what had ended before.
            live.end = live.end._replace(by_us=False)


async def end(call: Call) -> None:
    """Hang up. What goes wrong is the engine's to get over: its events tell the rest."""
    try:
        await call.hang_up()
    except CallGone:
        return
    except Exception:
        log.exception("call.hang_up_broke")
