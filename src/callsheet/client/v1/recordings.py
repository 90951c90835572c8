"""Recordings of calls: the whole of a call, what was answered in it, and what machine detection heard."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/recordings"
_ONE = "/v1/apps/{app}/recordings/{recording_id}"


class Recording(Record, frozen=True):
    """Something that was recorded of a call."""

    id: str
    attempt_id: str
    purpose: str
    seconds: float
    at: datetime
    until: datetime
    href: str


class Recordings(Resource[Mode]):
    """What was recorded of calls."""

    @Paged
    def list(
        self,
        *,
        run: str | None = None,
        campaign: str | None = None,
        purpose: str | None = None,
        person_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 1000,
    ) -> Call[Page[Recording]]:
        """Give recordings, the latest first; of calls that were dialed from `since` on, and before `until`."""
        query = {
            "run": run, "campaign": campaign, "purpose": purpose, "person_id": person_id,
            "from": since.isoformat() if since is not None else None,
            "to": until.isoformat() if until is not None else None, "limit": limit,
        }  # fmt: skip
        return Call("GET", _ALL, Page[Recording], query=query)

    @Single
    def save(self, recording_id: str, to: Path | BinaryIO) -> Call[None]:
        """Write what was recorded of a call into a file: a WAV, 8 kHz, mono, 16 bits."""
        return Call("GET", _ONE, type(None), {"recording_id": recording_id}, save_to=to)

    @Single
    def delete(self, recording_id: str) -> Call[None]:
        """Delete what was recorded of a call, before its time."""
        return Call("DELETE", _ONE, type(None), {"recording_id": recording_id})
