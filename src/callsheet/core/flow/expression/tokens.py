"""The words of an expression: numbers, texts in quotes, names, properties, signs."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from callsheet.core.flow.amiss import BadExpression

MOST_CHARACTERS: Final = 4000
"""A longer expression is not read."""
MARKS: Final = "\u0300-\u036f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u200c\u200d"
"""Vowel signs and joiners of scripts, which are parts of words but no letters for `re`."""
WORD: Final = rf"[^\W\d][\w{MARKS}]*"
QUOTES: Final = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019"}
"""Signs around a text. The specification's own examples write the typographic ones too."""

_TOKEN: Final = re.compile(
    rf"""\s*(?:
        (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?![\w{MARKS}]))
      | (?P<text>"(?:[^"]|"")*" | '(?:[^']|'')*' | \u201c[^\u201d]*\u201d | \u2018[^\u2019]*\u2019)
      | (?P<name>{WORD})
      | (?P<sign><>|<=|>=|!=|[-+*/^&=<>(),\[\]])
      | @(?=\s*[(\w])
    )""",
    re.VERBOSE,
)
_PROPERTY: Final = re.compile(rf"\s*\.\s*(?P<property>[\w{MARKS}]+)")


class Token(NamedTuple):
    """A word of an expression."""

    kind: str
    """`number`, `text`, `name`, `property`, `sign` or `end`."""
    said: str
    at: int
    """Which character of the source it is, counted from 1."""


def split(source: str, offset: int = 0) -> list[Token]:
    """Return the words of an expression, the last of which is an `end`.

    `offset`: how many characters stand before it in the text that it comes from. Raises BadExpression.
    """
    if len(source) > MOST_CHARACTERS:
        raise BadExpression(f"The expression at character {offset + 1} is longer than {MOST_CHARACTERS} characters.")
    tokens: list[Token] = []
    at, end = 0, len(source.rstrip())
    while at < end:
        found = _PROPERTY.match(source, at) if tokens and _takes_property(tokens[-1]) else None
        found = found or _TOKEN.match(source, at)
        if found is None:
            at += len(source[at:]) - len(source[at:].lstrip())
            raise BadExpression(_unknown(source[at], offset + at + 1))
        kind = found.lastgroup
        if kind is not None:
            tokens.append(Token(kind, _said(kind, found[kind]), offset + found.start(kind) + 1))
        at = found.end()
    tokens.append(Token("end", "", offset + end + 1))
    return tokens


def _takes_property(token: Token) -> bool:
    return token.kind in {"name", "property"} or token.said == "]"


def _said(kind: str, found: str) -> str:
    if kind != "text":
        return found
    quote = found[-1]
    return found[1:-1].replace(quote * 2, quote)


def _unknown(sign: str, at: int) -> str:
    if sign in QUOTES:
        return f"The text that begins at character {at} has no end: a {QUOTES[sign]} is missing."
    return f"The sign {sign} at character {at} has no meaning in an expression."
