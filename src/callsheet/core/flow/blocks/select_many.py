"""`MobilePrimitives.SelectManyResponses`: a question with several answers, of which any number is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from callsheet.core.flow.blocks.choices import Choices, essence, find_choices, read_choices
from callsheet.core.flow.blocks.kind import Fail, Finding, Leave, Look, Outcome, Turn, Wait
from callsheet.core.flow.document import Block, Json, Reader, number_of
from callsheet.core.flow.given import Given, Reply
from callsheet.core.flow.session import Awaits, Mode

NO_CHOICE = "A part of the reply is none of the choices."
TOO_FEW = "The reply has too few choices."
TOO_MANY = "The reply has too many choices."
MOST_PARTS: Final = 100
"""A reply of more parts is no list of choices."""

# `1,3`, `1 and 3`, `1 और 3`: what stands between the parts of a list.
_BETWEEN = re.compile(
    r"[,;/|&+*\n\r\u060c\u061b\u0964\u3001\uff0c]|\s(?:and|or|और|एवं|तथा|y|e|et|und|و)(?=\s)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, and how many answers are taken."""

    choices: Choices
    least: int
    most: int | None
    """None: all."""

    @property
    def most_digits(self) -> int:
        """Return how many keys name as many choices as are taken; 0: as many as come, as one choice may have more."""
        count = len(self.choices.choices)
        return min(self.most or count, count) if self.choices.keys.most_digits == 1 else 0


class SelectMany:
    """A choice of several."""

    waits = True

    def read(self, config: Json, reader: Reader) -> Asked:
        """Return prompts, choices and bounds. Raises BadExpression."""
        least, most = (number_of(config.get(key)) for key in ("minimum_choices", "maximum_choices"))
        return Asked(read_choices(config, reader), int(least or 0), None if most is None else int(most))

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with prompts, choices and bounds."""
        yield from find_choices(config, at, look)
        bounds = {"minimum_choices": 0, "maximum_choices": 1}
        found = {key: config.get(key) for key in bounds}
        for key, least in bounds.items():
            said = found[key]
            if said is not None and (isinstance(said, bool) or not isinstance(said, int) or said < least):
                yield Finding(f"{at}.{key}", f"Give a whole number, at least {least}.")
                found[key] = None
        low, high, choices = found["minimum_choices"], found["maximum_choices"], config.get("choices")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield Finding(f"{at}.minimum_choices", "The minimum is greater than the maximum: no reply is taken.")
        elif isinstance(low, int) and isinstance(choices, list | Mapping) and low > len(choices):
            yield Finding(f"{at}.minimum_choices", f"There are only {len(choices)} choices: no reply is taken.")

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Ask."""
        asked: Asked = block.config
        prompts = asked.choices.prompts(turn.mode, turn.session.language)
        turn.say(*prompts, most_digits=asked.most_digits, ends_with=asked.choices.keys.ends_with)
        return Wait(Awaits.reply)

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:
        """Take the choices that the reply means, each once, in the order of the document."""
        if not isinstance(given, Reply):
            return None
        asked: Asked = block.config
        numbers = _chosen(turn, asked.choices, given.text)
        if numbers is None:
            return Fail(NO_CHOICE, given.text, is_question=True)
        if len(numbers) < asked.least:
            return Fail(TOO_FEW, given.text, is_question=True)
        if asked.most is not None and len(numbers) > asked.most:
            return Fail(TOO_MANY, given.text, is_question=True)
        names = [choice.name for choice in asked.choices.choices if choice.number in numbers]
        return Leave(names, given.text, is_question=True)


def _chosen(turn: Turn, choices: Choices, said: str) -> set[int] | None:
    """Return the numbers of the choices that a reply means; None where a part of it means none.

    The reply as a whole goes first, as tests may look for a word in it; then its parts; then, without marks between
    them, its words; and in a call the digits by themselves. An empty one, or `0`, means none of the choices.
    """
    if whole := _meant(turn, choices, [said]):
        listed = _meant(turn, choices, _parts(said))
        return whole | (listed or set())
    if not said.strip() or essence(said) == "0":
        return set()
    parts = _parts(said)
    if len(parts) > MOST_PARTS:
        return None
    numbers: set[int] = set()
    for part in parts:
        found = _meant(turn, choices, [part]) or _meant(turn, choices, part.split())
        if not found and turn.mode is Mode.ivr and part.isdecimal():
            found = _meant(turn, choices, part)
        if not found:
            return None
        numbers |= found
    return numbers


def _parts(said: str) -> list[str]:
    return [part.strip() for part in _BETWEEN.split(said) if part.strip()]


def _meant(turn: Turn, choices: Choices, parts: Sequence[str]) -> set[int] | None:
    """Return the numbers of what all parts mean; None where one of them means nothing."""
    if len(parts) > MOST_PARTS:
        return None
    numbers: set[int] = set()
    for part in parts:
        found = {choice.number for choice in choices.chosen(turn, part)}
        if not found:
            return None
        numbers |= found
    return numbers
