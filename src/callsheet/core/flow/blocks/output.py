"""`Core.Output`: writes a result under the name of the block, and goes on."""

from __future__ import annotations

from collections.abc import Iterator

from callsheet.core.flow.blocks.kind import Finding, Leave, Look, Outcome, Passing, Turn
from callsheet.core.flow.document import Block, Json, Reader
from callsheet.core.flow.expression.scope import Expression
from callsheet.core.flow.names import plain


class Output(Passing):
    """A result."""

    def read(self, config: Json, reader: Reader) -> Expression:
        """Return what is written. Raises BadExpression."""
        return reader.expression(config.get("value"))

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with the value."""
        if config.get("value") in (None, ""):
            yield Finding(f"{at}.value", "Give the expression whose value is written down.")
        else:
            yield from look.expression(config["value"], f"{at}.value")

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Write it."""
        value: Expression = block.config
        return Leave(plain(value(turn.scope())), is_question=True)
