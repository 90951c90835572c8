"""DNC lists: numbers that are not contacted. Calls that forbid are effective when they answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from callsheet.client.call import Call, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/dnc-lists"
_ONE = "/v1/apps/{app}/dnc-lists/{list_id}"


class CreatedDncList(Record, frozen=True):
    """A DNC list that was just made."""

    id: str
    name: str


class DncList(CreatedDncList, frozen=True):
    """A DNC list."""

    is_global: bool
    """It spares its numbers in every campaign of the app."""
    size: int
    created_at: datetime


class RejectedNumber(Record, frozen=True):
    """What was given as a number, and the word that says why it is none."""

    number: str
    reason: str


class AddedNumbers(Record, frozen=True):
    """What came of numbers that were to be added."""

    added: int
    rejected: tuple[RejectedNumber, ...]


class RemovedNumbers(Record, frozen=True):
    """What came of numbers that were to be removed."""

    removed: int
    unknown: tuple[str, ...]


class ListedNumber(Record, frozen=True):
    """A number on a list, and how it came there."""

    id: str
    number: str
    source: str
    added_at: datetime


class FoundNumbers(Record, frozen=True):
    """Those of the numbers asked for that are on the list, and those that are not."""

    items: tuple[ListedNumber, ...]
    unknown: tuple[str, ...]


class DncLists(Resource[Mode]):
    """DNC lists: numbers that are not contacted."""

    @Single
    def create(self, name: str) -> Call[CreatedDncList]:
        """Create an empty list."""
        return Call("POST", _ALL, CreatedDncList, body=given(name=name))

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[DncList]]:
        """Give all lists."""
        return Call("GET", _ALL, Page[DncList], query={"limit": limit})

    @Single
    def get(self, list_id: str) -> Call[DncList]:
        """Return a list."""
        return Call("GET", _ONE, DncList, {"list_id": list_id})

    @Single
    def rename(self, list_id: str, name: str) -> Call[DncList]:
        """Give a list another name."""
        return Call("PATCH", _ONE, DncList, {"list_id": list_id}, body=given(name=name))

    @Single
    def delete(self, list_id: str) -> Call[None]:
        """Delete a list with its numbers, which may then be contacted."""
        return Call("DELETE", _ONE, type(None), {"list_id": list_id})

    @Single
    def make_global(self, list_id: str) -> Call[DncList]:
        """Let a list spare its numbers in every campaign, instead of the one that did."""
        return Call("POST", f"{_ONE}/make-global", DncList, {"list_id": list_id})

    @Single
    def add(self, list_id: str, numbers: Sequence[str]) -> Call[AddedNumbers]:
        """Forbid numbers. Nothing leaves for them once this has answered."""
        return Call("POST", f"{_ONE}/numbers", AddedNumbers, {"list_id": list_id}, body=given(numbers=numbers))

    @Single
    def remove(self, list_id: str, numbers: Sequence[str]) -> Call[RemovedNumbers]:
        """Take numbers off a list."""
        return Call("POST", f"{_ONE}/numbers/remove", RemovedNumbers, {"list_id": list_id}, body=given(numbers=numbers))

    @Single
    def find(self, list_id: str, numbers: Sequence[str]) -> Call[FoundNumbers]:
        """Say which numbers are on a list."""
        return Call("POST", f"{_ONE}/numbers/find", FoundNumbers, {"list_id": list_id}, body=given(numbers=numbers))

    @Paged
    def numbers(self, list_id: str, *, limit: int = 1000) -> Call[Page[ListedNumber]]:
        """Give the numbers of a list."""
        return Call("GET", f"{_ONE}/numbers", Page[ListedNumber], {"list_id": list_id}, {"limit": limit})

    @Single
    def save(self, list_id: str, to: Path | BinaryIO, *, bom: bool = False) -> Call[None]:
        """Write the numbers of a list into a file, as CSV; `bom` is for spreadsheets that ask for it."""
        names, query = {"list_id": list_id}, {"bom": bom}
        return Call("GET", f"{_ONE}/numbers.csv", type(None), names, query, save_to=to)
