"""Voice nodes, for those who look after them: how each stands, and how one is emptied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class VoiceNode(NamedTuple):
    """One node, as the process knows it that it dials in to."""

    name: str
    state: str
    """`running`, or why not in one word; `away`: it runs elsewhere, and is not heard."""
    why: str
    """In words for people; empty: there is nothing to say."""
    version: str
    """Debian's version of its Asterisk; empty: not known yet."""
    is_remote: bool
    """It runs on another machine, or at least not by us."""
    is_connected: bool
    """Its Asterisk is there."""
    is_draining: bool
    """It gets no more calls; those that it has go on."""
    calls: int
    most_calls: int
    """So many may go on at once."""
    trunks: tuple[str, ...] | None
    """It calls through these only; None: through all."""


class VoiceNodes(Protocol):
    """The nodes of one process."""

    def nodes(self) -> Sequence[VoiceNode]:
        """Return all that ever dialed in since the process began, by name."""

    def drain(self, name: str) -> bool:
        """Give a node no more calls, also after a restart; False: there is no such node."""

    def restart(self, name: str, seconds: float) -> bool:
        """Give a node no more calls, and start it anew when it has none, or, whatever it has, after so long.

        False: there is no such node beside this process.
        """

    def resume(self, name: str) -> bool:
        """Give a node calls again; False: there is no such node."""
