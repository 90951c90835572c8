"""One line for text and voice, as the engine sees it.

A line for text is a session with a carrier; a voice line is a trunk of a voice engine. Both take intents that were
armed and tell happenings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from callsheet.carriers.base import Done, Outbound
from callsheet.core.asking import Leave
from callsheet.core.breaker import Breaker
from callsheet.core.calling import Dial
from callsheet.core.condition import Condition
from callsheet.core.ids import AttemptKey
from callsheet.engine.places import Claim, Places

ToHand = Outbound | Dial
"""What is handed to a line: a text, or a call. A line takes what its trunk is for."""


TRUNK_BROKEN: Final = "trunk_broken"
"""The code of what was taken back because its trunk does not work."""
TRUNK_STARTING: Final = "trunk_starting"
"""The same because many senders begin at once on a trunk that is not known to work yet."""


class Taker(Protocol):
    """Where intents are handed."""

    def free(self, segments: float = 1.0) -> int:
        """Return how many intents of so many segments may be armed for this line now."""

    def keep(self, most: int, claim: Claim, segments: float = 1.0) -> Places:
        """Keep at most so many places for contacts that are armed now: for others they are taken."""

    def forget(self, claim: Claim) -> None:
        """Take notice that somebody wants no place now: nothing is left free for him."""

    def hand(self, key: AttemptKey, what: ToHand, leave: Leave) -> None:
        """Take a text or a call, without waiting: the result comes as a happening.

        `leave` is asked right before its first octet leaves: whether it may.
        """


class Line(Taker, Protocol):
    """A way out that can be opened and closed."""

    on_free: Callable[[], None]
    """Called when much of it has become free again, for whoever found it full."""
    on_turn: Callable[[Breaker, Breaker], None]
    """Told what the breaker was and is, when its position changes."""

    @property
    def breaker(self) -> Breaker:
        """What is known of the route."""

    def condition(self) -> Condition:
        """Return how its carrier, or its voice engine, stands."""

    def try_now(self) -> None:
        """Try it again at once, whatever its breaker says."""

    def go_on_from(self, breaker: Breaker) -> None:
        """Begin with what the line before knew of the trunk."""

    async def open(self) -> None:
        """Connect, and begin to tell happenings."""

    async def close(self) -> None:
        """Stop taking, wait until what was handed has a result, and disconnect."""


class TextLine(Line, Protocol):
    """A way to a carrier of text: it takes messages that are no attempts, too."""

    def takes_reply(self) -> bool:
        """Tell whether a message that is no attempt may be handed now; a few go beside a window that is full."""

    def reply_room(self) -> int:
        """Return how many messages that are no attempts may be handed now."""

    def hand_reply(self, message: Outbound, leave: Leave, done: Done) -> None:
        """Take a message that is no attempt, without waiting: `done` is told the carrier's answer, once."""
