"""A call as it was asked for, and how old it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple


class Placed(NamedTuple):
    """A call as it was asked for."""

    reference: str
    call_id: int
    """In the ledger."""
    at: datetime
    ring_seconds: float
    longest_seconds: float
    is_answered: bool = False
    """It was answered before this process began."""


def age(placed: Placed, now: datetime) -> float:
    """Return how many seconds ago a call was placed."""
    return max(0.0, (now - placed.at) / timedelta(seconds=1))
