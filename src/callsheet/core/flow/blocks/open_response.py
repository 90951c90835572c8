"""`MobilePrimitives.OpenResponse`: a question whose answer is any text; in a call, a recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from callsheet.core.flow.blocks.keys import HASH, KEYS
from callsheet.core.flow.blocks.kind import Fail, Finding, Leave, Look, Outcome, Turn, Wait
from callsheet.core.flow.document import Block, Json, Reader, Resource, number_of, of_calls
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
    ends_with: str
    """In a call: the keys of which each ends the recording."""


class OpenResponse:
    """A question for a text."""

    waits = True

    def read(self, config: Json, reader: Reader) -> Asked:
        """Return what is asked. Raises BadExpression."""
        seconds = number_of(of_calls(config).get("max_duration_seconds"))
        ends_with = _keys(of_calls(config).get("end_recording_digits")) or HASH
        return Asked(reader.resource(config.get("prompt")), max(1, int(seconds or USUAL_SECONDS)), ends_with)

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with prompt and duration."""
        yield from look.prompt(config, "prompt", at)
        seconds = of_calls(config).get("max_duration_seconds")
        if seconds is not None and (number_of(seconds) or 0) < 1:
            yield Finding(f"{at}.IVR.max_duration_seconds", "Give how many seconds are recorded, at least 1.")
        keys = of_calls(config).get("end_recording_digits")
        if keys not in (None, "") and not _keys(keys):
            yield Finding(f"{at}.IVR.end_recording_digits", f"Give the keys that end the recording, of {KEYS}.")

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Ask."""
        asked: Asked = block.config
        turn.say(asked.prompt, listens_seconds=asked.listens_seconds, ends_with=asked.ends_with)
        return Wait(Awaits.reply)

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:  # noqa: ARG002 (as every kind)
        """Take whatever is said, as it stands."""
        if not isinstance(given, Reply):
            return None
        said = given.text.strip()
        return Leave(said, given.text, is_question=True) if said else Fail(EMPTY, given.text, is_question=True)


def _keys(said: object) -> str:
    """Return the keys that a document names, as a text, a number or a list; empty: it names something else."""
    listed = said if isinstance(said, list) else [said]
    keys = "".join(str(each) for each in listed if isinstance(each, str | int))
    return keys if keys and all(key in KEYS for key in keys) else ""
