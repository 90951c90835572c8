"""Why a campaign has (not) contacted a person, as typed values."""

from __future__ import annotations

from datetime import datetime

from callsheet.client.record import Record
from callsheet.client.v1.contacts import Membership


class GateAnswer(Record, frozen=True):
    """What one gate says. `ruling` is passes, waits or stops; `sentence` is the same for people."""

    gate: str
    ruling: str
    reason: str
    until: datetime | None
    sentence: str


class WhyPlace(Record, frozen=True):
    """A row of the person in a contact list of the campaign, and what the gates say that depend on it."""

    list_id: str
    list_name: str
    contact_id: str
    priority: int
    zones: tuple[str, ...]
    filter: GateAnswer
    hours: GateAnswer
    next_at: datetime | None


class LatestRun(Record, frozen=True):
    """What the latest run did about the person."""

    run_id: str
    attempts: int
    state: str
    attempted_at: datetime | None
    suppressed: str
    suppressed_at: datetime | None


class Why(Record, frozen=True):
    """The answer of every gate, and what they come to. `next_at` None: the person is not contacted, as things stand."""

    number: str
    may_be_contacted: bool
    next_at: datetime | None
    gates: tuple[GateAnswer, ...]
    places: tuple[WhyPlace, ...]
    dnc_lists: tuple[Membership, ...]
    opted_out_at: datetime | None
    latest_run: LatestRun | None
