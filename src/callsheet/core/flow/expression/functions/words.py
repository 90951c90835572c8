"""Functions of the words of a text. Words are split by blanks and punctuation; an apostrophe is part of its word."""

from __future__ import annotations

import re
from typing import Final

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.expression.casting import MOST_TEXT, to_text, to_whole
from callsheet.core.flow.expression.functions.function import Function
from callsheet.core.flow.expression.scope import Scope
from callsheet.core.flow.expression.tokens import MARKS
from callsheet.core.flow.expression.truth import is_truthy

_WORD: Final = re.compile(rf"[\w{MARKS}]+(?:['\u2019][\w{MARKS}]+)*")
_DIGITS: Final = re.compile(r"\+?(\d+)")
ZERO: Final = "Words are counted from 1, or from the end by -1."


def _words(text: object, by_spaces: object) -> list[str]:
    said = to_text(text)
    return said.split() if is_truthy(by_spaces) else _WORD.findall(said)


def _first_word(_: Scope, text: object) -> str:
    return next(iter(_words(text, by_spaces=False)), "")


def _remove_first_word(_: Scope, text: object) -> str:
    said = to_text(text)
    first = _WORD.search(said)
    return said if first is None else said[: first.start()].lstrip() + said[first.end() :].lstrip()


def _word(_: Scope, text: object, number: object, by_spaces: object = None) -> str:
    words, wanted = _words(text, by_spaces), _number(number)
    at = wanted - 1 if wanted > 0 else len(words) + wanted
    return words[at] if 0 <= at < len(words) else ""


def _word_count(_: Scope, text: object, by_spaces: object = None) -> int:
    return len(_words(text, by_spaces))


def _word_slice(_: Scope, text: object, start: object, stop: object = None, by_spaces: object = None) -> str:
    words, first = _words(text, by_spaces), _number(start)
    last = to_whole(stop, MOST_TEXT)
    first -= first > 0
    return " ".join(words[first:] if last == 0 else words[first : last - (last > 0)])


def _number(value: object) -> int:
    number = to_whole(value, MOST_TEXT)
    if number == 0:
        raise Amiss(ZERO)
    return number


def _read_digits(_: Scope, text: object) -> str:
    read = _DIGITS.sub(lambda row: _spelled(row[1]), to_text(text))
    if len(read) > MOST_TEXT:
        raise Amiss(f"A text became longer than {MOST_TEXT} characters.")
    return read


def _spelled(digits: str) -> str:
    """Return digits as they are read aloud: in threes, else in fours, else one by one."""
    count = len(digits)
    size = 3 if count % 3 == 0 and count > 3 else 4 if count % 4 == 0 else 0
    if not size:
        return ",".join(digits)
    return " , ".join(" ".join(digits[at : at + size]) for at in range(0, count, size))


FUNCTIONS = (
    Function("FIRST_WORD", 1, 1, _first_word),
    Function("READ_DIGITS", 1, 1, _read_digits),
    Function("REMOVE_FIRST_WORD", 1, 1, _remove_first_word),
    Function("WORD", 2, 3, _word),
    Function("WORD_COUNT", 1, 2, _word_count),
    Function("WORD_SLICE", 2, 4, _word_slice),
)
