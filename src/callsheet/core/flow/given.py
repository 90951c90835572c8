"""What is given to a session: the inputs of a step, a closed family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from callsheet.core.flow.session import Plain
from callsheet.core.transferring import Transferred


@dataclass(frozen=True, slots=True)
class Reply:
    """The contact replied: a text, or the digits that were pressed."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimedOut:
    """What the session waited for did not come in time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class WebhookAnswered:
    """A webhook answered, whatever its status."""

    status: int
    body: Plain
    """Its JSON, or its text where it is none."""
    at: datetime


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Neither a webhook nor a model answered; the sentence says why."""

    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model wants a tool to be called."""

    id: str
    name: str
    arguments: Mapping[str, Plain]
    fault: str = ""
    """What is wrong with the arguments, in a sentence for the model; empty: nothing."""


@dataclass(frozen=True, slots=True)
class ModelAnswered:
    """A language model answered."""

    text: str
    calls: tuple[ToolCall, ...]
    tokens: int
    """Of question and answer together; 0: the endpoint did not say."""
    cost: float
    """In the currency of the endpoint's prices."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """Somebody of the queue closed the conversation."""

    disposition: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PutThrough:
    """A transfer is over: the two have talked, or could not."""

    outcome: Transferred
    at: datetime


Given: TypeAlias = Reply | TimedOut | WebhookAnswered | NoAnswer | ModelAnswered | Closed | PutThrough
