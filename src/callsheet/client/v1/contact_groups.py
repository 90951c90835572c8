"""Groups of contacts, as flows fill them."""

from __future__ import annotations

from datetime import datetime

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/contact-groups"


class Group(Record, frozen=True):
    """A group."""

    key: str
    name: str
    members: int


class Member(Record, frozen=True):
    """Somebody in a group."""

    person_id: str
    number: str
    since: datetime


class ContactGroups(Resource[Mode]):
    """Groups of contacts, as flows fill them."""

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[Group]]:
        """Give all groups that somebody is in."""
        return Call("GET", _ALL, Page[Group], query={"limit": limit})

    @Paged
    def members(self, group_key: str, *, limit: int = 1000) -> Call[Page[Member]]:
        """Give all members of a group."""
        path = f"{_ALL}/{{group_key}}/members"
        return Call("GET", path, Page[Member], {"group_key": group_key}, query={"limit": limit})
