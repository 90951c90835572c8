"""A function of the expression language: its name, how many values it takes, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.expression.scope import Expression, Scope

Run: TypeAlias = Callable[..., object]
"""Takes the scope, and the values; or, where it is `lazy`, the expressions of the values. Raises Amiss."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function."""

    name: str
    least: int
    """So many values it takes at least."""
    most: int | None
    """None: any number."""
    run: Run
    is_lazy: bool = False
    """It decides itself which of its values are looked at."""

    def call(self, given: Sequence[Expression], at: int) -> Expression:
        """Return an expression that calls it. Raises BadExpression: it takes fewer or more values."""
        if len(given) < self.least or (self.most is not None and len(given) > self.most):
            raise BadExpression(f"{self.name} at character {at} takes {self._taken}, not {len(given)}.")
        run = self.run
        if self.is_lazy:
            return cast("Expression", lambda scope: run(scope, *given))
        if len(given) == 1:
            only = given[0]
            return cast("Expression", lambda scope: run(scope, only(scope)))

        def called(scope: Scope) -> object:
            return run(scope, *[each(scope) for each in given])

        return cast("Expression", called)

    @property
    def _taken(self) -> str:
        if self.most is None:
            said = f"at least {self.least}"
        elif self.most == self.least:
            said = str(self.least)
        else:
            said = f"{self.least} to {self.most}"
        return f"{said} {'value' if said.endswith(' 1') or said == '1' else 'values'}"
