"""Parts of texts: a text that is longer than one message comes in several."""

from __future__ import annotations

from typing import Final, NamedTuple

MOST_PARTS: Final = 255
"""Of a text: what a header of one octet counts."""


class Part(NamedTuple):
    """Which part of which text a message is."""

    reference: int
    """The same for all parts of a text; 32 bits."""
    total: int
    number: int
    """From 1 on."""

    @classmethod
    def of(cls, reference: int, total: int, number: int) -> Part | None:
        """Say which part it is; the only part of a text is the text, and one that cannot be is none."""
        return cls(reference & 0xFFFFFFFF, total, number) if 1 < total <= MOST_PARTS and 1 <= number <= total else None
