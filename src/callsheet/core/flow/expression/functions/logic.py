"""Functions that decide: AND, OR, NOT, IF. What does not matter is not looked at."""

from __future__ import annotations

from callsheet.core.flow.expression.functions.function import Function
from callsheet.core.flow.expression.scope import Expression, Scope
from callsheet.core.flow.expression.truth import is_truthy


def _and(scope: Scope, *given: Expression) -> bool:
    return all(is_truthy(each(scope)) for each in given)


def _or(scope: Scope, *given: Expression) -> bool:
    return any(is_truthy(each(scope)) for each in given)


def _if(scope: Scope, test: Expression, *given: Expression) -> object:
    if is_truthy(test(scope)):
        return given[0](scope) if given else True
    return given[1](scope) if len(given) > 1 else False


def _not(_: Scope, value: object) -> bool:
    return not is_truthy(value)


FUNCTIONS = (
    Function("AND", 1, None, _and, is_lazy=True),
    Function("IF", 1, 3, _if, is_lazy=True),
    Function("NOT", 1, 1, _not),
    Function("OR", 1, None, _or, is_lazy=True),
)
