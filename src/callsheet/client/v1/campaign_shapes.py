"""What the API shows of a campaign."""

from __future__ import annotations

from datetime import datetime

from callsheet.client.record import Record


class Link(Record, frozen=True):
    """A thing that the campaign names."""

    id: str
    name: str


class Window(Record, frozen=True):
    """A stretch of some days in which contact is allowed."""

    days: tuple[str, ...]
    start: str
    end: str


class Hours(Record, frozen=True):
    """When contact is allowed."""

    timezone: str
    windows: tuple[Window, ...]


class Message(Record, frozen=True):
    """What is said."""

    text: str | None
    template: Link | None
    flow: Link | None


class Voice(Record, frozen=True):
    """How a voice campaign calls."""

    mode: str
    queue: Link | None
    max_skips: int
    machine_detection: str
    pacing_ratio: float | None
    agent_mapping: Link | None
    detection: dict[str, float]
    """What machine detection goes by, in seconds."""
    record_calls: bool
    machine_sample_share: float | None


class Condition(Record, frozen=True):
    """One question about one column."""

    column: str
    operator: str
    values: tuple[str, ...]


class Filter(Record, frozen=True):
    """Which contacts of the lists are meant."""

    match: str
    conditions: tuple[Condition, ...]


class LatestRun(Record, frozen=True):
    """The run that goes on, or that ended last."""

    id: str
    execution: str
    sent: int
    updated_at: datetime | None


class NextStart(Record, frozen=True):
    """What a campaign shows of its schedule."""

    next_at: datetime | None
    """None: it starts the campaign no more."""


class Campaign(Record, frozen=True):
    """A campaign as it stands."""

    id: str
    name: str
    description: str
    channel: str
    status: str
    version: int
    contact_lists: tuple[Link, ...]
    dnc_lists: tuple[Link, ...]
    priority: int
    sender: str
    calling_hours: Hours
    message: Message
    voice: Voice | None
    filter: Filter | None
    order: str
    max_attempts: int
    retry_minutes: int
    ring_seconds: int
    run: LatestRun | None
    schedule: NextStart | None
    created_at: datetime
    updated_at: datetime


class Finding(Record, frozen=True):
    """What somebody should look at before a campaign starts."""

    field: str
    message: str


class FoundCampaign(Campaign, frozen=True):
    """A campaign, with what to look at before it starts."""

    findings: tuple[Finding, ...]


class TriedFilter(Record, frozen=True):
    """What a filter comes to, on the contacts that were looked at."""

    contacts: int
    looked_at: int
    accepted: int
    exact: bool
    columns: dict[str, tuple[str, ...]]


class Prompt(Record, frozen=True):
    """One thing that a contact would hear, and what says it."""

    block: str
    text: str
    sound: str | None
    language: str
    service: str | None
    voice: str | None
    seconds: float
    problem: str | None


class Reading(Record, frozen=True):
    """What a contact would read, or hear, or why there is nothing."""

    contact_id: str
    number: str
    text: str | None
    segments: int
    problem: str | None
    prompts: tuple[Prompt, ...]


class Readings(Record, frozen=True):
    """What the first contacts would read."""

    items: tuple[Reading, ...]


class CampaignTotals(Record, frozen=True):
    """What all runs of a campaign came to."""

    runs: int
    sent: int
    delivered: int
    undelivered: int
    accepted: int
    rejected: int
    uncertain: int
    suppressed: dict[str, int]
    """By reason."""
    delivery_rate: float | None
    delivered_24_hours: int
    delivered_7_days: int
    delivered_30_days: int
