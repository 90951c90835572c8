"""`Callsheet.SetDisposition`: writes down how the conversation went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from callsheet.core.flow.blocks.kind import Finding, Leave, Look, Outcome, Passing, Turn
from callsheet.core.flow.document import Block, Json, Reader
from callsheet.core.flow.effects import Dispose
from callsheet.core.flow.expression.scope import Text

LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Disposing:
    """What is written down."""

    disposition: Text


class SetDisposition(Passing):
    """A disposition."""

    def read(self, config: Json, reader: Reader) -> Disposing:
        """Return what it writes down."""
        return Disposing(reader.text(config.get("disposition")))

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with the text."""
        said = config.get("disposition")
        if not isinstance(said, str) or not said.strip() or len(said) > LONGEST:
            yield Finding(f"{at}.disposition", f"Give a text of 1 to {LONGEST} characters.")
        else:
            yield from look.text(said, f"{at}.disposition")

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Write it down."""
        turn.do(Dispose(block.config.disposition(turn.scope()).strip()[:LONGEST]))
        return Leave()
