"""Names: what people call the things of an app. They stand in answers, lists and files, so they are one line."""

from __future__ import annotations

from unicodedata import category

_BREAKS = frozenset({"Cc", "Zl", "Zp"})
"""Control characters and ends of lines; joiners (`Cf`) belong to the scripts and emoji that use them."""


def is_one_line(text: str) -> bool:
    """Tell whether a text has no control character and no end of a line in it."""
    return not any(category(character) in _BREAKS for character in text)
