"""DNC lists, and people who opted out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Channel
from callsheet.core.errors import NameTaken
from callsheet.core.ids import Prefix
from callsheet.core.names import MOST_LOOKED_AT, key_of
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.gate import close_gate
from callsheet.store.rows import all_of, insert, new_id, one

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
        """Create an empty list. Raises NameTaken."""
        list_id = new_id(Prefix.contact_list)

        def create(conn: sa.Connection) -> DncList:
            if one(
                conn,
                sa.select(t.dnc_list.c.no).where(t.dnc_list.c.app == app, t.dnc_list.c.lname == key_of(name)),
            ):
                raise NameTaken(f"A DNC list with the name {name} exists already.")
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

    async def names(self, app: int, limit: int = MOST_LOOKED_AT + 1) -> list[str]:
        """Return some of the names, for an answer that says which exist."""
        query = sa.select(t.dnc_list.c.name).where(t.dnc_list.c.app == app).order_by(t.dnc_list.c.lname).limit(limit)
        return await self._db.read(lambda conn: [row["name"] for row in all_of(conn, query)])


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


class OptOuts:
    """Who said STOP, by any means."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def hear(
        self,
        app: int,
        *,
        inbound_id: str,
        person: bytes,
        text_sealed: bytes,
        channel: Channel | None,
        now: datetime,
    ) -> bool:
        """Store an inbound message once, with the opt-out from `channel` that it says, if any. True when it was new."""
        at = to_micros(now)

        def hear(conn: sa.Connection) -> bool:
            inbound, opt_out = t.inbound, t.opt_out
            if one(conn, sa.select(inbound.c.at).where(inbound.c.app == app, inbound.c.inbound_id == inbound_id)):
                return False
            insert(conn, inbound, app=app, inbound_id=inbound_id, person=person, text_sealed=text_sealed, at=at)
            if channel is None:
                return True
            known = one(
                conn,
                sa.select(opt_out.c.added_at).where(
                    opt_out.c.app == app, opt_out.c.channel == channel, opt_out.c.person == person
                ),
            )
            if known is None:
                insert(conn, opt_out, app=app, channel=channel.value, person=person, source="reply", added_at=at)
            close_gate(conn, app)
            return True

        return await self._db.write(hear)
