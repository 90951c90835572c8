"""One line of a benchmark."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """What we do, beside the raw limit or a peer in the same run; the ratio is ours to theirs."""

    name: str
    ours: str
    beside: str
    ratio: float

    def __str__(self) -> str:
        return f"{self.name:<48} | {self.ours:>14} | {self.beside:<28} | {self.ratio:.2f}"
