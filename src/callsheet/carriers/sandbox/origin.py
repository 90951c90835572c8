"""Where a message came from, and so where its receipt goes: written into the ledger in place of a reference."""

from __future__ import annotations

import json
from typing import Final, Literal, NamedTuple, Self

from callsheet.carriers.sandbox.behaviour import REPLY
from callsheet.carriers.sandbox.ledger import Telling
from callsheet.core.attempt import Kind
from callsheet.core.part import Part

NO_RECEIPT: Final = 0
EVERY_RECEIPT: Final = 1
FAILURES_ONLY: Final = 2


class Origin(NamedTuple):
    """Who handed a message in."""

    way: Literal["smpp", "http"]
    who: str
    """The system id that was bound, or the URL to call back; empty: nobody is told."""
    reference: str = ""
    """What the sender calls it: for SMPP `user_message_reference`, in digits."""
    receipts: int = EVERY_RECEIPT
    """Which receipts it wants, as `registered_delivery` numbers them."""
    part: Part | None = None
    """Where it is one part of a longer text."""
    reply_url: str = ""
    """Where a reply goes; over SMPP it goes to who handed the message in."""

    def write(self) -> str:
        """Give the form for the ledger."""
        return json.dumps(self, separators=(",", ":"))

    @classmethod
    def read(cls, written: str) -> Self:
        """Read it back."""
        way, who, reference, receipts, part, reply_url = json.loads(written)
        return cls(way, who, reference, receipts, part and Part(*part), reply_url)

    def wants(self, telling: Telling) -> bool:
        """Say whether this is told at all; the handset replies to a text, not to each of its parts."""
        if telling.kind == REPLY:
            is_last = self.part is None or self.part.number == self.part.total
            return is_last and (self.way == "smpp" or bool(self.reply_url))
        if not self.who and self.way == "http":
            return False
        if self.receipts == FAILURES_ONLY:
            return telling.kind != Kind.delivered
        return self.receipts != NO_RECEIPT
