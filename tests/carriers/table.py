"""The table that every carrier has to pass: what a number's ending means, as a sender sees it.

A carrier's test gives a fresh carrier, its clock and the rows that it is held to. `check` sends to one number and
compares the answers, and what is heard within `within_seconds` after the last answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callsheet.carriers.base import Accepted, Carrier, Heard, Inbound, Outbound, Receipt, SendError
from callsheet.clock import Clock
from callsheet.core.attempt import Kind


@dataclass(frozen=True)
class Case:
    label: str
    ending: str
    answers: tuple[str, ...] = ("accepted",)
    """One message is sent for each: `accepted`, or the code of the error."""
    answer_kind: Kind = Kind.accepted
    """What the first answer means for the attempt."""
    receipts: tuple[Kind, ...] = (Kind.delivered,)
    replies: tuple[str, ...] = ()
    before_answer: bool = False
    """Whether the first receipt is heard before the answer."""
    at_least_seconds: float = 0.0
    """How long after the answer the first receipt comes."""


CASES = (
    Case("any other ending is delivered", "0123"),
    Case("a receipt comes late", "9901", at_least_seconds=4.0),
    Case("a receipt comes twice", "9902", receipts=(Kind.delivered, Kind.delivered)),
    Case("a receipt comes before the answer", "9903", before_answer=True),
    Case("a message cannot be delivered", "9904", receipts=(Kind.undelivered,)),
    Case("a number does not exist", "9905", ("invalid_number",) * 3, Kind.rejected, ()),
    Case("we are throttled twice", "9906", ("throttled", "throttled", "accepted"), Kind.refused),
    Case("no answer ever comes", "9907", ("no_answer",), Kind.uncertain, ()),
    Case("no receipt ever comes", "9908", receipts=()),
    Case("a contact replies STOP", "9909", replies=("STOP",)),
    Case("a contact replies with a digit", "9910", replies=("1",)),
    Case(
        "a contact replies with a sentence", "9911", replies=("Thank you. Could you write again tomorrow, after five?",)
    ),
)


@dataclass
class Ear:
    """Hears what a carrier tells, and when."""

    clock: Clock
    heard: list[tuple[datetime, Heard]] = field(default_factory=list)
    hearings: int = 0
    deaf_times: int = 0
    """How many more times to fail."""
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, heard: Sequence[Heard]) -> None:
        self.hearings += 1
        if self.deaf_times:
            self.deaf_times -= 1
            raise ConnectionError("the store is away")
        self.heard += [(self.clock.now(), item) for item in heard]
        self.more.set()

    async def until(self, number: int) -> None:
        """Wait until so many were heard; for real time, where nobody knows when."""
        async with asyncio.timeout(60):
            while len(self.heard) < number:
                self.more.clear()
                await self.more.wait()

    @property
    def receipts(self) -> list[Receipt]:
        return [item for _, item in self.heard if isinstance(item, Receipt)]

    @property
    def replies(self) -> list[Inbound]:
        return [item for _, item in self.heard if isinstance(item, Inbound)]


def outbound(reference: str, to: str, *, text: str = "Your order is ready.", campaign_id: str = "cd-1") -> Outbound:
    return Outbound(reference, to, "+15550100", text, 1, campaign_id)


async def answer_of(carrier: Carrier, message: Outbound) -> tuple[str, Kind, str]:
    """Send, and give the answer's code, its kind, and the carrier id of an acceptance."""
    try:
        accepted = await carrier.send(message)
    except SendError as error:
        return error.code, error.kind, ""
    assert isinstance(accepted, Accepted)
    assert accepted.segments == message.segments
    assert accepted.carrier_id
    return "accepted", Kind.accepted, accepted.carrier_id


async def check(case: Case, carrier: Carrier, ear: Ear, clock: Clock, *, within_seconds: float = 60.0) -> None:
    """Send to a number with the case's ending, and compare all that comes back. The carrier is open."""
    number = f"+1202555{case.ending}"
    answers = [await answer_of(carrier, outbound(f"ref-{i}", number)) for i in range(len(case.answers))]
    answered_at = clock.now()
    assert tuple(code for code, _, _ in answers) == case.answers
    assert answers[0][1] is case.answer_kind
    assert bool([heard_at for heard_at, _ in ear.heard if heard_at <= answered_at]) == case.before_answer

    await clock.sleep(within_seconds)

    reference, carrier_id = f"ref-{len(answers) - 1}", answers[-1][2]
    assert tuple(receipt.kind for receipt in ear.receipts) == case.receipts
    assert all(receipt.reference in {reference, ""} for receipt in ear.receipts)
    assert all(receipt.carrier_id == carrier_id for receipt in ear.receipts)
    assert all(bool(receipt.code) == (receipt.kind is Kind.undelivered) for receipt in ear.receipts)
    assert tuple(reply.text for reply in ear.replies) == case.replies
    assert all((reply.number, reply.sender) == (number, "+15550100") for reply in ear.replies)
    if case.receipts:
        assert ear.heard[0][0] >= answered_at + timedelta(seconds=case.at_least_seconds) or case.before_answer
