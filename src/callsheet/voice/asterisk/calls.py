"""Who leads the calls of a node, as its supervisor sees them."""

from __future__ import annotations

from typing import Protocol


class Calls(Protocol):
    """Who leads the calls of a node: the engine."""

    async def is_well(self, name: str) -> bool:
        """Tell whether a node answers."""

    def lose(self, name: str, why: str) -> None:
        """Take notice that a node is dead: its calls are lost."""

    def drain(self, name: str) -> bool:
        """Give a node no more calls; False: there is no such node."""

    def resume(self, name: str) -> bool:
        """Give a node calls again; False: there is no such node."""

    async def end(self, name: str) -> None:
        """Hang up the calls of a node, and wait until they are over; not for ever."""

    def calls_on(self, name: str) -> int:
        """Return how many calls a node has."""
