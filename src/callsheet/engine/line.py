"""One line for text and voice, as the engine sees it.

An SMS line is a session with a carrier; a voice line is a trunk with a dialing mode. Both take intents that were
armed and tell happenings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from callsheet.carriers.base import Outbound
from callsheet.core.ids import AttemptKey


class Line(Protocol):
    """Where intents are handed."""

    def free(self) -> int:
        """Return how many intents may be armed for this line now."""

    def hand(self, key: AttemptKey, message: Outbound, leave: Callable[[], None]) -> None:
        """Take a message, without waiting: the result comes as a happening.

        `leave` is called when the carrier has the message, at the latest with the result.
        """

    async def open(self) -> None:
        """Connect, and begin to tell happenings."""

    async def close(self) -> None:
        """Stop taking, wait until what was handed has a result, and disconnect."""
