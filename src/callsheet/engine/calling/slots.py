"""Slots: how many calls may go on at once, over all nodes: of each trunk, and of an app without agents.

A call has a slot from before it is dialed until it is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

AGENTLESS: Final = "agentless"
"""All calls of an app that no agent is for."""


class Limit(NamedTuple):
    """So many calls at once."""

    app: int
    name: str
    """A trunk's id, or `agentless`."""
    most: int

    @property
    def whose(self) -> tuple[int, str]:
        """Return what it limits: the limit itself may change while calls go on."""
        return self.app, self.name


class Slots:
    """The slots of this node."""

    def __init__(self) -> None:
        self._used: Counter[tuple[int, str]] = Counter()

    def free(self, limits: Iterable[Limit]) -> int:
        """Return how many more calls all of these limits allow on this node now."""
        return max(0, min(limit.most - self._used[limit.whose] for limit in limits))

    def take(self, limits: Collection[Limit]) -> bool:
        """Take a slot of each; False: there is none, and nothing was taken."""
        if not self.free(limits):
            return False
        self._used.update(limit.whose for limit in limits)
        return True

    def give_back(self, limits: Iterable[Limit]) -> None:
        """Give back what was taken."""
        self._used.subtract(limit.whose for limit in limits)
