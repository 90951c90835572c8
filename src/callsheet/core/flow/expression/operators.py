"""Signs between values: arithmetic is exact, comparisons are as a reader would say, `&` joins texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from types import MappingProxyType
from typing import Final

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.expression.casting import MOST_TEXT, find_number, to_number, to_text
from callsheet.core.flow.expression.comparing import compare
from callsheet.core.flow.expression.dates import add, is_dated, subtract
from callsheet.core.flow.expression.scope import Expression, Scope

MOST_EXPONENT: Final = 1000
"""No number is raised to a higher power."""
ARITHMETIC: Final = Context(prec=34, Emax=300, Emin=-300, traps=[DivisionByZero, InvalidOperation, Overflow])

TOO_BIG: Final = "The numbers are too big to calculate with, or have no such power."

Operator = Callable[[Scope, object, object], object]


def calculate(sign: str, one: Decimal, other: Decimal) -> Decimal:
    """Return what two numbers make. Raises Amiss."""
    if sign == "/" and other == 0:
        raise Amiss("A number was divided by zero.")
    if sign == "^" and abs(other) > MOST_EXPONENT:
        raise Amiss(f"A number was raised to a power above {MOST_EXPONENT}.")
    try:
        made = _CALCULATIONS[sign](one, other)
    except DecimalException:
        raise Amiss(TOO_BIG) from None
    if not made.is_finite():
        raise Amiss(TOO_BIG)
    return made


_CALCULATIONS: Final[Mapping[str, Callable[[Decimal, Decimal], Decimal]]] = MappingProxyType(
    {
        "+": ARITHMETIC.add,
        "-": ARITHMETIC.subtract,
        "*": ARITHMETIC.multiply,
        "/": ARITHMETIC.divide,
        "^": ARITHMETIC.power,
    }
)


def negate(value: Expression, *, twice: bool) -> Expression:
    """Return an expression that turns the sign of another one; `twice`: makes it a number, and leaves its sign."""
    if twice:
        return lambda scope: to_number(value(scope))
    return lambda scope: to_number(value(scope)).copy_negate()


def join(*values: object) -> str:
    """Join values as texts. Raises Amiss."""
    joined = "".join(to_text(value) for value in values)
    if len(joined) > MOST_TEXT:
        raise Amiss(f"A text became longer than {MOST_TEXT} characters.")
    return joined


def _add(scope: Scope, one: object, other: object) -> object:
    first, second = find_number(one), find_number(other)
    if (first is None or second is None) and is_dated(one, other, scope):
        return add(one, other, scope)
    return calculate("+", to_number(one), to_number(other))


def _subtract(scope: Scope, one: object, other: object) -> object:
    first, second = find_number(one), find_number(other)
    if (first is None or second is None) and is_dated(one, other, scope):
        return subtract(one, other, scope)
    return calculate("-", to_number(one), to_number(other))


def _calculating(sign: str) -> Operator:
    return lambda _, one, other: calculate(sign, to_number(one), to_number(other))


def _comparing(*wanted: int | None) -> Operator:
    return lambda scope, one, other: compare(one, other, scope) in wanted


def _differs(scope: Scope, one: object, other: object) -> bool:
    return compare(one, other, scope) != 0


OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {sign: _calculating(sign) for sign in "*/^"}
    | {
        "+": _add,
        "-": _subtract,
        "&": lambda _, one, other: join(one, other),
        "=": _comparing(0),
        "<>": _differs,
        "!=": _differs,
        "<": _comparing(-1),
        "<=": _comparing(-1, 0),
        ">": _comparing(1),
        ">=": _comparing(1, 0),
    }
)
