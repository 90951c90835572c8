"""`Callsheet.HandOver`: puts the conversation into the inbox of a queue, and goes on when somebody closes it there.

In a call the caller is put through to a number; the flow goes on when the two have talked, or could not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from callsheet.core.flow.blocks.kind import Fail, Finding, Leave, Look, Outcome, Turn, Wait
from callsheet.core.flow.document import Block, Json, Reader, Resource, text_of
from callsheet.core.flow.effects import Dispose, HandOver, Transfer
from callsheet.core.flow.expression.scope import Text
from callsheet.core.flow.given import Closed, Given, PutThrough
from callsheet.core.flow.session import Awaits, Mode
from callsheet.core.transferring import (
    LEAST_ANSWER_SECONDS,
    MOST_ANSWER_SECONDS,
    USUAL_ANSWER_SECONDS,
    WHY,
    Transferred,
)

HAND_OVER: Final = "Callsheet.HandOver"
NOT_TRANSFERRED: Final = "Agent Transfer Error"
"""The disposition of a call whose transfer failed, as the compatible system calls it."""
INBOX, EXIT = "inbox", "exit"
"""What happens in a call when nobody could be reached."""
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
    number: Text
    """In a call: a telephone number, or a SIP address; empty: the number of the queue."""
    answer_seconds: int
    """In a call: so long the other side's phone may ring."""
    waiting: Resource | None
    """In a call: what the caller hears while that phone rings; None: ringing."""
    is_for_inbox: bool
    """In a call: who could not be put through waits in the inbox of the queue, and the call ends."""


class HandOverBlock:
    """A handing over."""

    waits = True

    def read(self, config: Json, reader: Reader) -> Handing:
        """Return to whom it hands over."""
        seconds = config.get("answer_seconds")
        return Handing(
            reader.text(config.get("queue")),
            reader.resource(config.get("prompt")),
            reader.text(config.get("note")),
            reader.text(config.get("number")),
            seconds if isinstance(seconds, int) and _may_ring(seconds) else USUAL_ANSWER_SECONDS,
            reader.resource(config.get("waiting")),
            config.get("when_nobody") == INBOX,
        )

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with queue, prompt, note and number."""
        for key, longest in (("queue", LONGEST_NAME), ("note", LONGEST_NOTE), ("number", LONGEST_NAME)):
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
        # Only a call says it; what it lacks there is found as of every prompt of a call.
        yield from look.prompt(config, "waiting", at, required=False, is_said=False)
        yield from _find_of_calls(config, at)

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Say the prompt, and hand over; in a call, put through."""
        handing: Handing = block.config
        if handing.prompt is not None:
            turn.say(handing.prompt)
        scope = turn.scope()
        queue, note = handing.queue(scope).strip()[:LONGEST_NAME], handing.note(scope)[:LONGEST_NOTE]
        if turn.mode is Mode.ivr:
            number = handing.number(scope).strip()[:LONGEST_NAME]
            turn.do(Transfer(block.uuid, number, queue, handing.answer_seconds, *turn.heard(handing.waiting)))
            return Wait(Awaits.transfer, value=note or None)
        turn.do(HandOver(block.uuid, queue, note))
        return Wait(Awaits.person, value=note or None)

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:
        """Go on when it was closed; what the contact replies until then is for the person of the queue."""
        if isinstance(given, PutThrough):
            return self._after_transfer(turn, block, given.outcome)
        if not isinstance(given, Closed):
            return None
        if given.disposition:
            turn.do(Dispose(given.disposition))
        return Leave(given.disposition, facts={})

    def _after_transfer(self, turn: Turn, block: Block, outcome: Transferred) -> Outcome:
        handing: Handing = block.config
        if outcome is Transferred.connected:
            return Leave(outcome.value, facts={})
        if handing.is_for_inbox:
            scope = turn.scope()
            queue, note = handing.queue(scope).strip()[:LONGEST_NAME], handing.note(scope)[:LONGEST_NOTE]
            turn.do(HandOver(block.uuid, queue, note))
            return Wait(Awaits.person, value=note or None)
        turn.do(Dispose(NOT_TRANSFERRED))
        return Fail(WHY[outcome], value=outcome.value, facts={})


def _find_of_calls(config: Json, at: str) -> Iterator[Finding]:
    seconds = config.get("answer_seconds")
    if seconds is not None and not (isinstance(seconds, int) and _may_ring(seconds)):
        yield Finding(f"{at}.answer_seconds", f"Give seconds, from {LEAST_ANSWER_SECONDS} to {MOST_ANSWER_SECONDS}.")
    if config.get("when_nobody") not in (None, INBOX, EXIT):
        yield Finding(f"{at}.when_nobody", f"This is {INBOX} or {EXIT}.")


def _may_ring(seconds: int) -> bool:
    return not isinstance(seconds, bool) and LEAST_ANSWER_SECONDS <= seconds <= MOST_ANSWER_SECONDS
