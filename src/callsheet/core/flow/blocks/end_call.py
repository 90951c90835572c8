"""`Callsheet.EndCall`: hangs up, and ends the session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from callsheet.core.flow.blocks.kind import End, Finding, Look, Outcome, Passing, Turn
from callsheet.core.flow.document import Block, Json, Reader
from callsheet.core.flow.effects import EndCall
from callsheet.core.flow.session import Ending


class EndCallBlock(Passing):
    """An end."""

    def read(self, config: Json, reader: Reader) -> Any:  # noqa: ARG002 (as every kind)
        """It has no config."""
        return None

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:  # noqa: ARG002 (as every kind)
        """Nothing can be wrong with no config."""
        yield from ()

    def enter(self, turn: Turn, block: Block) -> Outcome:  # noqa: ARG002 (as every kind)
        """Hang up."""
        turn.do(EndCall())
        return End(Ending.done)
