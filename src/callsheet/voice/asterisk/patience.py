"""How long the engine waits for a node, and how often it looks at one."""

from __future__ import annotations

from typing import NamedTuple


class Patience(NamedTuple):
    """How long what is waited for."""

    watch_seconds: float = 3.5
    """So often a node is looked at: a call whose end was not told is over within five seconds all the same."""
    again_seconds: float = 0.2
    """So soon it is looked at again when it is not well: a node that starts is not for a moment."""
    late_seconds: float = 1.0
    """An event that tells the end of a call that is gone may still be on its way."""
    away_seconds: float = 30.0
    """The calls of a node that was not there for so long are lost."""
    answer_seconds: float = 10.0
    """A request that is not answered by then may have been obeyed or not."""
    closing_seconds: float = 5.0
    """So long calls may take to end when we do."""
    return_seconds: float = 8.0
    """So long we wait for a node that went away in the middle of a request. All in all less than a lease."""
