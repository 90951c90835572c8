"""Names and their properties: `contact.first_name`, `results.menu.value`, `contact["First name"]`, `date.today`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from callsheet.core.flow.expression.casting import plain_value
from callsheet.core.flow.expression.scope import Expression, Scope, Value

KNOWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        name.casefold(): name
        for name in (
            "contact", "campaignUserInfo", "context", "run", "flow", "parent", "child", "results", "block", "session",
            "call", "date",
        )
    }
)  # fmt: skip
"""The names that an expression can begin with, as they are spelled, by how they are compared."""


def read_path(name: str, steps: Sequence[str | Expression]) -> Expression:
    """Return an expression that looks a name up, and a property in it, and so on; what is missing is null."""
    if len(steps) == 1 and isinstance(steps[0], str):
        first = steps[0]
        return lambda scope: plain_value(_property(_top(scope, name), first))

    def find(scope: Scope) -> Value:
        found = _top(scope, name)
        for step in steps:
            found = _property(found, step if isinstance(step, str) else step(scope))
        return plain_value(found)

    return find


def _top(scope: Scope, name: str) -> object:
    if name == "date" and name not in scope.names:
        return {"now": scope.now, "today": scope.now.date()}
    return scope.names.get(name)


def _property(holder: object, name: object) -> object:
    if isinstance(holder, Mapping):
        said = name if isinstance(name, str) else str(name)
        found = holder.get(said)
        return _property_in_any_case(holder, said) if found is None else found
    if isinstance(holder, Sequence) and not isinstance(holder, str):
        return _item(holder, name)
    return None


def _property_in_any_case(holder: Mapping[object, object], name: str) -> object:
    if name in holder:
        return None
    wanted = name.casefold()
    return next((value for key, value in holder.items() if str(key).casefold() == wanted), None)


def _item(holder: Sequence[object], name: object) -> object:
    said = str(name)
    if isinstance(name, (int, Decimal, str)) and said.isdecimal() and len(said) < 10:
        number = int(said)
        return holder[number] if number < len(holder) else None
    return None
