"""Which of two values is less, or whether they are the same: as a reader of both would say."""

from __future__ import annotations

from datetime import date, time
from decimal import Context, Decimal
from typing import Final

from callsheet.core.flow.expression.casting import find_number, to_text
from callsheet.core.flow.expression.dates import find_date, find_time, to_moment
from callsheet.core.flow.expression.scope import Scope

ROUNDED: Final = Context(prec=28)
"""Numbers are the same that are the same in so many digits: a third three times is one."""


def compare(one: object, other: object, scope: Scope) -> int | None:
    """Return -1, 0 or 1 as one value is less than, the same as, or more than another; None: nobody can tell.

    Two that are numbers, or texts of numbers, compare as numbers; dates and times likewise; else as texts, where case
    does not count. Null and an empty text are the same, and neither less nor more than anything; nor is a number
    less or more than a text that is none.
    """
    if isinstance(one, str) and isinstance(other, str):
        return 0 if one == other else _said(one, other, scope)
    first, second = find_number(one), find_number(other)
    if first is not None and second is not None:
        return _numbers(first, second)
    if isinstance(one, (date, time)) or isinstance(other, (date, time)):
        return _dates(one, other, scope)
    said, wanted = to_text(one).casefold(), to_text(other).casefold()
    return 0 if said == wanted else None


def _said(one: str, other: str, scope: Scope) -> int | None:
    """Compare two texts by what they say."""
    first, second = find_number(one), find_number(other)
    if first is not None and second is not None:
        return _numbers(first, second)
    if one[:1].isdigit() and other[:1].isdigit():
        day, other_day = find_date(one, scope, year_needed=True), find_date(other, scope, year_needed=True)
        if day is not None and other_day is not None:
            return _dates(day, other_day, scope)
    return _texts(one.casefold(), other.casefold())


def _numbers(one: Decimal, other: Decimal) -> int:
    first, second = ROUNDED.plus(one), ROUNDED.plus(other)
    return (first > second) - (first < second)


def _dates(one: object, other: object, scope: Scope) -> int | None:
    at, other_at = find_time(one), find_time(other)
    if at is not None and other_at is not None:
        return (at > other_at) - (at < other_at)
    day, other_day = find_date(one, scope), find_date(other, scope)
    if day is None or other_day is None:
        return None
    first, second = to_moment(day, scope), to_moment(other_day, scope)
    return (first > second) - (first < second)


def _texts(one: str, other: str) -> int | None:
    if one == other:
        return 0
    return ((one > other) - (one < other)) if one and other else None
