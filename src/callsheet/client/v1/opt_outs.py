"""Opt-outs: people who do not want to hear from the app."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/opt-outs"


class OptOut(Record, frozen=True):
    """Somebody who opted out; `source` says by what."""

    id: str
    number: str
    """Empty when no list has it any more; the opt-out holds all the same."""
    channel: str
    source: str
    added_at: datetime


class AddedOptOuts(Record, frozen=True):
    """What came of people who were to be opted out; `rejected` is no phone number."""

    added: int
    rejected: tuple[str, ...]


class RemovedOptOuts(Record, frozen=True):
    """What came of opt-outs that were to be taken back; `unknown` were not opted out."""

    removed: int
    unknown: tuple[str, ...]


class OptOuts(Resource[Mode]):
    """Opt-outs: people who do not want to hear from the app."""

    @Paged
    def list(self, *, channel: str | None = None, source: str | None = None, limit: int = 1000) -> Call[Page[OptOut]]:
        """Give who opted out; `source` doubt: who may not have meant it."""
        return Call("GET", _ALL, Page[OptOut], query={"channel": channel, "source": source, "limit": limit})

    @Single
    def add(self, numbers: Sequence[str], *, channel: Given[str] = UNSET) -> Call[AddedOptOuts]:
        """Opt people out. Nothing leaves for them once this has answered."""
        return Call("POST", _ALL, AddedOptOuts, body=given(numbers=numbers, channel=channel))

    @Single
    def remove(self, numbers: Sequence[str], reason: str, *, channel: Given[str] = UNSET) -> Call[RemovedOptOuts]:
        """Take opt-outs back; the reason is kept."""
        body = given(numbers=numbers, reason=reason, channel=channel)
        return Call("POST", f"{_ALL}/remove", RemovedOptOuts, body=body)
