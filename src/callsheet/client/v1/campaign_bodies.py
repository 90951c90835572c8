"""What a campaign is made of, as a program writes it; type checkers know every field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict


class NewWindow(TypedDict):
    """A stretch of some days in which contact is allowed: `MO` to `SU`, times like `09:00`."""

    days: Sequence[str]
    start: str
    end: str


class NewHours(TypedDict):
    """When contact is allowed."""

    timezone: str
    windows: Sequence[NewWindow]


class NewMessage(TypedDict, total=False):
    """What is said: one of the three."""

    text: str
    template_id: str
    flow_id: str


class Detection(TypedDict, total=False):
    """What machine detection goes by, in seconds; what is not named is as usual."""

    decision_seconds: float
    no_speech_seconds: float
    greeting_completion_seconds: float
    tone_seconds: float
    pause_seconds: float
    person_seconds: float
    long_pause_seconds: float
    machine_seconds: float


class NewVoice(TypedDict):
    """How a voice campaign calls."""

    mode: str
    queue_id: NotRequired[str]
    max_skips: NotRequired[int]
    machine_detection: NotRequired[str]
    pacing_ratio: NotRequired[float]
    agent_mapping_id: NotRequired[str]
    detection: NotRequired[Detection]
    record_calls: NotRequired[bool]
    machine_sample_share: NotRequired[float | None]


class NewCondition(TypedDict):
    """One question about one column."""

    column: str
    operator: str
    values: NotRequired[Sequence[str]]


class NewFilter(TypedDict):
    """Which contacts of the lists are meant: those of whom all conditions hold, or any."""

    conditions: Sequence[NewCondition]
    match: NotRequired[str]


class NewCampaign(TypedDict):
    """A campaign to be."""

    name: str
    channel: str
    contact_list_ids: Sequence[str]
    sender: str
    calling_hours: NewHours
    description: NotRequired[str]
    dnc_list_ids: NotRequired[Sequence[str]]
    priority: NotRequired[int]
    message: NotRequired[NewMessage]
    voice: NotRequired[NewVoice]
    filter: NotRequired[NewFilter]
    order: NotRequired[str]
    max_attempts: NotRequired[int]
    retry_minutes: NotRequired[int]
    ring_seconds: NotRequired[int]
