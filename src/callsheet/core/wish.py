"""What a client asks for when it creates or replaces a campaign: names, not yet looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callsheet.core.campaign import Channel, MachineDetection, Mode, Order
from callsheet.core.errors import FieldError
from callsheet.core.filtering import Filter
from callsheet.core.hours import CallingHours
from callsheet.core.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Reference:
    """A thing by its name or its id; `path` is the field that said so, for the answer when there is no such thing."""

    path: str
    name: str | None = None
    id: str | None = None

    def __str__(self) -> str:
        """Return what the client said."""
        return self.name or self.id or ""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where what has no reference of its own stands in the request."""

    sender: str
    message: str
    filter: str
    schedule: Mapping[str, str] = field(default_factory=dict)
    """By the names of its fields."""


_SCHEDULE = {"start": "startDateTime", "end": "endDateTime", "rule": "recurrenceObject"}
DOCUMENTED = Paths(
    "dialingStrategy.callerId.phoneNumber",
    "message.message",
    "filter",
    {ours: f"schedule.{theirs}" for ours, theirs in _SCHEDULE.items()},
)
"""In the documented body, which has no word for a filter."""


@dataclass(frozen=True, slots=True)
class VoiceWish:
    """How a voice campaign is to call."""

    mode: Mode
    queue: Reference | None = None
    max_skips: int = 0
    machine_detection: MachineDetection = MachineDetection.no
    pacing_ratio: float | None = None
    agent_mapping: Reference | None = None
    detection: Mapping[str, float] = field(default_factory=dict)
    """What machine detection goes by where that is not the usual."""
    record_calls: bool = False
    machine_sample_share: float | None = None
    """Of which share of the calls what a machine said is kept; None: as the app says."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A campaign's definition as a client words it; every field was checked by itself.

    A wish with `faults` is never carried out. What it names is looked up all the same, so that one answer tells of
    wrong fields and of names that do not exist; fields that are wrong are empty in it.
    """

    name: str
    description: str
    channel: Channel
    contact_lists: tuple[Reference, ...]
    dnc_lists: tuple[Reference, ...]
    priority: int
    sender: str
    hours: CallingHours
    hours_document: Mapping[str, Any]
    format: str
    message: str | None = None
    template: Reference | None = None
    flow: Reference | None = None
    order: Order = Order.fifo
    max_attempts: int = 1
    retry_minutes: int = 10
    ring_seconds: int = 30
    voice: VoiceWish | None = None
    filter: Filter | None = None
    schedule: Schedule | None = None
    """When it starts by itself; none: when somebody starts it."""
    paths: Paths = DOCUMENTED
    faults: tuple[FieldError, ...] = ()
    """What is wrong with single fields."""
