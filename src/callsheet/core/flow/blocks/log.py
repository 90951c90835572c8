"""`Core.Log`: writes a line into the session's history, and goes on."""

from __future__ import annotations

from collections.abc import Iterator

from callsheet.core.flow.blocks.kind import Finding, Leave, Look, Outcome, Passing, Turn
from callsheet.core.flow.document import Block, Json, Reader, Resource


class Log(Passing):
    """A line of the history: the visit has it as its value."""

    def read(self, config: Json, reader: Reader) -> Resource | None:
        """Return the line. Raises BadExpression."""
        return reader.resource(config.get("message"))

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with the line; it is said to nobody, so any language and mode will do."""
        yield from look.prompt(config, "message", at, required=False, is_said=False)

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Write it."""
        line: Resource | None = block.config
        return Leave(None if line is None else turn.text(line))
