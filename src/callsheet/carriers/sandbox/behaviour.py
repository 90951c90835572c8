"""How a simulated handset behaves: the last four digits of its number say it, as data.

Nothing here asks the time or rolls dice of its own: `plan` takes the dice as an argument, so that the same
seed gives the same answers, receipts and replies.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from callsheet.carriers.base import InvalidNumber, SendError, Throttled
from callsheet.core.attempt import Kind

REPLY: Final = "reply"
"""The kind of a telling that is a message from the handset; every other kind is a receipt's."""

_ENDING_DIGITS = 4


class FirstReceipt(StrEnum):
    """When the first receipt comes."""

    before_answer = "before_answer"
    usual = "usual"
    late = "late"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a number does with a message; without arguments: takes it, and confirms it once."""

    refused_as: type[SendError] | None = None
    """The answer while the message is not taken."""
    refused_times: int | None = None
    """How many messages to the number are refused, all runs together, before it takes one; None: all."""
    answered: bool = True
    """Whether a message that was taken gets an answer."""
    receipts: tuple[Kind, ...] = (Kind.delivered,)
    """What is told about a message that was taken, in this order."""
    pace: FirstReceipt = FirstReceipt.usual
    reply: str | None = None
    """What the handset writes back after its last receipt."""


DELIVERED: Final = Behaviour()

BY_ENDING: Final[Mapping[str, Behaviour]] = MappingProxyType(
    {
        "9901": Behaviour(pace=FirstReceipt.late),
        "9902": Behaviour(receipts=(Kind.delivered, Kind.delivered)),
        "9903": Behaviour(pace=FirstReceipt.before_answer),
        "9904": Behaviour(receipts=(Kind.undelivered,)),
        "9905": Behaviour(refused_as=InvalidNumber),
        "9906": Behaviour(refused_as=Throttled, refused_times=2),
        "9907": Behaviour(answered=False, receipts=()),
        "9908": Behaviour(receipts=()),
        "9909": Behaviour(reply="STOP"),
        "9910": Behaviour(reply="1"),
        "9911": Behaviour(reply="Thank you. Could you write again tomorrow, after five?"),
    }
)
"""The endings that misbehave; any other ending is delivered."""

UNDELIVERED_CODE: Final = "handset_unreachable"
"""Why the simulated network could not deliver."""


def behaviour_of(number: str) -> Behaviour:
    """Give the behaviour of a number, whatever country it is from."""
    return BY_ENDING.get(number[-_ENDING_DIGITS:], DELIVERED)


Span = tuple[float, float]
"""The least and the most of something drawn evenly."""


@dataclass(frozen=True, slots=True)
class Timings:
    """How long the simulated network takes."""

    answer_seconds: Span = (0.002, 0.020)
    """From taking or refusing a message to the answer."""
    receipt_seconds: Span = (0.1, 0.6)
    """From the answer to the receipt, and from a receipt to its repetition."""
    late_seconds: float = 5.0
    """What a late receipt takes longer than a usual one."""
    reply_seconds: float = 1.0
    """From the last receipt to the handset's reply."""
    give_up_seconds: float = 10.0
    """How long a message without an answer is waited for before it counts as not answered."""


class Planned(NamedTuple):
    """Something that will be told about a message."""

    after_seconds: float
    """Counted from the acceptance."""
    kind: str
    """A receipt's kind, or `reply`."""
    text: str
    """The code of a receipt, or the words of a reply."""


class Plan(NamedTuple):
    """What will happen to one message."""

    answer_seconds: float
    tellings: tuple[Planned, ...]


def plan(behaviour: Behaviour, timings: Timings, rng: random.Random) -> Plan:
    """Draw how long one message takes, and what will be told about it and when."""
    answer_seconds = rng.uniform(*timings.answer_seconds)
    tellings: list[Planned] = []
    after_seconds = answer_seconds + (timings.late_seconds if behaviour.pace is FirstReceipt.late else 0.0)
    for kind in behaviour.receipts:
        early = behaviour.pace is FirstReceipt.before_answer and not tellings
        after_seconds = 0.0 if early else after_seconds + rng.uniform(*timings.receipt_seconds)
        tellings.append(Planned(after_seconds, kind, UNDELIVERED_CODE if kind is Kind.undelivered else ""))
    if behaviour.reply is not None:
        tellings.append(Planned(after_seconds + timings.reply_seconds, REPLY, behaviour.reply))
    return Plan(answer_seconds, tuple(tellings))
