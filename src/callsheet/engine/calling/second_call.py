"""The second call of a transfer: the phone that rings beside the caller's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final

from callsheet.core.calling import Clearing, Dial, decide_outcome
from callsheet.core.run import Run
from callsheet.core.transferring import Transferred, of_outcome
from callsheet.engine.calling.call_events import CallEvents
from callsheet.engine.calling.leading import end
from callsheet.engine.holds import Scope
from callsheet.voice.base import Answered, Call, CallEvent, HungUp, Lost, Ringing

Waiting = Callable[[], AbstractAsyncContextManager[None]]
NOBODY: Final = frozenset({b""})
"""Of an address that is no telephone number: only what stops all sending forbids it."""


class Second:
    """The other side of a transfer."""

    def __init__(self, run: Run, persons: frozenset[bytes], dial: Dial, waiting: Waiting) -> None:
        """`run`: that of the caller. `persons`: whom it may reach.

        `waiting`: begins what the caller hears until somebody answers.
        """
        self.dial = dial
        self.waiting = waiting
        self.run = run
        self.run_no = None
        """The caller's run may be stopped: who talks when that is done talks on."""
        self.persons = persons or NOBODY
        self.events = CallEvents()
        self.call: Call | None = None
        self.answered_at: datetime | None = None
        """When somebody answered, too late or not."""
        self.is_answered = False
        """Somebody did before it was forbidden: who takes it back would cut them off."""
        self.has_rung = False
        self.end: HungUp | Lost | None = None
        self.is_barred = False
        """It was forbidden before somebody answered: it is hung up, and nobody is joined with it."""
        self._has_left = False

    @property
    def is_ringing(self) -> bool:
        """Tell whether a phone rings, or may ring at any moment, that somebody may forbid."""
        return self._has_left and not (self.is_answered or self.is_barred or self.end)

    def leave(self) -> bool:
        """Tell whether it may be placed now; when it may, it has left."""
        self._has_left = not self.is_barred
        return self._has_left

    def bar(self, scope: Scope) -> None:
        """Let it not leave, where a scope covers it: whether that is meant is asked again before it does."""
        if not self._has_left and any(scope.covers(self.run.app, self.run_no, person) for person in self.persons):
            self.is_barred = True

    async def cancel(self) -> None:
        """Take it back, unless somebody has answered. One that is being placed is hung up when it was."""
        if self.is_ringing:
            self.is_barred = True
            if self.call is not None:
                await end(self.call)

    def take(self, event: CallEvent) -> None:
        """Read an event of it."""
        match event:
            case Ringing():
                self.has_rung = True
            case Answered(at=at):
                self.answered_at = at
                self.is_answered = not self.is_barred
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
