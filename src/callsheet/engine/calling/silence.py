"""Silence: what stands in where a call has no conversation."""

from __future__ import annotations

from typing import Final

from callsheet.core.outcome import Outcome
from callsheet.engine.calling.live_call import LiveCall


class Silence:
    """Says nothing: the call ends at once."""

    async def lead(self, live: LiveCall, answered_by: str) -> None:
        """Leave it at that."""
        del live, answered_by


class TakesForPerson:
    """Looks for no machine: who answers is a person, as far as anybody knows."""

    async def judge(self, _: LiveCall) -> Outcome:
        """Return that nobody can tell."""
        return Outcome.unsure


SILENCE: Final = Silence()
TAKES_FOR_PERSON: Final = TakesForPerson()
