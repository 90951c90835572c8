"""One value as another kind of value: number, text, what a text says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Context, Decimal
from math import isfinite
from typing import Final, cast

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.expression.scope import Value

VALUE: Final = "__value__"
"""What an object is where a value is wanted."""
MOST_TEXT: Final = 10_000
"""No text that an expression makes is longer, in characters."""
MOST_DIGITS: Final = 28
"""A longer row of digits is a text: numbers are the same that are the same in so many digits."""
MOST_DEPTH: Final = 32
"""Objects in objects, and lists in lists, are said so deep."""
WIDE: Final = Context(prec=400)
"""Rounds any number that there can be."""
EXACT_DIGITS: Final = 20
SHOWN_DIGITS: Final = 15
"""A fraction of more than `EXACT_DIGITS` digits, such as a third, is written with so many, as in Excel."""
_NUMBER: Final = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)")


def plain_value(value: object) -> Value:
    """Return what a value is: an object with a value of its own is that value, a JSON fraction an exact number."""
    if isinstance(value, str):
        return value
    while isinstance(value, Mapping):
        inner = value.get(VALUE, value)
        if inner is value:
            break
        value = inner
    if isinstance(value, float):
        return Decimal(repr(value)) if isfinite(value) else None
    return cast("Value", value)


def find_number(value: object) -> Decimal | None:
    """Return the number that a value is, or that a text says in digits of any script; None: it is none."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str):
        if value[:1].isalpha():
            return None  # most texts
        said = value.strip()
        return Decimal(said) if len(said) <= MOST_DIGITS and _NUMBER.fullmatch(said) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return None


def to_number(value: object) -> Decimal:
    """Return a value as a number; nothing is 0, TRUE is 1, FALSE is 0, as in Excel. Raises Amiss."""
    found = find_number(value)
    if found is not None:
        return found
    if isinstance(value, bool):
        return Decimal(int(value))
    if value is None or (isinstance(value, str) and not value.strip()):
        return Decimal(0)
    raise Amiss(f"A number is wanted where {kind_of(value)} is.")


def to_whole(value: object, most: int) -> int:
    """Return a value as a whole number, without its fraction, between minus `most` and `most`. Raises Amiss."""
    number = to_number(value)
    if abs(number) > most:
        raise Amiss(f"A number is too big: {most} is the most that is taken there.")
    return int(number)


def to_text(value: object) -> str:  # noqa: C901, PLR0911 (a return for each type)
    """Return a value as it is said: null is nothing."""
    if isinstance(value, str):
        return value
    value = plain_value(value)
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case Decimal():
            return write_number(value)
        case datetime():
            return value.isoformat(" ", "seconds" if value.second else "minutes")[: 19 if value.second else 16]
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("seconds" if value.second else "minutes")
        case Mapping():
            return json.dumps(_json(value, MOST_DEPTH), ensure_ascii=False)
        case Sequence():
            return ", ".join(each if isinstance(each, str) else to_text(_json(each, MOST_DEPTH)) for each in value)
    return str(value)


def write_number(number: Decimal) -> str:
    """Return a number in digits: without an exponent, and without zeros at the end of a fraction."""
    if number == number.to_integral_value():
        return f"{number.to_integral_value():f}" if number else "0"
    if len(number.as_tuple().digits) > EXACT_DIGITS:
        whole = len(f"{number:f}".lstrip("-0").partition(".")[0])
        number = Context(prec=max(SHOWN_DIGITS, whole)).plus(number)
    said = f"{number:f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def kind_of(value: object) -> str:  # noqa: PLR0911 (a return for each kind)
    """Return what kind of value it is, for a sentence that quotes nobody's data."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "TRUE or FALSE"
        case str():
            return "a text"
        case int() | Decimal():
            return "a number"
        case date() | time():
            return "a date or a time"
        case Mapping():
            return "an object"
    return "a list"


def _json(value: object, depth: int) -> object:
    value = plain_value(value)
    if not depth:
        raise Amiss(f"More than {MOST_DEPTH} lists or objects stand in each other.")
    match value:
        case Mapping():
            return {str(name): _json(each, depth - 1) for name, each in value.items()}
        case str() | None | bool() | int():
            return value
        case list() | tuple():
            return [_json(each, depth - 1) for each in value]
    return to_text(value)
