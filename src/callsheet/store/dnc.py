"""DNC lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.errors import DncListNotFound, InUse, NameTaken
from callsheet.core.ids import Prefix
from callsheet.core.limits import Limit
from callsheet.core.names import MOST_LOOKED_AT, key_of
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.gate import close_gate, one_at_a_time
from callsheet.store.limits import refuse_another
from callsheet.store.rows import all_of, insert, new_id, one
from callsheet.store.usage import MOST_USERS, User, told

GLOBAL_NAME = "Default Global DNC"


@dataclass(frozen=True, slots=True)
class DncList:
    """Numbers not to contact."""

    app: int
    no: int
    id: str
    name: str
    is_global: bool
    size: int
    created_at: datetime


class DncLists:
    """The DNC lists of all apps; `BulkStore.forbid` puts numbers on them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def create(self, app: int, name: str, now: datetime, *, is_global: bool = False) -> DncList:
        """Create an empty list. Raises NameTaken and LimitReached."""
        list_id = new_id(Prefix.contact_list)

        def create(conn: sa.Connection) -> DncList:
            refuse_another(conn, t.dnc_list, app, Limit.dnc_lists)
            _refuse_taken(conn, app, name)
            at = to_micros(now)
            no = insert(
                conn,
                t.dnc_list,
                app=app,
                id=list_id,
                name=name,
                lname=key_of(name),
                is_global=int(is_global),
                created_at=at,
                updated_at=at,
            )
            return DncList(app, no, list_id, name, is_global, 0, now)

        return await self._db.write(create)

    async def find(self, app: int, *, list_id: str | None = None, name: str | None = None) -> DncList | None:
        """Return a list by id, or by name: case and blanks at its ends do not count."""
        wanted = t.dnc_list.c.id == list_id if list_id else t.dnc_list.c.lname == key_of(name or "")
        query = sa.select(t.dnc_list).where(t.dnc_list.c.app == app, wanted)
        row = await self._db.read(lambda conn: one(conn, query))
        return _read(row) if row is not None else None

    async def of_app(self, app: int, *, after: int, limit: int) -> list[DncList]:
        """Return the lists of an app in the order in which they were made, from a number on."""
        query = (
            sa.select(t.dnc_list)
            .where(t.dnc_list.c.app == app, t.dnc_list.c.no > after)
            .order_by(t.dnc_list.c.no)
            .limit(limit)
        )
        return await self._db.read(lambda conn: [_read(row) for row in all_of(conn, query)])

    async def rename(self, dnc_list: DncList, name: str, now: datetime) -> DncList:
        """Give a list another name. Raises NameTaken, DncListNotFound."""

        def rename(conn: sa.Connection) -> DncList:
            current = hold_list(conn, dnc_list)
            _refuse_taken(conn, dnc_list.app, name, but=dnc_list.no)
            _change(conn, dnc_list, now, name=name, lname=key_of(name))
            return replace(current, name=name)

        return await self._db.write(rename)

    async def make_global(self, dnc_list: DncList, now: datetime) -> DncList:
        """Make a list the app's global one, in place of the one that was. Raises DncListNotFound.

        Arming spares its people from the commit on.
        """

        def mark(conn: sa.Connection) -> DncList:
            # Two that are marked at once would both be global.
            one_at_a_time(conn, dnc_list.app)
            current = hold_list(conn, dnc_list)
            if not current.is_global:
                lists = t.dnc_list
                was = sa.and_(lists.c.app == dnc_list.app, lists.c.is_global == 1)
                conn.execute(sa.update(lists).where(was).values(is_global=0, updated_at=to_micros(now)))
                _change(conn, dnc_list, now, is_global=1)
                close_gate(conn, dnc_list.app)
            return replace(current, is_global=True)

        return await self._db.write(mark)

    async def delete(self, dnc_list: DncList) -> None:
        """Delete a list with its numbers. Raises InUse, DncListNotFound."""

        def delete(conn: sa.Connection) -> None:
            current = hold_list(conn, dnc_list)
            if current.is_global:
                raise InUse("This is the app's global DNC list: make another one global first.")
            if users := _users(conn, dnc_list):
                raise InUse(f"The DNC list {current.name} cannot be deleted while campaigns use it: {told(users)}.")
            for table, no in ((t.dnc_entry, t.dnc_entry.c.dnc_no), (t.dnc_list, t.dnc_list.c.no)):
                conn.execute(sa.delete(table).where(table.c.app == dnc_list.app, no == dnc_list.no))

        await self._db.write(delete)

    async def names(self, app: int, limit: int = MOST_LOOKED_AT + 1) -> list[str]:
        """Return some of the names, for an answer that says which exist."""
        query = sa.select(t.dnc_list.c.name).where(t.dnc_list.c.app == app).order_by(t.dnc_list.c.lname).limit(limit)
        return await self._db.read(lambda conn: [row["name"] for row in all_of(conn, query)])


def hold_list(conn: sa.Connection, dnc_list: DncList) -> DncList:
    """Return a list as it is inside this transaction, and keep others from changing it. Raises DncListNotFound."""
    lists = t.dnc_list
    row = one(conn, sa.select(lists).where(lists.c.app == dnc_list.app, lists.c.no == dnc_list.no).with_for_update())
    if row is None:
        raise DncListNotFound
    return _read(row)


def _change(conn: sa.Connection, dnc_list: DncList, now: datetime, **values: Any) -> None:
    lists = t.dnc_list
    mine = sa.and_(lists.c.app == dnc_list.app, lists.c.no == dnc_list.no)
    conn.execute(sa.update(lists).where(mine).values(updated_at=to_micros(now), **values))


def _refuse_taken(conn: sa.Connection, app: int, name: str, but: int = 0) -> None:
    lists = t.dnc_list
    query = sa.select(lists.c.no).where(lists.c.app == app, lists.c.lname == key_of(name), lists.c.no != but)
    if one(conn, query):
        raise NameTaken(f"A DNC list with the name {name} exists already.")


def _users(conn: sa.Connection, dnc_list: DncList) -> list[User]:
    link, campaign = t.campaign_dnc, t.campaign
    query = (
        sa.select(campaign.c.id, campaign.c.name)
        .join(link, sa.and_(link.c.app == campaign.c.app, link.c.campaign_no == campaign.c.no))
        .where(link.c.app == dnc_list.app, link.c.dnc_no == dnc_list.no)
        .order_by(campaign.c.no)
        .limit(MOST_USERS)
    )
    return [User(*row) for row in conn.execute(query)]


def _read(row: Mapping[str, Any]) -> DncList:
    return DncList(
        row["app"],
        row["no"],
        row["id"],
        row["name"],
        bool(row["is_global"]),
        row["size"],
        from_micros(row["created_at"]),
    )
