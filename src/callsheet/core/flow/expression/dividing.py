"""Expressions that plainly divide by zero, whatever a contact replies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from callsheet.core.flow.amiss import Amiss, BadExpression
from callsheet.core.flow.expression.casting import to_number
from callsheet.core.flow.expression.parsing import parse
from callsheet.core.flow.expression.scope import Scope
from callsheet.core.flow.expression.tokens import Token, split

_CONSTANTS: Final = frozenset({"null", "true", "false"})
_NOTHING: Final = Scope({}, datetime(1970, 1, 1, tzinfo=UTC))


def divides_by_zero(source: str) -> bool:
    """Tell whether something is divided by a constant that is zero: `x / 0`, `x / (2 - 2)`, `x / NULL`."""
    try:
        tokens = split(source)
    except BadExpression:
        return False
    for place, token in enumerate(tokens):
        if token.kind == "sign" and token.said == "/" and _is_zero(_operand(tokens, place + 1)):
            return True
    return False


def _operand(tokens: Sequence[Token], place: int) -> Sequence[Token]:
    """Return a constant with its signs, or all that is between parentheses; nothing where it is anything else."""
    start = place
    while tokens[place].kind == "sign" and tokens[place].said in ("+", "-"):
        place += 1
    if _is_constant(tokens[place]):
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


def _is_zero(operand: Sequence[Token]) -> bool:
    if not operand or any(token.kind != "sign" and not _is_constant(token) for token in operand):
        return False
    try:
        return to_number(parse(" ".join(map(_written, operand)))(_NOTHING)) == 0
    except (Amiss, BadExpression):
        return False


def _is_constant(token: Token) -> bool:
    """Tell whether a word is a number, a text, or one of what nothing, true and false are called."""
    return token.kind in {"number", "text"} or (token.kind == "name" and token.said.casefold() in _CONSTANTS)


def _written(token: Token) -> str:
    return '"' + token.said.replace('"', '""') + '"' if token.kind == "text" else token.said
