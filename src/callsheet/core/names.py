"""Names: what people call the things of an app. They stand in answers, lists and files, so they are one line."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from unicodedata import category

MOST_LOOKED_AT = 300
"""Among so many names the nearest are looked for: comparing takes up to half a millisecond each."""
_SHOWN = 20
"""How many of the names that exist an answer tells."""

_BREAKS = frozenset({"Cc", "Zl", "Zp"})
"""Control characters and ends of lines; joiners (`Cf`) belong to the scripts and emoji that use them."""


def is_one_line(text: str) -> bool:
    """Tell whether a text has no control character and no end of a line in it."""
    return not any(category(character) in _BREAKS for character in text)


def key_of(name: str) -> str:
    """Return what two names have in common that mean the same thing: case, and blanks at the ends, do not count."""
    return name.strip().lower()


def no_such(what: str, wanted: str, names: Sequence[str]) -> str:
    """Say that there is no such thing, and which ones there are: those with the nearest names first.

    Of more than `MOST_LOOKED_AT` names the rest is not counted.
    """
    if not names:
        return f"There is no {what} {wanted}. There are none yet."
    known = {key_of(name): name for name in names[:MOST_LOOKED_AT]}
    near = get_close_matches(key_of(wanted), known, _SHOWN)
    shown = [known[name] for name in dict.fromkeys([*near, *known])][:_SHOWN]
    left = len(known) - len(shown)
    uncounted = len(names) > MOST_LOOKED_AT
    more = " and more" if uncounted else f" and {left} more" if left else ""
    return f"There is no {what} {wanted}. There are: {', '.join(shown)}{more}."
