"""`Core.Case`: leaves by the first exit whose test holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from callsheet.core.flow.blocks.kind import Finding, Leave, Look, Outcome, Passing, Turn
from callsheet.core.flow.document import Block, Json, Reader


class Case(Passing):
    """A branch."""

    def read(self, config: Json, reader: Reader) -> Any:  # noqa: ARG002 (as every kind)
        """It has no config: what it asks stands at its exits."""
        return None

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:  # noqa: ARG002 (as every kind)
        """Nothing can be wrong with no config."""
        yield from ()

    def enter(self, turn: Turn, block: Block) -> Outcome:  # noqa: ARG002 (as every kind)
        """Leave at once."""
        return Leave()
