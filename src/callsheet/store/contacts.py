"""Contacts in lists: read in the order of the list, and searched.

Positions are dense in a list, so any page of it begins with a look into an index, however deep it lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.lists import ContactList, contact_id, read_contact_id
from callsheet.store.rows import all_of, one, to_json
from callsheet.store.vault import Vault

MOST_SCANNED = 20_000
"""So many contacts are looked through in one search: a tenth of a second, as a rule."""

_attributes = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class Contact:
    """A person as a list knows them."""

    id: str
    number: str
    attributes: Mapping[str, str]
    created_at: datetime
    priority: int
    """0 to 10; higher goes first."""
    pos: int
    zone: str
    """Its own, as it was found when it was added; empty: it has none."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to look for: all that is said must fit."""

    cells: Mapping[str, str]
    """By column: what exactly stands there."""
    priority: int | None = None
    unique_id: str = ""
    """The source's own key of the contact; empty: any."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    contacts: Sequence[Contact]
    next_pos: int | None
    """Where to go on; none: the list was looked through to its end."""


class Contacts:
    """Reads the contacts of lists."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def page(self, within: ContactList, *, after: int, limit: int) -> list[Contact]:
        """Return contacts in the order of the list, from a position on."""
        query = _in_list(within).where(t.contact.c.pos >= after).order_by(t.contact.c.pos).limit(limit)
        rows = await self._db.read(lambda conn: all_of(conn, query))
        return [self._read(row) for row in rows]

    async def attributes(self, within: ContactList, *, after: int, limit: int) -> list[Mapping[str, str]]:
        """Return the columns of contacts in the order of the list, from a position on; no number is opened."""
        contact = t.contact
        mine = contact.c.app == within.app, contact.c.list_no == within.no, contact.c.pos >= after
        query = sa.select(contact.c.attributes).where(*mine).order_by(contact.c.pos).limit(limit)
        return await self._db.read(lambda conn: [_attributes.decode(text) for text in conn.execute(query).scalars()])

    async def find(self, app: int, wanted: str) -> Contact | None:
        """Return a contact by its id."""
        place = read_contact_id(wanted)
        if place is None:
            return None
        contact = t.contact
        list_no, pos = place
        query = sa.select(contact, *_from_group()).where(
            contact.c.app == app, contact.c.list_no == list_no, contact.c.pos == pos
        )
        row = await self._db.read(lambda conn: one(conn, query))
        return self._read(row) if row is not None else None

    async def of_person(self, within: ContactList, person: bytes, *, after: int, limit: int) -> list[Contact]:
        """Return the contacts of one person in the order of the list: more than one where it takes persons twice."""
        contact = t.contact
        # Only places, which the index of persons has; and a sum, which no index has, or a planner might leaf through
        # the whole list to spare the sorting of a few.
        pos = contact.c.pos + 0
        mine = contact.c.app == within.app, contact.c.list_no == within.no, contact.c.person == person
        places = sa.select(contact.c.pos).where(*mine, pos >= after).order_by(pos).limit(limit)

        def read(conn: sa.Connection) -> list[Mapping[str, Any]]:
            found = list(conn.execute(places).scalars())
            return all_of(conn, _in_list(within).where(contact.c.pos.in_(found)).order_by(contact.c.pos))

        rows = await self._db.read(read)
        return [self._read(row) for row in rows]

    async def search(self, within: ContactList, wanted: Wanted, *, after: int, limit: int) -> Found:
        """Look for contacts from a position on, through at most `MOST_SCANNED` of them unless they have a unique id."""
        if wanted.unique_id:
            return await self._of_unique_id(within, wanted, after=after, limit=limit)
        contact, end = t.contact, after + MOST_SCANNED
        query = _narrowed(within, wanted).where(contact.c.pos >= after, contact.c.pos < end)
        lists = t.contact_list
        size = sa.select(lists.c.size).where(lists.c.app == within.app, lists.c.no == within.no)

        def look(conn: sa.Connection) -> Found:
            fits: list[Contact] = []
            for row in all_of(conn, query.order_by(contact.c.pos)):
                if not _fits(row["attributes"], wanted.cells):
                    continue
                if len(fits) == limit:
                    return Found(fits, fits[-1].pos + 1)
                fits.append(self._read(row))
            return Found(fits, end if end < (conn.execute(size).scalar() or 0) else None)

        return await self._db.read(look)

    async def _of_unique_id(self, within: ContactList, wanted: Wanted, *, after: int, limit: int) -> Found:
        contact = t.contact
        # Only places, and a sum, for the reasons that `of_person` has.
        pos = contact.c.pos + 0
        mine = contact.c.app == within.app, contact.c.list_no == within.no, contact.c.unique_id == wanted.unique_id
        places = sa.select(contact.c.pos).where(*mine, t.has_unique_id, pos >= after).order_by(pos).limit(limit + 1)

        def look(conn: sa.Connection) -> Found:
            found = list(conn.execute(places).scalars())
            query = _narrowed(within, wanted).where(contact.c.pos.in_(found[:limit])).order_by(contact.c.pos)
            fits = [self._read(row) for row in all_of(conn, query) if _fits(row["attributes"], wanted.cells)]
            return Found(fits, found[limit] if len(found) > limit else None)

        return await self._db.read(look)

    def _read(self, row: Mapping[str, Any]) -> Contact:
        key = self._vault.app(row["app"])
        assert key is not None, "a list of an app that was never opened"
        return Contact(
            contact_id(row["list_no"], row["pos"]),
            key.open_number(row["sealed"], row["person"]),
            _attributes.decode(row["attributes"]),
            from_micros(row["created_at"]),
            row["priority"],
            row["pos"],
            row["own_zone"],
        )


def _in_list(within: ContactList) -> sa.Select[Any]:
    contact = t.contact
    mine = contact.c.app == within.app, contact.c.list_no == within.no
    return sa.select(contact, *_from_group()).where(*mine)


def _from_group() -> list[sa.Label[Any]]:
    """Return what is asked for of the contact's group.

    Not a join: one would tempt a planner to go by groups, and to sort the whole list for a page of it.
    """
    group = t.list_group
    wanted = group.c.priority, group.c.own_zone
    return [sa.select(column).where(*_of_group()).scalar_subquery().label(column.name) for column in wanted]


def _narrowed(within: ContactList, wanted: Wanted) -> sa.Select[Any]:
    query, contact = _in_list(within), t.contact
    if wanted.priority is not None:
        query = query.where(sa.exists().where(*_of_group(), t.list_group.c.priority == wanted.priority))
    for column, value in wanted.cells.items():
        # The database finds the cell as it is written in JSON, in any case; what it finds is compared exactly.
        query = query.where(contact.c.attributes.contains(to_json({column: value})[1:-1], autoescape=True))
    return query


def _of_group() -> tuple[sa.ColumnElement[bool], ...]:
    """Say that a group is the one of the contact in question."""
    contact, group = t.contact, t.list_group
    return group.c.app == contact.c.app, group.c.list_no == contact.c.list_no, group.c.group_no == contact.c.group_no


def _fits(attributes: str, cells: Mapping[str, str]) -> bool:
    if not cells:
        return True
    known = _attributes.decode(attributes)
    return all(known.get(column) == value for column, value in cells.items())
