"""Who leads the calls of a node, as its supervisor sees them."""

from __future__ import annotations

from typing import Protocol


class Calls(Protocol):
    """Who leads the calls of a node: the engine."""

    async def is_well(self, name: str) -> bool:
        """Tell whether a node answers."""

    def lose(self, name: str, why: str) -> None:
        """Take notice that a node is dead: its calls are lost."""
