"""Calls: what became of each, what happened in it, and whether it is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from callsheet.client.call import Call, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record
from callsheet.client.v1.recordings import Recording

_ALL = "/v1/apps/{app}/calls"
_RECORDING = "/v1/apps/{app}/calls/{attempt_id}/recording"


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
    recording: str
    """How the recording of the whole call stands: `off`, `asked`, `on`, `kept` or `failed`."""
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
        live: bool | None = None,
        person_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 1000,
    ) -> Call[Page[PlacedCall]]:
        """Give calls, the latest first; those that were dialed from `since` on, and before `until`."""
        query = {
            "run": run, "campaign": campaign, "outcome": outcome, "live": live, "person_id": person_id,
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
    def hang_up(self, attempt_id: str) -> Call[PlacedCall]:
        """End a call that goes on, or that rings; its record says `us` in `ended_by`."""
        return Call("POST", f"{_ALL}/{{attempt_id}}/hangup", PlacedCall, {"attempt_id": attempt_id})

    @Single
    def record(self, attempt_id: str) -> Call[PlacedCall]:
        """Record both sides of a call that goes on, from now on, or from when it is answered."""
        return Call("POST", _RECORDING, PlacedCall, {"attempt_id": attempt_id})

    @Single
    def stop_recording(self, attempt_id: str) -> Call[PlacedCall]:
        """Record a call no longer; what was recorded is kept."""
        return Call("DELETE", _RECORDING, PlacedCall, {"attempt_id": attempt_id})
