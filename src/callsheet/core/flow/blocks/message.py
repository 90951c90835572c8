"""`MobilePrimitives.Message`: says something, and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callsheet.core.flow.blocks.kind import Finding, Leave, Look, Outcome, Passing, Turn
from callsheet.core.flow.document import Block, Json, Reader, Resource


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says."""

    prompt: Resource | None


class Message(Passing):
    """A message."""

    def read(self, config: Json, reader: Reader) -> Said:
        """Return what it says; the specification's own example calls it `message`."""
        return Said(reader.resource(config.get("prompt") or config.get("message")))

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with the prompt."""
        yield from look.prompt(config, "prompt" if "prompt" in config or "message" not in config else "message", at)

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Say it."""
        turn.say(block.config.prompt)
        return Leave()
