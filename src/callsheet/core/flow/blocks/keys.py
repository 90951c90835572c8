"""The keys that name the choices of a question in a call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

HASH: Final = "#"
"""The key that ends what is pressed, unless a choice is named by it."""

KEYS: Final = "0123456789*#"
"""The keys of a phone."""

_DIGITS: Final = re.compile(r"\d+")


class Keys(NamedTuple):
    """What is pressed to name one choice."""

    most_digits: int
    """So many keys are enough: nothing more is waited for then."""
    ends_with: str = HASH
    """Each of these ends what is pressed, and is no part of it."""


def read_keys(tests: Sequence[object]) -> Keys:
    """Return the keys of choices with these tests, in the order of the document; one without is named by its number.

    A test is not solved: its longest number is as long as what it may be looking for.
    """
    most, ends_with = 1, HASH
    for number, test in enumerate(tests, 1):
        said = test if isinstance(test, str) else ""
        found = _DIGITS.findall(said) or [str(number)]
        most = max(most, *map(len, found))
        if f'"{HASH}"' in said or f"'{HASH}'" in said:
            ends_with = ""
    return Keys(most, ends_with)
