"""The second call of a transfer: the phone that rings beside the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from callsheet.core.calling import Clearing, Dial, decide_outcome
from callsheet.core.transferring import Transferred, of_outcome
from callsheet.engine.calling.call_events import CallEvents
from callsheet.engine.calling.leading import end
from callsheet.engine.holds import Scope
from callsheet.voice.base import Answered, Call, CallEvent, HungUp, Lost, Ringing

Waiting = Callable[[], AbstractAsyncContextManager[None]]


class Second:
    """The other side of a transfer."""

    def __init__(self, app: int, persons: frozenset[bytes], dial: Dial, waiting: Waiting) -> None:
        """`persons`: whom it may reach. `waiting`: begins what the caller hears until somebody answers."""
        self.dial = dial
        self.waiting = waiting
        self.persons = persons
        self.events = CallEvents()
        self.call: Call | None = None
        self.answered_at: datetime | None = None
        self.has_rung = False
        self.end: HungUp | Lost | None = None
        self.is_barred = False
        """It was forbidden before somebody answered."""
        self._app = app
        self._ending: asyncio.Task[None] | None = None

    @property
    def is_answered(self) -> bool:
        """Tell whether somebody answered."""
        return self.answered_at is not None

    def leave(self) -> bool:
        """Tell whether it may be placed now."""
        return not self.is_barred

    def bar(self, scope: Scope) -> None:
        """Forbid it, where a scope covers it and nobody has answered.

        A phone that must not ring is hung up. Where all sending of the app was stopped, the caller is hung up, and this
        call with them; who talks when their run is stopped talks on.
        """
        if scope.run_no is not None or scope.app != self._app or self.is_answered:
            return
        if scope.persons is not None and not scope.persons & self.persons:
            return
        self.is_barred = True
        if scope.persons is not None and self.call is not None:
            self._ending = asyncio.get_running_loop().create_task(end(self.call), name="hang up")

    def take(self, event: CallEvent) -> None:
        """Read an event of it."""
        match event:
            case Ringing():
                self.has_rung = True
            case Answered(at=at):
                self.answered_at = at
            case HungUp() | Lost():
                self.end = event
            case _:
                pass

    def talk_seconds(self, ended_at: datetime) -> float:
        """Return how long it was answered, as a provider counts."""
        if self.answered_at is None:
            return 0.0
        return round(max(0.0, (ended_at - self.answered_at).total_seconds()), 3)

    def outcome(self, *, ran_out: bool) -> Transferred:
        """Return what its end without an answer makes of the transfer."""
        if self.is_barred:
            return Transferred.forbidden
        if isinstance(over := self.end, HungUp):
            return of_outcome(
                decide_outcome(Clearing(over.cause, over.sip_status, self.is_answered, self.has_rung, ran_out, False))
            )
        return Transferred.no_answer if ran_out else Transferred.unreachable
