"""A session: where a contact stands in a flow. A value that can be stored, replayed and explained step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"
"""What JSON can say."""


class Mode(StrEnum):
    """By what a flow speaks (FLOIP, "supported modes")."""

    sms = "SMS"
    text = "TEXT"
    ivr = "IVR"


class Awaits(StrEnum):
    """For what a session waits."""

    nothing = "nothing"
    """It has ended."""
    reply = "reply"
    webhook = "webhook"
    model = "model"
    """For the answer of a language model."""
    person = "person"
    """For somebody of a queue, who closes the conversation."""
    transfer = "transfer"
    """In a call: for the end of a transfer."""


class Ending(StrEnum):
    """How a session ended."""

    done = "done"
    """The flow came to its end."""
    silent = "silent"
    """Nobody replied in time."""
    failed = "failed"
    """Something went wrong, and neither a default exit nor an exit block was there."""
    opted_out = "opted_out"
    replaced = "replaced"
    """A newer conversation with the same sender took its place."""
    closed = "closed"
    """Somebody closed it."""
    hung_up = "hung_up"
    """The contact hung up, or the line broke, while the flow went on."""


LONGEST_KEPT: Final = 2000
"""Of a longer text that a block collected its result keeps so many characters; the visit has it all."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a block collected; a text has at most LONGEST_KEPT characters."""

    value: Plain
    response: str | None
    """What the contact replied, as they wrote it."""
    block: str
    exit: str
    """The name of the exit by which it was left."""
    entered_at: datetime
    exited_at: datetime
    facts: Mapping[str, Plain] = field(default_factory=dict)
    """What else stands under its name: the `status` of a webhook, say."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A flow that runs: the outer one waits while another runs in it."""

    flow: str
    """Its uuid."""
    block: str
    """The uuid of the block in which it is."""
    began_at: datetime
    entered_at: datetime
    """When it came to the block."""
    results: Mapping[str, Result] = field(default_factory=dict)
    """By the names of the blocks."""
    child: Mapping[str, Result] = field(default_factory=dict)
    """The results of the flow that ran in it last."""
    memory: Plain = None
    """What its block keeps in mind while it waits."""
    is_exiting: bool = False
    """It is on the way from its exit block, which is gone once."""
    child_flow: str = ""
    """The uuid of the flow that ran in it last."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session with one contact."""

    language: str
    mode: Mode
    contact: Mapping[str, str]
    """The columns of the contact by the headers of its list, as they were at the beginning, and what the flow set."""
    number: str
    """The contact's number in E.164."""
    groups: Mapping[str, str]
    """The groups of the contact: names by keys."""
    frames: tuple[Frame, ...]
    """The flows that run, the outermost first; none: it has ended."""
    awaits: Awaits
    visits: int
    """How many visits it has made."""
    replies: int = 0
    """How many replies it took."""
    silences: int = 0
    """How often in a row nobody replied in time."""
    wakes_at: datetime | None = None
    """When it is to be told that nobody replied in time; None: never."""
    ending: Ending | None = None
    why: str = ""
    """Why it ended so."""
    trigger: str = ""
    """What the contact wrote that began it; empty: we began."""
    disposition: str = ""
    written: tuple[str, ...] = ()
    """The columns that the flow set: they may hold what the contact wrote."""
    queue: str = ""
    """The name of the queue that it was handed over to last."""
    zone: str = ""
    """Whose clocks NOW() and TODAY() read where the contact has no zone of its own; empty: those of UTC."""
    answered_by: str = ""
    """Who answered the call: `human`, `machine` or `unsure`; empty: it is no call."""

    @property
    def is_unasked(self) -> bool:
        """Tell whether silence led here: nobody has asked for what is said now."""
        return self.silences > 0
