"""Contact lists by the documented calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET

from callsheet.client.call import Call, Given, JsonObject, given
from callsheet.client.compat.envelope import Envelope, Message
from callsheet.client.method import Mode, Resource, Single
from callsheet.client.record import Record

_ALL = "/campaign/api/v2/public/{app}/campaign/contactList"
_ONE = "/campaign/api/v2/public/{app}/campaign/contactList/{list_id}"
_ADD = "/api/1.1/public/{app}/campaign/contactList/addContacts"
"""Documented in the first generation only."""


class ContactList(Record, rename="camel", frozen=True):
    """A contact list, with the documented fields that programs use."""

    id: str = msgspec.field(name="_id")
    name: str
    description: str
    total_record_count: int
    status: str
    is_list_in_use: bool
    allow_duplicates: bool
    columns: tuple[str, ...]
    mapping: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class ContactPage(Record, rename="camel", frozen=True):
    """A page of contacts: each with its own columns beside `phoneNumber`."""

    results: tuple[dict[str, Any], ...]
    skip: int
    limit: int
    has_more: bool
    total_pages: int
    total_results: int


class UpdatedList(Record, rename="camel", frozen=True):
    """What became of an update."""

    contact_list_id: str
    body: dict[str, Any]


class ContactLists(Resource[Mode]):
    """Contact lists by the documented calls. A list is named by its id or by its name."""

    @Single
    def create(
        self, name: str, *, description: str = "", allow_duplicates: Given[bool] = UNSET
    ) -> Call[Envelope[ContactList]]:
        """Create an empty list."""
        more = given(allowDuplicates=allow_duplicates)
        body = {"name": name, "description": description, "source": "passiveApi", **more}
        return Call("POST", f"{_ALL}/createContactList", Envelope[ContactList], body=body)

    @Single
    def get(self, list_id: str) -> Call[Envelope[ContactList]]:
        """Return a list."""
        return Call("GET", _ONE, Envelope[ContactList], {"list_id": list_id})

    @Single
    def list(self) -> Call[Envelope[tuple[ContactList, ...]]]:
        """Return all lists, the one that changed last first."""
        path, query = f"{_ALL}/getAllListDetails", {"type": "call"}
        return Call("POST", path, Envelope[tuple[ContactList, ...]], query=query, body={})

    @Single
    def update(
        self,
        list_id: str,
        *,
        name: Given[str] = UNSET,
        description: Given[str] = UNSET,
        allow_duplicates: Given[bool] = UNSET,
    ) -> Call[Envelope[UpdatedList]]:
        """Change what a list is called, and whether it takes a person twice."""
        body = given(name=name, description=description, allowDuplicates=allow_duplicates)
        return Call("PUT", _ONE, Envelope[UpdatedList], {"list_id": list_id}, body=body)

    @Single
    def delete(self, list_id: str) -> Call[None]:
        """Delete a list that no campaign is linked to."""
        return Call("DELETE", _ONE, type(None), {"list_id": list_id})

    @Single
    def add(self, list_name: str, contacts: Sequence[JsonObject]) -> Call[Message]:
        """Add contacts, all or none, at most 100 in one call: objects with a `phoneNumber` and any columns."""
        return Call("POST", _ADD, Message, body={"contact_list_name": list_name, "data": contacts})

    @Single
    def contacts(self, list_id: str, *, skip: int = 0, limit: int = 100) -> Call[Envelope[ContactPage]]:
        """Return a page of the contacts of a list."""
        names, query = {"list_id": list_id}, {"skip": skip, "limit": limit}
        return Call("GET", f"{_ONE}/getAllContacts", Envelope[ContactPage], names, query)
