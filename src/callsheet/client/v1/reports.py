"""What a run answers: its outcome in numbers, its attempts, and its reports."""

from __future__ import annotations

from datetime import datetime

from callsheet.client.record import Record


class RestoredFrom(Record, frozen=True):
    """Which backup a run came out of, and when somebody looked at it."""

    backup_at: datetime
    restored_at: datetime
    acknowledged_at: datetime | None


class HeldBy(Record, frozen=True):
    """A limit that has no room now. `what` is the id of a sender or a trunk, `reason` is `daily_cap`."""

    reason: str
    what: str
    until: datetime


class Run(Record, frozen=True):
    """One execution of a campaign."""

    id: str
    campaign_id: str
    campaign_name: str
    channel: str
    status: str
    execution: str
    """`NORMAL` or `EMERGENCY`."""
    reason: str
    """Why it was begun: an emergency has a reason, other runs have none."""
    started_at: datetime
    ended_at: datetime | None
    contacts: int
    trunk_trouble: str
    """Why its trunk takes no messages while it is Active; empty: it does."""
    held_by: HeldBy | None
    """Which limit keeps all its messages back now; None: none does."""
    restored: RestoredFrom | None


class LeftGroup(Record, frozen=True):
    """Contacts of a list that were not taken yet, and whether their hours are open: not in a run that has ended."""

    list_id: str
    list_name: str
    zones: tuple[str, ...]
    priority: int
    contacts: int
    open: bool
    next_open_at: datetime | None


class WaitingContacts(Record, frozen=True):
    """Contacts that wait for a reason."""

    reason: str
    contacts: int
    earliest_at: datetime | None


class Outcome(Record, frozen=True):
    """How many contacts of a run stand how; every one is counted once."""

    delivered: int
    undelivered: int
    accepted: int
    """The carrier has them; no receipt has come."""
    rejected: int
    rejected_unsent: dict[str, int]
    """Those of the rejected that no carrier saw, by reason."""
    uncertain: int
    suppressed: dict[str, int]
    """By reason."""
    duplicate: int
    in_flight: int
    left: tuple[LeftGroup, ...]
    waiting: tuple[WaitingContacts, ...]


class Effort(Record, frozen=True):
    """What a run cost."""

    attempts: int
    refused: int
    withdrawn: int
    segments: int
    segments_unknown: int


class RunReport(Run, frozen=True):
    """A run with its outcome."""

    outcome: Outcome
    effort: Effort


class AttemptEvent(Record, frozen=True):
    """Something that happened to an attempt."""

    kind: str
    at: datetime
    code: str
    carrier_id: str
    segments: int


class Attempt(Record, frozen=True):
    """One try to reach one contact."""

    id: str
    number: str
    contact_id: str
    n: int
    at: datetime
    state: str
    sender: str
    """The caller ID through which it went."""
    events: tuple[AttemptEvent, ...]


class Suppression(Record, frozen=True):
    """A contact that was not contacted, and why."""

    contact_id: str
    number: str
    reason: str
    at: datetime


class TimelinePoint(Record, frozen=True):
    """What happened from one instant to the next point."""

    at: datetime
    accepted: int
    delivered: int
    undelivered: int
    rejected: int
    refused: int
    uncertain: int


class Timeline(Record, frozen=True):
    """What happened, by time."""

    step: str
    points: tuple[TimelinePoint, ...]


class DispositionRow(Record, frozen=True):
    """How many contacts ended in one way; `by_attempts` counts them by how often they were tried."""

    disposition: str
    contacts: int
    by_attempts: dict[str, int]
    outcome: str = ""
    """Of calls: `human`, `busy`, `no_answer`..."""
    word: str = ""
    """Of calls: the same in the words of the documented dashboard."""
    said: str = ""
    """Of calls: the disposition that the flow gave it."""


class Dispositions(Record, frozen=True):
    """How many contacts ended how."""

    contacts: int
    rows: tuple[DispositionRow, ...]


class CodeRow(Record, frozen=True):
    """How often the carrier said one thing."""

    kind: str
    code: str
    attempts: int


class Codes(Record, frozen=True):
    """How often the carrier said what."""

    items: tuple[CodeRow, ...]
