"""Expressions that plainly divide by zero, whatever a contact replies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from callsheet.core.flow.amiss import Amiss, BadExpression
from callsheet.core.flow.expression.parsing import parse
from callsheet.core.flow.expression.scope import Scope
from callsheet.core.flow.expression.tokens import Token, split

_NOTHING: Final = Scope({}, datetime(1970, 1, 1, tzinfo=UTC))


def divides_by_zero(source: str) -> bool:
    """Tell whether something is divided by a constant that is zero: `x / 0`, `x / (2 - 2)`, `MOD(x, 0)`."""
    try:
        tokens = split(source)
    except BadExpression:
        return False
    for place, token in enumerate(tokens):
        divisor: Sequence[Token] = ()
        if token.kind == "sign" and token.said == "/":
            divisor = _operand(tokens, place + 1)
        elif token.kind == "name" and token.said.casefold() == "mod" and tokens[place + 1].said == "(":
            divisor = _last(_operand(tokens, place + 1))
        if _is_zero(divisor):
            return True
    return False


def _operand(tokens: Sequence[Token], place: int) -> Sequence[Token]:
    """Return a number with its signs, or all that is between parentheses; nothing where it is anything else."""
    start = place
    while tokens[place].kind == "sign" and tokens[place].said in ("+", "-"):
        place += 1
    if tokens[place].kind == "number":
        return tokens[start : place + 1]
    if tokens[place].said != "(" or tokens[place].kind != "sign":
        return ()
    depth = 0
    for end in range(place, len(tokens)):
        if tokens[end].kind == "sign":
            depth += {"(": 1, ")": -1}.get(tokens[end].said, 0)
        if not depth:
            return tokens[start : end + 1]
    return ()


def _last(given: Sequence[Token]) -> Sequence[Token]:
    """Return what stands behind the last comma between two parentheses."""
    commas = [place for place, token in enumerate(given) if token.kind == "sign" and token.said == ","]
    return given[commas[-1] + 1 : -1] if commas else ()


def _is_zero(operand: Sequence[Token]) -> bool:
    if not operand or any(token.kind not in ("number", "sign") for token in operand):
        return False
    try:
        value = parse(" ".join(token.said for token in operand))(_NOTHING)
    except (Amiss, BadExpression):
        return False
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and value == 0
