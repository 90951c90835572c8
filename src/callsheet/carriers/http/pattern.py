"""Patterns that a user gives, for answers that are no JSON. One that could take long is not taken."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

LOOKED_AT: Final = 500
"""So many characters of an answer are looked at."""
_MOST_REPEATS: Final = 2
_MOST_CHOICES: Final = 4
# What is left of a pattern without escapes, sets and the marks of groups is letters, repeats and choices.
_NEITHER: Final = re.compile(r"\\.|\[\^?\]?(\\.|[^\]\\])*\]|(?<=\()\?", re.DOTALL)
_REPEAT: Final = re.compile(r"(?:[*+]|\{[^{}]*\})[?+]?")
_CHOICE: Final = re.compile(r"[?|]")
_REPEATED_GROUP: Final = re.compile(r"\)[*+?{]")
_REFERENCE: Final = re.compile(r"\\\d|\(\?(P=|\(|x|[a-z]*x)")


def _check(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        raise ValueError("This is not a regular expression.") from None
    bare = _NEITHER.sub("x", text)
    repeats, choices = len(_REPEAT.findall(bare)), len(_CHOICE.findall(_REPEAT.sub("", bare)))
    if repeats > _MOST_REPEATS or choices > _MOST_CHOICES or _REPEATED_GROUP.search(bare) or _REFERENCE.search(text):
        raise ValueError(
            f"Give a pattern with at most {_MOST_REPEATS} of * + {{}} and {_MOST_CHOICES} of ? |, none of them behind a"
            " group, and without references to a group: others may take for ever."
        )
    return text


Pattern = Annotated[str, StringConstraints(max_length=200), AfterValidator(_check)]
"""A regular expression of Python; empty: none."""


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def search(pattern: str, text: str) -> str | None:
    """Return what the first group of a pattern caught, or else the whole of it; None when it is not in the text."""
    found = _compiled(pattern).search(text[:LOOKED_AT])
    if found is None:
        return None
    return (found[1] if found.re.groups else found[0]) or ""
