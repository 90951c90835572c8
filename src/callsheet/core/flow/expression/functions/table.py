"""The functions that expressions can use, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.expression.functions import checks, dates, logic, maths, texts, words
from callsheet.core.flow.expression.functions.function import Function

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        function.name: function
        for subject in (dates, logic, maths, texts, words, checks)
        for function in subject.FUNCTIONS
    }
)
RANDOM: Final = frozenset({"RAND", "RAND_BETWEEN", "RANDBETWEEN"})
"""Some programs have them; here the same replies lead the same way, so that a conversation can be explained."""


def find_function(name: str, at: int) -> Function:
    """Return a function by its name in any case. `at`: where it is called. Raises BadExpression."""
    wanted = name.upper()
    found = FUNCTIONS.get(wanted)
    if found is None:
        why = "; nothing in an expression is random" if wanted in RANDOM else ""
        raise BadExpression(f"There is no function {name} at character {at}{why}.")
    return found
