"""Contact lists, and the contacts on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from msgspec import UNSET

from callsheet.client.call import Call, Given, JsonObject, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/contact-lists"
_ONE = "/v1/apps/{app}/contact-lists/{list_id}"


class CampaignReference(Record, frozen=True):
    """A campaign that a list is linked to."""

    id: str
    name: str


class ContactList(Record, frozen=True):
    """A contact list."""

    id: str
    name: str
    description: str
    allow_duplicates: bool
    size: int
    columns: tuple[str, ...]
    in_use: bool
    """A run contacts the people on it now."""
    campaigns: tuple[CampaignReference, ...]
    created_at: datetime
    updated_at: datetime


class Contact(Record, frozen=True):
    """A contact on a list; `columns` has what its list knows of it beside the number."""

    id: str
    number: str
    priority: int
    columns: dict[str, str]
    created_at: datetime


class AddedContacts(Record, frozen=True):
    """What came of contacts that were to be added."""

    added: int
    duplicates: int


class ContactLists(Resource[Mode]):
    """Contact lists, and the contacts on them. Large files are brought in by `imports`."""

    @Single
    def create(
        self, name: str, *, description: Given[str] = UNSET, allow_duplicates: Given[bool] = UNSET
    ) -> Call[ContactList]:
        """Create an empty list."""
        body = given(name=name, description=description, allow_duplicates=allow_duplicates)
        return Call("POST", _ALL, ContactList, body=body)

    @Paged
    def list(self, *, name: str | None = None, limit: int = 1000) -> Call[Page[ContactList]]:
        """Give all lists, or those whose name has a word in it."""
        return Call("GET", _ALL, Page[ContactList], query={"name": name, "limit": limit})

    @Single
    def get(self, list_id: str) -> Call[ContactList]:
        """Return a list."""
        return Call("GET", _ONE, ContactList, {"list_id": list_id})

    @Single
    def change(
        self,
        list_id: str,
        *,
        name: Given[str] = UNSET,
        description: Given[str] = UNSET,
        allow_duplicates: Given[bool] = UNSET,
    ) -> Call[ContactList]:
        """Change what a list is called, and whether it takes a person twice."""
        body = given(name=name, description=description, allow_duplicates=allow_duplicates)
        return Call("PATCH", _ONE, ContactList, {"list_id": list_id}, body=body)

    @Single
    def delete(self, list_id: str) -> Call[None]:
        """Delete a list that no campaign is linked to."""
        return Call("DELETE", _ONE, type(None), {"list_id": list_id})

    @Single
    def add(self, list_id: str, contacts: Sequence[JsonObject]) -> Call[AddedContacts]:
        """Add contacts, all or none: objects with a `phoneNumber` and any columns. A run that is on takes them."""
        return Call("POST", f"{_ONE}/contacts", AddedContacts, {"list_id": list_id}, body=given(contacts=contacts))

    @Paged
    def contacts(
        self,
        list_id: str,
        *,
        first_name: str | None = None,
        last_name: str | None = None,
        unique_id: str | None = None,
        column: str | None = None,
        value: str | None = None,
        priority: int | None = None,
        limit: int = 1000,
    ) -> Call[Page[Contact]]:
        """Give the contacts of a list in its order, or only those with exactly these cells."""
        sought = {"first_name": first_name, "last_name": last_name, "unique_id": unique_id}
        query = {**sought, "column": column, "value": value, "priority": priority, "limit": limit}
        return Call("GET", f"{_ONE}/contacts", Page[Contact], {"list_id": list_id}, query)

    @Paged
    def find(self, list_id: str, number: str, *, limit: int = 1000) -> Call[Page[Contact]]:
        """Give the contacts with a number: more than one where the list takes a person twice."""
        names, query = {"list_id": list_id}, {"limit": limit}
        return Call("POST", f"{_ONE}/contacts/find", Page[Contact], names, query, body=given(number=number))

    @Single
    def save(self, list_id: str, to: Path | BinaryIO, *, bom: bool = False) -> Call[None]:
        """Write the contacts of a list into a file, as CSV; `bom` is for spreadsheets that ask for it."""
        names, query = {"list_id": list_id}, {"bom": bom}
        return Call("GET", f"{_ONE}/contacts.csv", type(None), names, query, save_to=to)
