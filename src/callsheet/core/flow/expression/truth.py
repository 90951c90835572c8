"""What counts as true."""

from __future__ import annotations

from decimal import Decimal

from callsheet.core.flow.expression.casting import find_number, plain_value


def is_truthy(value: object) -> bool:
    """Tell whether a value counts as true.

    Null, FALSE, 0, an empty text, an empty list and the texts `false` and `0` do not; everything else does.
    """
    if isinstance(value, bool):
        return value
    value = plain_value(value)
    match value:
        case str():
            number = find_number(value)
            return number != 0 if number is not None else value.strip().casefold() not in {"", "false"}
        case int() | Decimal():
            return value != 0
        case None:
            return False
        case list() | tuple() | dict():
            return bool(value)
    return True
