"""Reading expressions, and texts with expressions in them: `Hello @contact.first_name, you owe @(contact.due * 2)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from callsheet.core.flow.amiss import Amiss, BadExpression
from callsheet.core.flow.expression.casting import MOST_TEXT, to_text
from callsheet.core.flow.expression.functions.table import FUNCTIONS, find_function
from callsheet.core.flow.expression.names import KNOWN
from callsheet.core.flow.expression.parsing import parse
from callsheet.core.flow.expression.scope import Expression, Scope, Text
from callsheet.core.flow.expression.tokens import MARKS, QUOTES, WORD

_NAME: Final = re.compile(WORD)
_STEP: Final = re.compile(rf"\.[\w{MARKS}]+")
_INDEX: Final = re.compile("""\\[(?=["'\u201c\u2018\\d])""")
_BEFORE_MAIL: Final = re.compile(r"[A-Za-z0-9_]")


@lru_cache(maxsize=4096)
def read_expression(source: str) -> Expression:
    """Return an expression, written bare (`block.response = 1`), as `@(...)` or as `@name`. Raises BadExpression."""
    return parse(source)


@lru_cache(maxsize=4096)
def read_text(source: str) -> Text:
    """Return a text with expressions in it; `@@` says `@`. Raises BadExpression.

    An `@` in a mail address, or before a word that is no name, says itself.
    """
    pieces = _pieces(source)
    if all(isinstance(piece, str) for piece in pieces):
        return _Plain("".join(str(piece) for piece in pieces))
    return _Mixed(pieces)


def read_quoted(source: str, quote: Callable[[str], str]) -> Text:
    """Return a text with expressions, of which each is quoted before it stands among the rest. Raises BadExpression."""
    return _Mixed(_pieces(source), quote)


def _pieces(source: str) -> tuple[str | Expression, ...]:
    """Return what a text says as it is, and its expressions, in their order. Raises BadExpression."""
    pieces: list[str | Expression] = []
    at = done = 0
    while (at := source.find("@", at)) >= 0:
        if source.startswith("@@", at):
            pieces.append(source[done : at + 1])
            at = done = at + 2
            continue
        end = _end(source, at, is_after_text=at > done)
        if end:
            pieces.extend((source[done:at], parse(source[at + 1 : end], at + 1)))
            done = end
        at = end or at + 1
    pieces.append(source[done:])
    return tuple(piece for piece in pieces if piece != "")


class _Plain:
    """A text without expressions."""

    __slots__ = ("_said",)
    is_plain = True

    def __init__(self, said: str) -> None:
        self._said = said

    def __call__(self, scope: Scope) -> str:  # noqa: ARG002 (as every text)
        return self._said


class _Mixed:
    """A text with expressions."""

    __slots__ = ("_pieces", "_quote")
    is_plain = False

    def __init__(self, pieces: tuple[str | Expression, ...], quote: Callable[[str], str] = str) -> None:
        self._pieces = pieces
        self._quote = quote

    def __call__(self, scope: Scope) -> str:
        said = "".join(
            piece if isinstance(piece, str) else self._quote(to_text(piece(scope))) for piece in self._pieces
        )
        if len(said) > MOST_TEXT:
            raise Amiss(f"A text became longer than {MOST_TEXT} characters.")
        return said


def _end(source: str, at: int, *, is_after_text: bool) -> int:
    """Return where the expression that begins with an `@` ends; 0: there is none. Raises BadExpression."""
    if source.startswith("(", at + 1):
        return _closed(source, at + 1)
    if is_after_text and _BEFORE_MAIL.match(source[at - 1]):
        return 0
    name = _NAME.match(source, at + 1)
    if name is None:
        return 0
    end = name.end()
    said = name[0].casefold()
    if source.startswith("(", end) and (said not in KNOWN or said.upper() in FUNCTIONS):
        find_function(name[0], at + 2)
        return _closed(source, end)
    if said not in KNOWN or (said == "date" and not _STEP.match(source, end)):
        return 0
    while True:
        step = _STEP.match(source, end)
        if step:
            end = step.end()
        elif _INDEX.match(source, end):
            end = _closed(source, end)
        else:
            return end


def _closed(source: str, at: int) -> int:
    """Return where the parenthesis or bracket that opens there is closed. Raises BadExpression."""
    opening = source[at]
    closing = {"(": ")", "[": "]"}[opening]
    depth, here = 0, at
    while here < len(source):
        sign = source[here]
        if sign in QUOTES:
            here = source.find(QUOTES[sign], here + 1)
            if here < 0:
                break
        elif sign == opening:
            depth += 1
        elif sign == closing:
            depth -= 1
            if not depth:
                return here + 1
        here += 1
    raise BadExpression(f"The {opening} at character {at + 1} is not closed: a {closing}, or the end of a text, lacks.")


def expressions_in(source: str) -> Iterator[str]:
    """Yield the expressions that stand in a text, as `read_text` finds them. Raises BadExpression."""
    at = 0
    while (at := source.find("@", at)) >= 0:
        if source.startswith("@@", at):
            at += 2
            continue
        end = _end(source, at, is_after_text=at > 0)
        if end:
            yield source[at + 1 : end]
        at = end or at + 1
