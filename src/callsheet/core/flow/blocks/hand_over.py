"""`Callsheet.HandOver`: puts the conversation into the inbox of a queue, and goes on when somebody closes it there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from callsheet.core.flow.blocks.kind import Finding, Leave, Look, Outcome, Turn, Wait
from callsheet.core.flow.document import Block, Json, Reader, Resource, text_of
from callsheet.core.flow.effects import Dispose, HandOver
from callsheet.core.flow.expression.scope import Text
from callsheet.core.flow.given import Closed, Given
from callsheet.core.flow.session import Awaits

HAND_OVER: Final = "Callsheet.HandOver"
LONGEST_NAME: Final = 200
LONGEST_NOTE: Final = 2000
_NO_QUEUE: Final = "The app has no queue of this name: until it has, the default one gets the conversation."


@dataclass(frozen=True, slots=True)
class Handing:
    """To whom, with which words."""

    queue: Text
    """The name of a queue; empty: the app's default one."""
    prompt: Resource | None
    note: Text
    """What the person of the queue reads."""


class HandOverBlock:
    """A handing over."""

    waits = True

    def read(self, config: Json, reader: Reader) -> Handing:
        """Return to whom it hands over."""
        return Handing(
            reader.text(config.get("queue")), reader.resource(config.get("prompt")), reader.text(config.get("note"))
        )

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with queue, prompt and note."""
        for key, longest in (("queue", LONGEST_NAME), ("note", LONGEST_NOTE)):
            said = config.get(key, "")
            if not isinstance(said, str) or len(said) > longest:
                yield Finding(f"{at}.{key}", f"Give a text of at most {longest} characters.")
            else:
                yield from look.text(said, f"{at}.{key}")
        queue = text_of(config, "queue").strip()[:LONGEST_NAME]
        # What an expression says nobody knows yet; "" is the default queue.
        if queue and "@" not in queue and not look.has_queue(queue):
            yield Finding(f"{at}.queue", _NO_QUEUE, is_warning=True)
        yield from look.prompt(config, "prompt", at, required=False)

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Say the prompt, and hand over."""
        handing: Handing = block.config
        if handing.prompt is not None:
            turn.say(handing.prompt)
        scope = turn.scope()
        queue, note = handing.queue(scope).strip()[:LONGEST_NAME], handing.note(scope)[:LONGEST_NOTE]
        turn.do(HandOver(block.uuid, queue, note))
        return Wait(Awaits.person, value=note or None)

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:  # noqa: ARG002 (as every kind)
        """Go on when it was closed; what the contact replies until then is for the person of the queue."""
        if not isinstance(given, Closed):
            return None
        if given.disposition:
            turn.do(Dispose(given.disposition))
        return Leave(given.disposition, facts={})
