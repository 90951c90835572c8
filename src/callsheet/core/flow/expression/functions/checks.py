"""Functions that ask what a value is, and lists. What stands in a column counts as what it says: `30` is a number."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.expression.casting import (
    WIDE,
    find_number,
    kind_of,
    plain_value,
    to_number,
    to_text,
    write_number,
)
from callsheet.core.flow.expression.comparing import compare
from callsheet.core.flow.expression.functions.function import Function
from callsheet.core.flow.expression.operators import calculate
from callsheet.core.flow.expression.scope import Scope

HUNDREDTH: Final = Decimal("0.01")


def _isnumber(_: Scope, value: object) -> bool:
    return find_number(value) is not None


def _isbool(_: Scope, value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value.strip().casefold() in {"true", "false"})


def _isstring(_: Scope, value: object) -> bool:
    return isinstance(value, str) and find_number(value) is None


def _array(_: Scope, *values: object) -> tuple[object, ...]:
    return values


def _count(_: Scope, array: object) -> int:
    return len(_items(array))


def _in(scope: Scope, value: object, array: object) -> bool:
    return any(compare(value, plain_value(each), scope) == 0 for each in _items(array))


def _items(array: object) -> list[object] | tuple[object, ...]:
    if array is None:
        return ()
    if not isinstance(array, (list, tuple)):
        raise Amiss(f"An array is wanted where {kind_of(array)} is.")
    return array


def _contains(scope: Scope, needle: object, haystack: object) -> bool:
    if isinstance(haystack, (list, tuple)):
        return _in(scope, needle, haystack)
    return to_text(needle).casefold() in to_text(haystack).casefold()


def _between(scope: Scope, value: object, least: object, most: object) -> bool:
    return compare(value, least, scope) in {0, 1} and compare(value, most, scope) in {-1, 0}


def _percent(_: Scope, number: object) -> str:
    hundredths = calculate("*", to_number(number), Decimal(100))
    return f"{write_number(hundredths.quantize(HUNDREDTH, ROUND_HALF_UP, WIDE))}%"


FUNCTIONS = (
    Function("ARRAY", 0, None, _array),
    Function("BETWEEN", 3, 3, _between),
    Function("CONTAINS", 2, 2, _contains),
    Function("COUNT", 1, 1, _count),
    Function("IN", 2, 2, _in),
    Function("ISBOOL", 1, 1, _isbool),
    Function("ISNUMBER", 1, 1, _isnumber),
    Function("ISSTRING", 1, 1, _isstring),
    Function("PERCENT", 1, 1, _percent),
)
