"""Functions of numbers; lists count as their items."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from callsheet.core.flow.expression.casting import plain_value, to_number
from callsheet.core.flow.expression.functions.function import Function
from callsheet.core.flow.expression.operators import calculate
from callsheet.core.flow.expression.scope import Scope


def _abs(_: Scope, number: object) -> Decimal:
    return to_number(number).copy_abs()


def _max(_: Scope, *values: object) -> Decimal:
    return max(_numbers(values), default=Decimal(0))


def _min(_: Scope, *values: object) -> Decimal:
    return min(_numbers(values), default=Decimal(0))


def _power(_: Scope, number: object, power: object) -> Decimal:
    return calculate("^", to_number(number), to_number(power))


def _sum(_: Scope, *values: object) -> Decimal:
    total = Decimal(0)
    for number in _numbers(values):
        total = calculate("+", total, number)
    return total


def _numbers(values: tuple[object, ...]) -> Iterator[Decimal]:
    """Return the numbers among values; what is missing is passed over. Raises Amiss."""
    for value in values:
        for each in value if isinstance(value, (list, tuple)) else (value,):
            found = plain_value(each)
            if found is not None and found != "":
                yield to_number(found)


FUNCTIONS = (
    Function("ABS", 1, 1, _abs),
    Function("MAX", 1, None, _max),
    Function("MIN", 1, None, _min),
    Function("POWER", 2, 2, _power),
    Function("SUM", 1, None, _sum),
)
