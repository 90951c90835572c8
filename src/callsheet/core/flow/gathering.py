"""Gathering the keys that are pressed in a call to one reply. A value: who leads the call keeps the time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from callsheet.core.flow.effects import Effect, Say
from callsheet.core.flow.given import Reply, TimedOut

BETWEEN_SECONDS: Final = 3.0
"""So long after a key the next one is waited for."""
MOST_KEYS: Final = 64
"""Nobody presses more in one reply."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """What was pressed so far, and when that is a reply."""

    most_digits: int = 0
    """So many keys are a whole reply; 0: as many as come."""
    ends_with: str = "#"
    """Each of these keys ends it, and is no part of it."""
    first_seconds: float = 10.0
    """So long the first key is waited for, from when the prompts are through."""
    between_seconds: float = BETWEEN_SECONDS
    digits: str = ""
    is_done: bool = False
    """Nothing more is waited for."""

    def press(self, digit: str) -> Gathering:
        """Return what is gathered after one more key; what is pressed after the end belongs to the next one."""
        if self.is_done:
            return self
        if digit in self.ends_with:
            return replace(self, is_done=True)
        digits = self.digits + digit
        return replace(self, digits=digits, is_done=len(digits) >= (self.most_digits or MOST_KEYS))

    @property
    def waits_seconds(self) -> float:
        """Return how long the next key is waited for; 0: nothing is waited for."""
        if self.is_done:
            return 0.0
        return self.between_seconds if self.digits else self.first_seconds

    def reply(self, at: datetime) -> Reply | TimedOut:
        """Return what the session is given when nothing more is waited for: a silence where no key was pressed."""
        return Reply(self.digits, at) if self.digits or self.is_done else TimedOut(at)


def gathering_of(effects: Iterable[Effect], first_seconds: float) -> Gathering:
    """Return what is gathered after a step, or after prompts that are said again: the last `Say` tells."""
    said = [effect for effect in effects if isinstance(effect, Say)]
    if not said:
        return Gathering(first_seconds=first_seconds)
    return Gathering(said[-1].most_digits, said[-1].ends_with, first_seconds)
