"""Pulls: a contact list that fetches its contacts from a URL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NotRequired, TypedDict, Unpack

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_PATH = "/v1/apps/{app}/contact-lists/{list_id}/pull"


class NewPull(TypedDict):
    """Where contacts come from, and how they are read; without an interval only when it is asked for."""

    url: str
    method: NotRequired[str]
    headers: NotRequired[Mapping[str, str]]
    body: NotRequired[str]
    content_type: NotRequired[str]
    items_path: NotRequired[str]
    mapping: NotRequired[Mapping[str, str]]
    interval_minutes: NotRequired[int | None]
    mode: NotRequired[str]


class Pull(Record, frozen=True):
    """Where the contacts of a list come from. Of the headers only the names are shown."""

    url: str
    method: str
    headers: tuple[str, ...]
    body: str
    content_type: str
    items_path: str
    mapping: dict[str, str]
    interval_minutes: int | None
    mode: str
    next_at: datetime | None
    is_running: bool
    failures: int
    """How many pulls in a row have failed."""
    updated_at: datetime


class PullEntry(Record, frozen=True):
    """A pull that was, and what it brought."""

    at: datetime
    state: str
    rows: int
    added: int
    updated: int
    rejected: int
    problem: str


class PulledRow(Record, frozen=True):
    """A contact as it would be stored."""

    number: str
    columns: dict[str, str]


class PulledReject(Record, frozen=True):
    """A row that would be rejected."""

    row: int
    reason: str
    message: str


class PullSample(Record, frozen=True):
    """What a pull would bring: the first contacts and rejects. `problem` says why there are none."""

    rows: tuple[PulledRow, ...]
    rejects: tuple[PulledReject, ...]
    problem: str


class Pulls(Resource[Mode]):
    """Pulls: a contact list that fetches its contacts from a URL."""

    @Single
    def put(self, list_id: str, **new: Unpack[NewPull]) -> Call[Pull]:
        """Let a list pull. With an interval it begins at once; what was set before is gone."""
        return Call("PUT", _PATH, Pull, {"list_id": list_id}, body={**new})

    @Single
    def get(self, list_id: str) -> Call[Pull]:
        """Return where the contacts of a list come from."""
        return Call("GET", _PATH, Pull, {"list_id": list_id})

    @Single
    def delete(self, list_id: str) -> Call[None]:
        """Let a list pull no more. Its contacts stay."""
        return Call("DELETE", _PATH, type(None), {"list_id": list_id})

    @Single
    def run(self, list_id: str) -> Call[Pull]:
        """Pull now. The log says what came of it."""
        return Call("POST", f"{_PATH}/run", Pull, {"list_id": list_id})

    @Single
    def test(self, list_id: str, new: NewPull | None = None) -> Call[PullSample]:
        """Show the first contacts that a plan brings, or without one the list's own. Nothing is stored."""
        return Call("POST", f"{_PATH}/test", PullSample, {"list_id": list_id}, body=new and {**new})

    @Paged
    def log(self, list_id: str, *, limit: int = 1000) -> Call[Page[PullEntry]]:
        """Give the pulls of the last 90 days, the latest first."""
        return Call("GET", f"{_PATH}/log", Page[PullEntry], {"list_id": list_id}, {"limit": limit})
