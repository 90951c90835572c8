"""`MobilePrimitives.OpenResponse`: a question whose answer is any text; in a call, a recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from callsheet.core.flow.blocks.kind import Fail, Finding, Leave, Look, Outcome, Turn, Wait
from callsheet.core.flow.document import Block, Json, Reader, Resource, number_of, part_of
from callsheet.core.flow.given import Given, Reply
from callsheet.core.flow.session import Awaits

EMPTY = "The reply is empty."
USUAL_SECONDS: Final = 120
"""So long a call listens where the document does not say."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked."""

    prompt: Resource | None
    listens_seconds: int
    """In a call."""


class OpenResponse:
    """A question for a text."""

    waits = True

    def read(self, config: Json, reader: Reader) -> Asked:
        """Return what is asked. Raises BadExpression."""
        seconds = number_of(part_of(config, "IVR").get("max_duration_seconds"))
        return Asked(reader.resource(config.get("prompt")), max(1, int(seconds or USUAL_SECONDS)))

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with prompt and duration."""
        yield from look.prompt(config, "prompt", at)
        seconds = part_of(config, "IVR").get("max_duration_seconds")
        if seconds is not None and (number_of(seconds) or 0) < 1:
            yield Finding(f"{at}.IVR.max_duration_seconds", "Give how many seconds are recorded, at least 1.")

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Ask."""
        asked: Asked = block.config
        turn.say(asked.prompt, listens_seconds=asked.listens_seconds)
        return Wait(Awaits.reply)

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:  # noqa: ARG002 (as every kind)
        """Take whatever is said, as it stands."""
        if not isinstance(given, Reply):
            return None
        said = given.text.strip()
        return Leave(said, given.text, is_question=True) if said else Fail(EMPTY, given.text, is_question=True)
