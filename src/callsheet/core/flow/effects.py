"""What follows from a step: the effects, a closed family. The engine does them, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from callsheet.core.flow.session import Plain, Session


@dataclass(frozen=True, slots=True)
class Say:
    """Say something to the contact; what is said in one step goes as one message."""

    block: str
    """The uuid of the block."""
    text: str
    audio: str = ""
    """In a call: the name, or the id, of the sound that is played instead."""
    most_digits: int = 0
    """In a call: so many digits are listened to, 0: as many as come."""
    listens_seconds: int = 0
    """In a call: so long a spoken answer is recorded, 0: none is."""
    ends_with: str = "#"
    """In a call: each of these keys ends what is pressed, or recorded, and is no part of it."""


@dataclass(frozen=True, slots=True)
class SetProperty:
    """Write a column of the contact."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SetGroup:
    """Make the contact a member of a group, or not any more."""

    key: str
    name: str
    is_member: bool


@dataclass(frozen=True, slots=True)
class LeaveGroups:
    """Take the contact out of all groups."""


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """Call a URL and give the session a `WebhookAnswered` or `NoAnswer`."""

    block: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: Plain
    """None: there is none."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Tool:
    """What a model may ask for."""

    name: str
    description: str
    parameters: Mapping[str, Plain]
    """A JSON Schema."""


@dataclass(frozen=True, slots=True)
class AskModel:
    """Ask a language model and give the session a `ModelAnswered` or `NoAnswer`."""

    block: str
    endpoint: str
    """The name under which the app knows it."""
    model: str
    """Empty: the endpoint's usual one."""
    messages: Sequence[Mapping[str, Plain]]
    """As the chat completions API takes them."""
    tools: tuple[Tool, ...]
    seconds: float
    most_tokens: int
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """Put the conversation into a queue, and give the session a `Closed` when somebody closes it."""

    block: str
    queue: str
    note: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """In a call: put the caller through to somebody else, and give the session a `PutThrough`."""

    block: str
    to: str
    """A telephone number, or a SIP address; empty: the number of the queue."""
    queue: str
    """The name of a queue; empty: the app's default one."""
    answer_seconds: int
    """So long the other side's phone may ring."""
    waiting_text: str = ""
    """What the caller hears meanwhile, again and again; without it, and without a sound: ringing."""
    waiting_audio: str = ""
    """The name, or the id, of the sound that is played instead."""


@dataclass(frozen=True, slots=True)
class Dispose:
    """Write down how the conversation went."""

    disposition: str


@dataclass(frozen=True, slots=True)
class AwaitBeep:
    """In a call: say nothing before the beep of a machine, or silence, or until so many seconds are over."""

    block: str
    longest_seconds: float


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up; of a text conversation nothing is left to do."""


Effect: TypeAlias = (
    Say
    | SetProperty
    | SetGroup
    | LeaveGroups
    | CallWebhook
    | AskModel
    | HandOver
    | Transfer
    | Dispose
    | AwaitBeep
    | EndCall
)


class Visit(NamedTuple):
    """A block was come to, and waits; or was left. Sessions are explained by them."""

    no: int
    """Of its session, from 1."""
    flow: str
    block: str
    name: str
    kind: str
    at: datetime
    exit: str = ""
    """The name of the exit by which it was left; empty: it waits."""
    has_left: bool = True
    value: Plain = None
    response: str | None = None
    is_question: bool = False
    """What was collected belongs to the results."""
    why: str = ""
    """What was amiss, or how it was chosen."""


class Step(NamedTuple):
    """What a step made of a session."""

    session: Session
    effects: tuple[Effect, ...]
    """What is to be done, in this order."""
    visits: tuple[Visit, ...]
    """How it came to that."""
