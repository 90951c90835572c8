"""Places on a line, kept for contacts from before they are armed until they are handed.

Who is armed takes a place in rates and days, and a number among the tries. So nobody is armed for whom the line may
have no place any more when the turn comes, however many dispatchers look at the same line.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Claim(NamedTuple):
    """Who wants places, among several who share them."""

    who: int
    """The number of the sender whose runs these are."""
    weight: int
    """The priorities of those runs that may go on, added up."""


class LetGo(Protocol):
    """Told of places that are not kept any more."""

    def __call__(self, count: int, *, is_used: bool) -> None:
        """Free so many; `is_used`: they are taken at this very moment."""


class Places:
    """Places that are kept on one line."""

    def __init__(self, count: int, let_go: LetGo) -> None:
        self._count = count
        self._let_go = let_go

    def __len__(self) -> int:
        """Return how many are left."""
        return self._count

    def use(self) -> None:
        """Let go of one for whoever is handed at this moment, with nothing awaited in between."""
        if self._count:
            self._count -= 1
            self._let_go(1, is_used=True)

    def give_back(self, keeping: int = 0) -> None:
        """Give back those that are not needed, but for some."""
        count, self._count = max(0, self._count - keeping), min(self._count, keeping)
        if count:
            self._let_go(count, is_used=False)


def no_places() -> Places:
    """Return none: there is no line."""
    return Places(0, _keep_nothing)


def _keep_nothing(count: int, *, is_used: bool) -> None:
    del count, is_used
