"""Functions of texts. A character is one of Unicode, whatever its script."""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.expression.casting import MOST_TEXT, WIDE, to_number, to_text, to_whole
from callsheet.core.flow.expression.functions.function import Function
from callsheet.core.flow.expression.operators import join
from callsheet.core.flow.expression.scope import Scope
from callsheet.core.flow.expression.tokens import MARKS
from callsheet.core.flow.expression.truth import is_truthy

MOST_DECIMALS: Final = 30
MOST_LATIN: Final = 255
SURROGATES: Final = range(0xD800, 0xE000)
MOST_UNICODE: Final = 0x10FFFF
LONG: Final = f"A text became longer than {MOST_TEXT} characters."
_LETTERS: Final = re.compile(rf"[^\W\d_][\w{MARKS}]*(?:['\u2019][\w{MARKS}]+)*")


def _char(_: Scope, number: object) -> str:
    return _character(to_whole(number, MOST_UNICODE), MOST_LATIN)


def _unichar(_: Scope, number: object) -> str:
    return _character(to_whole(number, MOST_UNICODE), MOST_UNICODE)


def _character(code: int, most: int) -> str:
    if not 1 <= code <= most or code in SURROGATES:
        raise Amiss(f"There is no character with this number: 1 to {most} are there.")
    return chr(code)


def _clean(_: Scope, text: object) -> str:
    return "".join(sign for sign in to_text(text) if unicodedata.category(sign) != "Cc")


def _code(_: Scope, text: object) -> int:
    said = to_text(text)
    if not said:
        raise Amiss("An empty text has no first character.")
    return ord(said[0])


def _concatenate(_: Scope, *values: object) -> str:
    return join(*values)


def _fixed(_: Scope, number: object, decimals: object = 2, no_commas: object = False) -> str:
    places = to_whole(decimals, MOST_DECIMALS)
    rounded = to_number(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, WIDE)
    rounded = abs(rounded) if rounded == 0 else rounded
    return f"{rounded:.{max(places, 0)}f}" if is_truthy(no_commas) else f"{rounded:,.{max(places, 0)}f}"


def _left(_: Scope, text: object, characters: object) -> str:
    return to_text(text)[: _count(characters)]


def _right(_: Scope, text: object, characters: object) -> str:
    said, count = to_text(text), _count(characters)
    return said[max(len(said) - count, 0) :]


def _len(_: Scope, text: object) -> int:
    return len(to_text(text))


def _lower(_: Scope, text: object) -> str:
    return _short(to_text(text).lower())


def _upper(_: Scope, text: object) -> str:
    return _short(to_text(text).upper())


def _proper(_: Scope, text: object) -> str:
    return _short(_LETTERS.sub(lambda word: word[0][0].upper() + word[0][1:].lower(), to_text(text)))


def _rept(_: Scope, text: object, times: object) -> str:
    said, count = to_text(text), _count(times)
    if len(said) * count > MOST_TEXT:
        raise Amiss(LONG)
    return said * count


def _substitute(_: Scope, text: object, old: object, new: object, instance: object = None) -> str:
    said, was, now = to_text(text), to_text(old), to_text(new)
    if not was:
        return said
    if instance is None:
        if said.count(was) * len(now) > MOST_TEXT:
            raise Amiss(LONG)
        return _short(said.replace(was, now))
    number = _count(instance)
    if number == 0:
        raise Amiss("Instances are counted from 1.")
    parts = said.split(was)
    if number >= len(parts):
        return said
    return _short(was.join(parts[:number]) + now + was.join(parts[number:]))


def _count(value: object) -> int:
    """Return how many a value says. Raises Amiss."""
    count = to_whole(value, 1_000_000_000)
    if count < 0:
        raise Amiss("A number of characters, or of times, is less than nothing.")
    return count


def _short(text: str) -> str:
    if len(text) > MOST_TEXT:
        raise Amiss(LONG)
    return text


FUNCTIONS = (
    Function("CHAR", 1, 1, _char),
    Function("CLEAN", 1, 1, _clean),
    Function("CODE", 1, 1, _code),
    Function("CONCATENATE", 1, None, _concatenate),
    Function("FIXED", 1, 3, _fixed),
    Function("LEFT", 2, 2, _left),
    Function("LEN", 1, 1, _len),
    Function("LOWER", 1, 1, _lower),
    Function("PROPER", 1, 1, _proper),
    Function("REPT", 2, 2, _rept),
    Function("RIGHT", 2, 2, _right),
    Function("SUBSTITUTE", 3, 4, _substitute),
    Function("UNICHAR", 1, 1, _unichar),
    Function("UNICODE", 1, 1, _code),
    Function("UPPER", 1, 1, _upper),
)
