"""The functions that expressions can use, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.expression.functions import logic
from callsheet.core.flow.expression.functions.function import Function

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {function.name: function for function in (*logic.FUNCTIONS,)}
)


def find_function(name: str, at: int) -> Function:
    """Return a function by its name in any case. `at`: where it is called. Raises BadExpression."""
    found = FUNCTIONS.get(name.upper())
    if found is None:
        raise BadExpression(f"There is no function {name} at character {at}.")
    return found
