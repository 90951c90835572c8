"""From the words of an expression to a function that gives its value: precedence and associativity are Excel's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from callsheet.core.flow.amiss import BadExpression
from callsheet.core.flow.expression.functions.table import find_function
from callsheet.core.flow.expression.names import KNOWN, read_path
from callsheet.core.flow.expression.operators import OPERATORS, negate
from callsheet.core.flow.expression.scope import Expression, Scope
from callsheet.core.flow.expression.tokens import Token, split

MOST_DEPTH: Final = 64
"""So deep can parentheses and functions stand in each other: as deep as Excel allows."""
LEVELS: Final[tuple[frozenset[str], ...]] = tuple(
    frozenset(level) for level in ({"=", "!=", "<>", "<", "<=", ">", ">="}, {"&"}, {"+", "-"}, {"*", "/"}, {"^"})
)
"""Operators, the loosest first; equals from left to right. A minus before a value binds tightest, as in Excel."""
CONSTANTS: Final[Mapping[str, bool | None]] = MappingProxyType({"true": True, "false": False, "null": None})


def parse(source: str, offset: int = 0) -> Expression:
    """Return the expression that a text is. `offset`: where it stands in its source. Raises BadExpression."""
    parser = _Parser(split(source, offset))
    expression = parser.level(0)
    parser.expect_end()
    return expression


class _Parser:
    """Reads one expression from its words."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def level(self, number: int) -> Expression:
        """Read operators of a level, and all that bind tighter."""
        if number == len(LEVELS):
            return self._signed()
        first = self.level(number + 1)
        rest: list[tuple[Callable[[Scope, object, object], object], Expression]] = []
        while self._token.kind == "sign" and self._token.said in LEVELS[number]:
            operator = OPERATORS[self._take().said]
            rest.append((operator, self.level(number + 1)))
        return _chain(first, rest)

    def expect_end(self) -> None:
        """Make sure that nothing follows."""
        if self._token.kind != "end":
            raise BadExpression(f"{_shown(self._token)} is not expected there.")

    def _take(self) -> Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _is(self, sign: str) -> bool:
        return self._token.kind == "sign" and self._token.said == sign

    def _expect(self, sign: str) -> None:
        if not self._is(sign):
            raise BadExpression(f"A {sign} is missing at character {self._token.at}.")
        self._take()

    def _signed(self) -> Expression:
        minuses = pluses = 0
        while self._is("-") or self._is("+"):
            minuses += self._token.said == "-"
            pluses += self._take().said == "+"
        value = self._value()
        return negate(value, twice=minuses % 2 == 0) if minuses or pluses else value

    def _value(self) -> Expression:
        token = self._take() if self._token.kind != "end" else self._token
        match token.kind:
            case "number":
                return _constant(Decimal(token.said))
            case "text":
                return _constant(token.said)
            case "name":
                return self._call(token) if self._is("(") else self._name(token)
        if token.said != "(":
            what = f"{_shown(token)} is not expected there" if token.said else "It ends too soon"
            raise BadExpression(f"{what}: a value is missing at character {token.at}.")
        value = self._inner(token)
        self._expect(")")
        return value

    def _inner(self, token: Token) -> Expression:
        """Read an expression inside of another one."""
        if self._depth >= MOST_DEPTH:
            raise BadExpression(f"More than {MOST_DEPTH} parentheses stand in each other at character {token.at}.")
        self._depth += 1
        value = self.level(0)
        self._depth -= 1
        return value

    def _call(self, name: Token) -> Expression:
        opening = self._take()
        given: list[Expression] = []
        while not self._is(")"):
            if given:
                self._expect(",")
            given.append(self._inner(opening))
        self._take()
        return find_function(name.said, name.at).call(given, name.at)

    def _name(self, name: Token) -> Expression:
        steps: list[str | Expression] = []
        while True:
            if self._token.kind == "property":
                steps.append(self._take().said)
            elif self._is("["):
                steps.append(self._inner(self._take()))
                self._expect("]")
            else:
                break
        said = name.said.casefold()
        if not steps and said in CONSTANTS:
            return _constant(CONSTANTS[said])
        if said not in KNOWN:
            if not steps:
                return _constant(name.said)
            raise BadExpression(
                f"There is no {name.said} at character {name.at}: names are {', '.join(KNOWN.values())}."
            )
        return read_path(KNOWN[said], steps)


def _constant(value: bool | Decimal | str | None) -> Expression:
    return lambda _: value


def _chain(first: Expression, rest: list[tuple[Callable[[Scope, object, object], object], Expression]]) -> Expression:
    if not rest:
        return first
    if len(rest) == 1:
        operator, second = rest[0]
        return lambda scope: operator(scope, first(scope), second(scope))  # type: ignore[return-value]

    def run(scope: Scope) -> object:
        value: object = first(scope)
        for operator, other in rest:
            value = operator(scope, value, other(scope))
        return value

    return run  # type: ignore[return-value]


def _shown(token: Token) -> str:
    said = token.said if len(token.said) <= 20 else f"{token.said[:20]}..."
    return f"The {said} at character {token.at}"
