"""Campaigns: a purpose, an audience, a message, and the rules of when and how fast; their states and legal moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from callsheet.core.errors import WrongState
from callsheet.core.filtering import Filter
from callsheet.core.hours import CallingHours
from callsheet.core.schedule import Plan

MAX_NAME_CHARACTERS = 48
MAX_DESCRIPTION_CHARACTERS = 256
MAX_CONTACT_LISTS = 10
MOST_ATTEMPTS = 100
MOST_RETRY_MINUTES = 1440
LEAST_RING_SECONDS, MOST_RING_SECONDS = 5, 120
USUAL_PACING_RATIO, MOST_PACING_RATIO = 2, 10
MOST_SKIPS = 1000
MOST_VOICE_CAMPAIGNS = 50
"""At the same time, unless the app says otherwise."""
AGENTLESS_CONCURRENT_CALLS, MOST_AGENTLESS_CONCURRENT_CALLS = 10, 1000
"""Calls without an agent that go on at the same time: unless the app says otherwise, and at most."""
LOWEST_PRIORITY, HIGHEST_PRIORITY = 1, 5


class Channel(StrEnum):
    """How the contact is reached."""

    sms = "sms"
    voice = "voice"


class Status(StrEnum):
    """The documented states of a campaign, spelled as on the wire."""

    preparing = "Preparing"
    ready = "Ready"
    scheduled = "Scheduled"
    active = "Active"
    paused = "Paused"
    stopped = "Stopped"
    completed = "Completed"
    rescheduled = "Rescheduled"


class Move(StrEnum):
    """What a user, or the engine, can do with a campaign."""

    edit = "edit"
    delete = "delete"
    start = "start"
    pause = "pause"
    resume = "resume"
    rerun = "rerun"
    emergency = "emergency"
    """To start as an emergency, which waits for no schedule."""
    stop = "stop"
    complete = "complete"
    """To end with nothing left to do, or because the time of its occurrence is over."""
    come_due = "come_due"
    """To start because the schedule says so."""


_IDLE = (Status.ready, Status.stopped, Status.completed)
_MOVES: Mapping[Move, Mapping[Status, Status]] = {
    Move.edit: dict.fromkeys(_IDLE, Status.ready),
    Move.delete: {status: status for status in Status if status not in (Status.active, Status.paused)},
    Move.start: {
        **dict.fromkeys(_IDLE, Status.active),
        Status.paused: Status.active,
        Status.active: Status.active,
    },
    Move.rerun: dict.fromkeys(_IDLE, Status.active),
    Move.emergency: dict.fromkeys((*_IDLE, Status.scheduled, Status.rescheduled), Status.active),
    Move.pause: {Status.active: Status.paused, Status.paused: Status.paused},
    Move.resume: {Status.paused: Status.active, Status.active: Status.active},
    Move.stop: {Status.active: Status.stopped, Status.paused: Status.stopped, Status.stopped: Status.stopped},
    Move.complete: dict.fromkeys((Status.active, Status.paused), Status.completed),
    Move.come_due: dict.fromkeys((Status.scheduled, Status.rescheduled), Status.active),
}
_DONE: Mapping[Move, str] = {
    Move.edit: "edited",
    Move.delete: "deleted",
    Move.start: "started",
    Move.pause: "paused",
    Move.resume: "resumed",
    Move.rerun: "run again",
    Move.emergency: "run as an emergency",
    Move.stop: "stopped",
    Move.complete: "completed",
    Move.come_due: "started by its schedule",
}
_HELP: Mapping[Status, str] = {
    **dict.fromkeys((Status.active, Status.paused), "Stop it first."),
    **dict.fromkeys(_IDLE, "It is not running: a start call starts it."),
    Status.preparing: "Wait until it is Ready.",
    **dict.fromkeys(
        (Status.scheduled, Status.rescheduled), "It starts by itself at its time, unless its schedule is disabled."
    ),
}
"""What helps where a move is refused."""


def after(move: Move, status: Status) -> Status:
    """Return the state after a move.

    A move that changes nothing (start on an Active campaign) returns the same state.
    Raises WrongState when the documented lifecycle does not allow it.
    """
    legal = _MOVES[move]
    if status not in legal:
        raise WrongState(f"This campaign is {status} and cannot be {_DONE[move]} now. {_HELP[status]}")
    return legal[status]


def scheduled(status: Status) -> Status:
    """Return the state after a schedule was given: a run that is on, and what is being prepared, come first."""
    return status if status in _BUSY else Status.scheduled


def unscheduled(status: Status) -> Status:
    """Return the state after the schedule was taken away."""
    return Status.ready if status in _WAITING else status


def lapsed(status: Status) -> Status:
    """Return the state after the last occurrence passed without a run: one that never ran can still be started."""
    return {Status.scheduled: Status.ready, Status.rescheduled: Status.completed}.get(status, status)


_BUSY = (Status.active, Status.paused, Status.preparing)
_WAITING = (Status.scheduled, Status.rescheduled)


class Order(StrEnum):
    """In what order a list is walked."""

    fifo = "FIFO"
    lifo = "LIFO"


class UncertainPolicy(StrEnum):
    """What to do with an attempt that nobody can know about: show it, or try again at the risk of a second message."""

    at_most_once = "at_most_once"
    at_least_once = "at_least_once"


@dataclass(frozen=True, slots=True)
class Named:
    """A thing that a campaign refers to: its number in the store, public id and name."""

    no: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """What is sent: the text as received, echoed unchanged, and where the text to send comes from."""

    received: str | None = None
    """`message.message` as the client sent it."""
    template: Named | None = None
    template_version: int = 0
    flow: Named | None = None
    flow_version: int = 0


class Mode(StrEnum):
    """How calls are placed, spelled as on the wire."""

    agentless = "Agentless"
    progressive = "Progressive"
    preview = "Preview"
    power = "Power"


class MachineDetection(StrEnum):
    """What to do when a machine answers: nothing is looked for, the flow is told, or the call ends."""

    no = "no"
    detect = "detect"
    disconnect = "disconnect"


@dataclass(frozen=True, slots=True)
class VoicePlan:
    """How a voice campaign calls. Agentless calls go to the flow of the message plan, the others to a queue."""

    mode: Mode
    queue: Named | None = None
    max_skips: int = 0
    """Preview: how often a record may be skipped."""
    machine_detection: MachineDetection = MachineDetection.no
    pacing_ratio: float | None = None
    """Power: calls for each free agent."""
    agent_mapping: Named | None = None
    """Which agent a customer belongs to; none: nobody said."""
    detection: Mapping[str, float] = field(default_factory=dict)
    """What machine detection goes by where that is not the usual: see `Thresholds`."""
    record_calls: bool = False
    """Both sides of each call are recorded, from the answer to the end."""
    machine_sample_share: float | None = None
    """Of which share of the calls what a machine said is kept, 0 to 1; None: as the app says."""


@dataclass(frozen=True, slots=True)
class Definition:
    """Everything that PUT replaces. A run pins the version of it."""

    name: str
    description: str
    channel: Channel
    contact_lists: tuple[Named, ...]
    dnc_lists: tuple[Named, ...]
    """Those that the campaign names; the app's global list applies besides."""
    priority: int
    sender: str
    """The caller ID that the contact sees."""
    hours: CallingHours
    hours_document: Mapping[str, Any]
    """The calling hours as received, echoed unchanged."""
    message: MessagePlan
    format: str = "simple"
    order: Order = Order.fifo
    max_attempts: int = 1
    retry_minutes: int = 10
    ring_seconds: int = 30
    voice: VoicePlan | None = None
    """Only of voice campaigns."""
    filter: Filter | None = None
    """Which contacts of the lists are meant; none: all."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it stands."""

    app: int
    no: int
    id: str
    status: Status
    version: int
    definition: Definition
    created_at: datetime
    updated_at: datetime
    run_no: int | None = None
    run_id: str | None = None
    run_updated_at: datetime | None = None
    sent: int = 0
    """Messages that a carrier took in the latest run."""
    emergency: bool = False
    """The latest run was begun as an emergency: it is not paused."""
    plan: Plan | None = None
    """Its schedule, if it has one."""

    @property
    def waits(self) -> bool:
        """Tell whether it starts again by itself."""
        return self.plan is not None and self.plan.next_at is not None
