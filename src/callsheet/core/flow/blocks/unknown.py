"""A block of a type that nobody knows: an earlier release took documents with such blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from callsheet.core.flow.blocks.kind import Fail, Finding, Look, Outcome, Passing, Turn
from callsheet.core.flow.document import Block, Json, Reader


class Unknown(Passing):
    """A block that does nothing but fail."""

    def read(self, config: Json, reader: Reader) -> Any:  # noqa: ARG002 (as every kind)
        """Nobody knows what it says."""
        return None

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:  # noqa: ARG002 (as every kind)
        """That it is unknown is found before."""
        yield from ()

    def enter(self, turn: Turn, block: Block) -> Outcome:  # noqa: ARG002 (as every kind)
        """Fail."""
        return Fail("There is no such type of block.")
