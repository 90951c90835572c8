"""`MobilePrimitives.NumericResponse`: a question whose answer is a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callsheet.core.flow.blocks.kind import Fail, Finding, Leave, Look, Outcome, Turn, Wait
from callsheet.core.flow.blocks.numbers import read_number
from callsheet.core.flow.document import Block, Json, Reader, Resource, number_of, of_calls
from callsheet.core.flow.given import Given, Reply
from callsheet.core.flow.session import Awaits, Mode

NO_NUMBER = "The reply is no number."
OUT_OF_RANGE = "The number is too small or too large."
_BOUNDS = ("validation_minimum", "validation_maximum")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, and what is taken."""

    prompt: Resource | None
    least: float | None
    most: float | None
    most_digits: int
    """In a call; 0: as many as come."""


class Numeric:
    """A question for a number."""

    waits = True

    def read(self, config: Json, reader: Reader) -> Asked:
        """Return what is asked. Raises BadExpression."""
        least, most = (number_of(config.get(key)) for key in _BOUNDS)
        digits = number_of(of_calls(config).get("max_digits"))
        return Asked(reader.resource(config.get("prompt")), least, most, max(0, int(digits or 0)))

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with prompt and bounds."""
        yield from look.prompt(config, "prompt", at)
        for key in _BOUNDS:
            if config.get(key) is not None and number_of(config[key]) is None:
                yield Finding(f"{at}.{key}", "Give a number.")
        least, most = (number_of(config.get(key)) for key in _BOUNDS)
        if least is not None and most is not None and least > most:
            yield Finding(f"{at}.validation_minimum", "The minimum is greater than the maximum: no number is taken.")
        digits = of_calls(config).get("max_digits")
        if digits is not None and (number_of(digits) or 0) < 1:
            yield Finding(f"{at}.IVR.max_digits", "Give how many digits are listened to, at least 1.")

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Ask."""
        asked: Asked = block.config
        turn.say(asked.prompt, most_digits=asked.most_digits)
        return Wait(Awaits.reply)

    def take(self, turn: Turn, block: Block, given: Given) -> Outcome | None:
        """Take a number within the bounds."""
        if not isinstance(given, Reply):
            return None
        asked: Asked = block.config
        # A keypad has no point.
        number = read_number(given.text.replace("*", ".") if turn.mode is Mode.ivr else given.text)
        if number is None:
            return Fail(NO_NUMBER, given.text, is_question=True)
        if (asked.least is not None and number < asked.least) or (asked.most is not None and number > asked.most):
            return Fail(OUT_OF_RANGE, given.text, is_question=True)
        return Leave(number, given.text, is_question=True)
