"""What the documented answers have in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from callsheet.client.record import Record

T = TypeVar("T")


class Envelope(Record, Generic[T], frozen=True):
    """The ordinary answer. Some calls have no message."""

    status: str
    data: T
    message: str = ""


class Message(Record, frozen=True):
    """The answer of calls that say no more than a documented sentence; what they did is durable when it comes."""

    message: str
