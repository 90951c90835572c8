"""`MobilePrimitives.SelectOneResponse`: a question with several answers, of which one is taken."""

from __future__ import annotations

from collections.abc import Iterator

from callsheet.core.flow.blocks.choices import Choices, find_choices, read_choices
from callsheet.core.flow.blocks.kind import Fail, Finding, Leave, Look, Outcome, Turn, Wait
from callsheet.core.flow.document import Block, Json, Reader
from callsheet.core.flow.given import Given, Reply
from callsheet.core.flow.session import Awaits

NO_CHOICE = "The reply is none of the choices."


class SelectOne:
    """A choice of one."""

    waits = True

    def read(self, config: Json, reader: Reader) -> Choices:
        """Return prompts and choices."""
        return read_choices(config, reader)

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with prompts and choices."""
        yield from find_choices(config, at, look)

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Ask."""
        choices: Choices = block.config
        most_digits, ends_with = choices.keys
        prompts = choices.prompts(turn.mode, turn.session.language)
        turn.say(*prompts, most_digits=most_digits, ends_with=ends_with)
        return Wait(Awaits.reply)

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:
        """Take the first choice that the reply means."""
        if not isinstance(given, Reply):
            return None
        choices: Choices = block.config
        chosen = next(choices.chosen(turn, given.text), None)
        if chosen is None:
            return Fail(NO_CHOICE, given.text, is_question=True)
        return Leave(chosen.name, given.text, is_question=True)
