"""Tuning: how large the steps of the engine are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from callsheet.core.gate import GOOD_FOR

MOST_ANSWERS = 1024


@dataclass(frozen=True, slots=True)
class Tuning:
    """How large the steps are."""

    chunk_size: int = 1000
    arm_size: int = 200
    """So many contacts are armed in one transaction at most; a sender at full speed hands them in some 30 ms."""
    lease_seconds: float = 30.0
    tick_seconds: float = 0.5
    """How long a loop sleeps at most before it looks for itself."""
    hand_seconds: float = GOOD_FOR / timedelta(seconds=1)
    """What was armed longer ago is not handed but withdrawn, and judged again. Longer only where no window closes."""
    most_answers: int = MOST_ANSWERS
    """So many answers of ours to replies are worked on at once: from when one was found until its end is durable."""
