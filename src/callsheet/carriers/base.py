"""What a carrier is.

It takes an `Outbound`, answers `Accepted` or one of a closed family of send errors, and tells receipts and inbound
messages. No database of ours, no retry, no campaign inside.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from callsheet.core.asking import Leave
from callsheet.core.attempt import Kind
from callsheet.core.condition import Condition
from callsheet.core.opting_out import Word
from callsheet.core.part import Part
from callsheet.core.phone import without_numbers


class Outbound(NamedTuple):
    """One message, ready to leave."""

    reference: str
    """Our attempt id: the carrier is asked to carry it and to name it in receipts."""
    to: str
    sender: str
    text: str
    segments: int
    campaign_id: str
    valid_until: datetime | None = None
    """The carrier is asked to give up after it: the contact's window closes then. None: whatever the carrier does."""
    tags: Mapping[str, str] = MappingProxyType({})
    """What some carriers want besides: `dlt_entity_id` and `dlt_template_id` (India)."""
    wants_receipt: bool = True


class Accepted(NamedTuple):
    """The carrier took the message."""

    carrier_id: str
    segments: int
    carrier_ids: tuple[str, ...] = ()
    """The carrier's ids of all parts, where its receipts name those and not our reference; of a part that it did not
    take, an empty one at the end."""


class Receipt(NamedTuple):
    """What the carrier says later: `reference` is empty when it does not carry ours."""

    reference: str
    carrier_id: str
    kind: Kind
    at: datetime
    code: str
    spellings: tuple[str, ...] = ()
    """Other ways in which the answer may have written the id (hexadecimal, decimal, without zeros)."""
    number: str = ""
    """The contact, as the carrier writes it; empty: it does not say."""
    hint: int | None = None
    """The 16 bits that went along with the message and came back, where the carrier does that."""
    stopped: bool = False
    """The carrier says that this person sent it a STOP, as `Stopped` would have said: that is an opt-out too."""
    part_ids: tuple[str, ...] = ()
    """Of an answer that came too late to be one, with our reference: the ids of all parts, as in `Accepted`."""


class Inbound(NamedTuple):
    """A message from a handset to one of our senders."""

    inbound_id: str
    """The carrier's id of it: the same message told twice is one message."""
    number: str
    """As the carrier writes it: with `+` or `00` where it says that it is international."""
    sender: str
    text: str
    at: datetime
    part: Part | None = None
    """Where it is one part of a longer text."""
    word: Word | None = None
    """What the carrier took it for, and has answered itself; none: it does not say."""
    teller: str = ""
    """Who made up its id, where the carrier gives none: from another teller the same message has another id."""
    is_national: bool = False
    """The carrier says that `number` stands there without its country code."""


class Acknowledged(NamedTuple):
    """The carrier knows that we have a reply, and does not tell it again: said by tellers that make up ids."""

    inbound_id: str


Heard = Receipt | Inbound | Acknowledged

Hear = Callable[[Sequence[Heard]], Awaitable[None]]
"""Where a carrier tells what it heard. It returns after the commit; only then may the carrier acknowledge."""


_WORD: Final = re.compile(r"[A-Za-z0-9_.:-]{1,40}")


class SendError(Exception):
    """The message was not accepted.

    `kind` says what it means for the attempt: `refused` (a definite "not now": safe to send again), `rejected` (a
    definite "never"), `uncertain` (nobody knows: never sent again by itself). `code` is a stable word or the
    carrier's own code. `at_fault` says who has to act: `us`, `carrier` or `contact`. `carrier_ids` are those of the
    parts that it took before nobody knew, as in `Accepted`; `cut_off`: what befell it is the loss of its connection.
    The first paragraph of a docstring is what people read.
    """

    kind = Kind.rejected
    code = "rejected"
    at_fault = "carrier"

    def __init__(self, code: str | None = None, carrier_ids: tuple[str, ...] = (), *, cut_off: bool = False) -> None:
        """Keep the carrier's own code where there is one."""
        self.code = code or type(self).code
        self.carrier_ids = carrier_ids
        self.cut_off = cut_off
        super().__init__(self.code)

    @property
    def word(self) -> str:
        """The code as it may stand in a sentence; ours, where a carrier wrote more there than a word, or a number."""
        is_word = _WORD.fullmatch(self.code) is not None and without_numbers(self.code) == self.code
        return self.code if is_word else type(self).code

    @property
    def meaning(self) -> str:
        """A sentence on it, for people: the same for everybody, so there is nothing of anybody in it."""
        return (inspect.getdoc(type(self)) or "").partition("\n\n")[0].replace("\n", " ")


class Throttled(SendError):
    """The carrier asks us to slow down."""

    kind = Kind.refused
    code = "throttled"


class NotConnected(SendError):
    """There is no connection, so nothing was handed over."""

    kind = Kind.refused
    code = "not_connected"


class AccountRefused(SendError):
    """The carrier does not let our account in, or it has no credit."""

    kind = Kind.refused
    code = "account_refused"
    at_fault = "us"


class Unwell(SendError):
    """The carrier says that it cannot take messages at the moment."""

    kind = Kind.refused
    code = "carrier_unwell"


class InvalidNumber(SendError):
    """The carrier knows no such number."""

    code = "invalid_number"
    at_fault = "contact"


class InvalidMessage(SendError):
    """The carrier does not take this text or this sender."""

    code = "invalid_message"
    at_fault = "us"


class Stopped(SendError):
    """The carrier says that this person sent it a STOP for our sender: to us that is an opt-out too."""

    code = "opted_out_at_carrier"
    at_fault = "contact"


class Forbidden(SendError):
    """It was forbidden while it waited inside the carrier: nothing of it has left, and nothing will."""

    kind = Kind.withdrawn
    code = "forbidden"
    at_fault = "us"


class NoAnswer(SendError):
    """The carrier never answered: it may have taken the message or not."""

    kind = Kind.uncertain
    code = "no_answer"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a carrier that is asked one by one bears: how many messages may wait for its answer at once."""

    window: int


class Probe(NamedTuple):
    """What came of a test call."""

    ok: bool
    said: str
    """What happened, step by step, in a sentence. No secret is in it."""


Done = Callable[[Accepted | SendError], None]
"""Told the answer to one message, once."""


class Carrier(Protocol):
    """A mouth for text."""

    def room(self, segments: float = 1.0) -> int:
        """Return how many more messages of so many segments it would begin to send at once.

        It counts in what the carrier counts: where parts are submitted one by one, a text in three takes the place of
        three. Zero: none. Below zero: so much waits inside already.
        """

    async def open(self, hear: Hear) -> None:
        """Begin to connect, and to tell what is heard; what was not acknowledged before is told again.

        A carrier that cannot be reached does not raise: it goes on trying, and its condition says so.
        """

    def submit(self, message: Outbound, leave: Leave, done: Done) -> None:
        """Hand one message over, without waiting.

        `leave` is asked right before the first octet leaves, with nothing awaited in between. When it says no, somebody
        forbade the message since it was handed over: it is given up as Forbidden. `done` is called once, with the
        answer, or with what stands for it: at the latest after the time that an answer may take.
        """

    def condition(self) -> Condition:
        """Return how it stands."""

    async def probe(self) -> Probe:
        """Try whether the account works, beside all that goes on; no message is sent."""

    async def close(self) -> None:
        """Disconnect; what is on the wire is answered first, or gets NoAnswer."""
