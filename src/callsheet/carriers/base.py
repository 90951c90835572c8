"""What a carrier is.

It takes an `Outbound`, answers `Accepted` or one of a closed family of send errors, and tells receipts and inbound
messages. No database of ours, no retry, no campaign inside.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from callsheet.core.attempt import Kind


class Outbound(NamedTuple):
    """One message, ready to leave."""

    reference: str
    """Our attempt id: the carrier is asked to carry it and to name it in receipts."""
    to: str
    sender: str
    text: str
    segments: int
    campaign_id: str


class Accepted(NamedTuple):
    """The carrier took the message."""

    carrier_id: str
    segments: int


class Receipt(NamedTuple):
    """What the carrier says later: `reference` is empty when it does not carry ours."""

    reference: str
    carrier_id: str
    kind: Kind
    at: datetime
    code: str


class Inbound(NamedTuple):
    """A message from a handset to one of our senders."""

    inbound_id: str
    """The carrier's id of it: the same message told twice is one message."""
    number: str
    sender: str
    text: str
    at: datetime


Heard = Receipt | Inbound

Hear = Callable[[Sequence[Heard]], Awaitable[None]]
"""Where a carrier tells what it heard. It returns after the commit; only then may the carrier acknowledge."""


class SendError(Exception):
    """The message was not accepted.

    `kind` says what it means for the attempt: `refused` (a definite "not now": safe to send again), `rejected` (a
    definite "never"), `uncertain` (nobody knows: never sent again by itself). `code` is a stable word or the
    carrier's own code. `at_fault` says who has to act: `us`, `carrier` or `contact`.
    """

    kind = Kind.rejected
    code = "rejected"
    at_fault = "carrier"

    def __init__(self, code: str | None = None) -> None:
        """Keep the carrier's own code where there is one."""
        self.code = code or type(self).code
        super().__init__(self.code)


class Throttled(SendError):
    """The carrier asks us to slow down."""

    kind = Kind.refused
    code = "throttled"


class NotConnected(SendError):
    """There is no connection, so nothing was handed over."""

    kind = Kind.refused
    code = "not_connected"


class InvalidNumber(SendError):
    """The carrier knows no such number."""

    code = "invalid_number"
    at_fault = "contact"


class InvalidMessage(SendError):
    """The carrier does not take this text or this sender."""

    code = "invalid_message"
    at_fault = "us"


class NoAnswer(SendError):
    """The carrier never answered: it may have taken the message or not."""

    kind = Kind.uncertain
    code = "no_answer"


def nobody_waits() -> None:
    """Hear that a message has left, and do nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a carrier bears: how many messages may wait for its answer at once."""

    window: int


class Carrier(Protocol):
    """A mouth for text."""

    limits: Limits

    async def open(self, hear: Hear) -> None:
        """Connect, and begin to tell what is heard; what was not acknowledged before is told again."""

    async def send(self, message: Outbound, leave: Callable[[], None] = nobody_waits) -> Accepted:
        """Hand one message over and wait for the answer.

        `leave` is called as soon as the message is out of our hands, before the answer: a call that forbids waits
        for this, not for an answer that may never come. Raises SendError.
        """

    async def close(self) -> None:
        """Disconnect; what is on the wire is answered first, or gets NoAnswer."""
