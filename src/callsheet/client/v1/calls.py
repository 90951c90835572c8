"""Calls: what became of each, what happened in it, and what was recorded of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from callsheet.client.call import Call, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/calls"


class Recording(Record, frozen=True):
    """Something that was recorded of a call."""

    id: str
    purpose: str
    seconds: float
    at: datetime
    until: datetime
    href: str


class Clearing(Record, frozen=True):
    """How a call ended, as the network says it."""

    cause: int
    sip_status: int
    words: str


class PlacedCall(Record, frozen=True):
    """A call."""

    attempt_id: str
    person_id: str
    number: str
    run_id: str
    campaign_id: str
    trunk_id: str
    node: str
    dialed_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    ring_seconds: float | None
    talk_seconds: float | None
    outcome: str | None
    ended_by: str
    clearing: Clearing
    detection: Mapping[str, Any]
    conversation_id: str
    recordings: tuple[Recording, ...]


class Moment(Record, frozen=True):
    """Something that happened in a call."""

    at: datetime
    what: str
    facts: Mapping[str, Any]


class WholeCall(PlacedCall, frozen=True):
    """A call with all that happened in it."""

    timeline: tuple[Moment, ...]


class Calls(Resource[Mode]):
    """Calls: what became of each, and what happened in it."""

    @Paged
    def list(
        self,
        *,
        run: str | None = None,
        campaign: str | None = None,
        outcome: str | None = None,
        person_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 1000,
    ) -> Call[Page[PlacedCall]]:
        """Give calls, the latest first; those that were dialed from `since` on, and before `until`."""
        query = {
            "run": run, "campaign": campaign, "outcome": outcome, "person_id": person_id,
            "from": since.isoformat() if since is not None else None,
            "to": until.isoformat() if until is not None else None, "limit": limit,
        }  # fmt: skip
        return Call("GET", _ALL, Page[PlacedCall], query=query)

    @Paged
    def find(self, number: str, *, limit: int = 1000) -> Call[Page[PlacedCall]]:
        """Give the calls to a number, the latest first."""
        return Call("POST", f"{_ALL}/find", Page[PlacedCall], query={"limit": limit}, body=given(number=number))

    @Single
    def get(self, attempt_id: str) -> Call[WholeCall]:
        """Return the call of an attempt, with all that happened in it."""
        return Call("GET", f"{_ALL}/{{attempt_id}}", WholeCall, {"attempt_id": attempt_id})

    @Single
    def recording(self, recording_id: str, to: Path | BinaryIO) -> Call[None]:
        """Write what was recorded of a call into a file: a WAV, 8 kHz, mono, 16 bits."""
        names = {"recording_id": recording_id}
        return Call("GET", "/v1/apps/{app}/recordings/{recording_id}", type(None), names, save_to=to)
