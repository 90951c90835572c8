"""How a line stands: what a carrier, or a voice engine, says of itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class State(StrEnum):
    """How a carrier's line stands."""

    closed = "closed"
    connecting = "connecting"
    open = "open"
    throttled = "throttled"
    """It takes messages, fewer than we have."""
    broken = "broken"
    """It does not take us, and says why."""


_TAKING: Final = frozenset({State.open, State.throttled})
"""In these it takes messages."""


class Condition(NamedTuple):
    """How a carrier's line stands now, in words for people."""

    state: State
    why: str = ""
    sessions: int = 0
    """Connections that are bound, where the carrier has such."""
    in_flight: int = 0
    """Messages that wait for an answer."""
    is_tried: bool = False
    """It connects to nothing that comes back by itself: only the next message tells whether it is well again."""
    held_seconds: float = 0.0
    """For so long nothing is begun, as the carrier asks us to wait; then there is room again."""

    @property
    def takes(self) -> bool:
        """Tell whether messages may be handed over: whether one reaches it, or nothing else would try it again."""
        return self.state in _TAKING or (self.is_tried and self.state is not State.closed)
