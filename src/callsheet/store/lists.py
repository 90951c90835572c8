"""Contact lists and the contacts in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Named, Status
from callsheet.core.contacts import join_columns
from callsheet.core.errors import NameTaken
from callsheet.core.ids import Prefix
from callsheet.core.names import MOST_LOOKED_AT, key_of
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, new_id, one, to_json
from callsheet.store.vault import Vault

_LIST_BYTES = 6
_POS_BYTES = 6


@dataclass(frozen=True, slots=True)
class ContactList:
    """A named set of contacts."""

    app: int
    no: int
    id: str
    name: str
    description: str
    source: str
    allow_duplicates: bool
    columns: tuple[str, ...]
    size: int
    created_at: datetime
    updated_at: datetime
    linked: tuple[Named, ...] = ()
    """The campaigns that use it."""
    in_use: bool = False
    """A running campaign uses it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person as a list knows them."""

    id: str
    number: str
    attributes: Mapping[str, str]
    created_at: datetime


class Lists:
    """The contact lists of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def create(
        self, app: int, *, name: str, description: str, source: str, allow_duplicates: bool, now: datetime
    ) -> ContactList:
        """Create an empty list. Raises NameTaken."""
        list_id = new_id(Prefix.contact_list)

        def create(conn: sa.Connection) -> ContactList:
            lists = t.contact_list
            if one(conn, sa.select(lists.c.no).where(lists.c.app == app, lists.c.lname == key_of(name))):
                raise NameTaken(f"A contact list with the name {name} exists already.")
            at = to_micros(now)
            no = insert(
                conn,
                lists,
                app=app,
                id=list_id,
                name=name,
                lname=key_of(name),
                description=description,
                source=source,
                allow_duplicates=int(allow_duplicates),
                created_at=at,
                updated_at=at,
            )
            return ContactList(app, no, list_id, name, description, source, allow_duplicates, (), 0, now, now)

        return await self._db.write(create)

    async def find(self, app: int, *, list_id: str | None = None, name: str | None = None) -> ContactList | None:
        """Return a list by id, or by name: case and blanks at its ends do not count."""
        return await self._db.read(lambda conn: _find(conn, app, list_id, name))

    async def of_app(self, app: int, *, after: int, limit: int) -> list[ContactList]:
        """Return the lists of an app in the order in which they were made, from a number on."""
        return await self._db.read(lambda conn: _read(conn, app, t.contact_list.c.no > after, limit))

    async def add_columns(self, app: int, no: int, columns: Sequence[str]) -> None:
        """Remember which columns the contacts of a list have. Raises TooManyColumns."""

        def add(conn: sa.Connection) -> None:
            mine = sa.and_(t.contact_list.c.app == app, t.contact_list.c.no == no)
            # Held until the commit: what another import adds at this moment must not be written over.
            row = one(conn, sa.select(t.contact_list.c.columns).where(mine).with_for_update())
            known: list[str] = msgspec.json.decode(row["columns"]) if row else []
            joined = join_columns(known, columns)
            if joined != known:
                conn.execute(sa.update(t.contact_list).where(mine).values(columns=to_json(joined)))

        await self._db.write(add)

    async def names(self, app: int, limit: int = MOST_LOOKED_AT + 1) -> list[str]:
        """Return some of the names, for an answer that says which exist."""
        lists = t.contact_list
        query = sa.select(lists.c.name).where(lists.c.app == app).order_by(lists.c.lname).limit(limit)
        return await self._db.read(lambda conn: [row["name"] for row in all_of(conn, query)])

    async def contacts(self, contact_list: ContactList, *, after: int, limit: int) -> list[Contact]:
        """Return contacts in the order of the list, from a position on."""
        contact = t.contact
        query = (
            sa.select(contact)
            .where(
                contact.c.app == contact_list.app,
                contact.c.list_no == contact_list.no,
                contact.c.pos >= after,
            )
            .order_by(contact.c.pos)
            .limit(limit)
        )
        rows = await self._db.read(lambda conn: all_of(conn, query))
        key = self._vault.app(contact_list.app)
        assert key is not None, "a list of an app that was never opened"
        return [
            Contact(
                contact_id(row["list_no"], row["pos"]),
                key.open_number(row["sealed"], row["person"]),
                msgspec.json.decode(row["attributes"]),
                from_micros(row["created_at"]),
            )
            for row in rows
        ]


def contact_id(list_no: int, pos: int) -> str:
    """Name a contact by its place: `cc-` and 24 hexadecimal digits."""
    return Prefix.contact + (list_no.to_bytes(_LIST_BYTES, "big") + pos.to_bytes(_POS_BYTES, "big")).hex()


def read_contact_id(text: str) -> tuple[int, int] | None:
    """Return the list and the position that a contact's id names; None when it was not made by us."""
    try:
        raw = bytes.fromhex(text.removeprefix(Prefix.contact))
    except ValueError:
        return None
    if not text.startswith(Prefix.contact) or len(raw) != _LIST_BYTES + _POS_BYTES:
        return None
    return int.from_bytes(raw[:_LIST_BYTES], "big"), int.from_bytes(raw[_LIST_BYTES:], "big")


def _find(conn: sa.Connection, app: int, list_id: str | None, name: str | None) -> ContactList | None:
    lists = t.contact_list
    found = _read(conn, app, lists.c.id == list_id if list_id else lists.c.lname == key_of(name or ""), 1)
    return found[0] if found else None


def _read(conn: sa.Connection, app: int, where: sa.ColumnElement[bool], limit: int) -> list[ContactList]:
    lists = t.contact_list
    query = sa.select(lists).where(lists.c.app == app, where).order_by(lists.c.no).limit(limit)
    rows = all_of(conn, query)
    users = _users(conn, app, [row["no"] for row in rows])
    return [_list(row, users.get(row["no"], ())) for row in rows]


def _users(conn: sa.Connection, app: int, list_nos: Sequence[int]) -> dict[int, list[Mapping[str, Any]]]:
    """Return the campaigns that use some lists, by the number of the list."""
    campaign, link, version = t.campaign, t.campaign_list, t.campaign_version
    query = (
        sa.select(link.c.list_no, campaign.c.no, campaign.c.id, campaign.c.status, version.c.definition)
        .join(link, link.c.campaign_no == campaign.c.no)
        .join(
            version,
            sa.and_(
                version.c.app == campaign.c.app,
                version.c.campaign_no == campaign.c.no,
                version.c.version == campaign.c.version,
            ),
        )
        .where(link.c.app == app, link.c.list_no.in_(list_nos))
        .order_by(link.c.list_no, campaign.c.no)
    )
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in all_of(conn, query):
        found.setdefault(row["list_no"], []).append(row)
    return found


def _list(row: Mapping[str, Any], users: Sequence[Mapping[str, Any]]) -> ContactList:
    return ContactList(
        row["app"],
        row["no"],
        row["id"],
        row["name"],
        row["description"],
        row["source"],
        bool(row["allow_duplicates"]),
        tuple(msgspec.json.decode(row["columns"])),
        row["size"],
        from_micros(row["created_at"]),
        from_micros(row["updated_at"]),
        tuple(Named(user["no"], user["id"], _name(user)) for user in users),
        any(user["status"] in (Status.active, Status.paused) for user in users),
    )


def _name(row: Mapping[str, Any]) -> str:
    return str(msgspec.json.decode(row["definition"])["name"])
