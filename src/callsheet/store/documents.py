"""Templates and experience flows: named things with versions. A run pins the version that it started with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Named
from callsheet.core.errors import NameTaken
from callsheet.core.ids import Prefix
from callsheet.core.names import MOST_LOOKED_AT, key_of
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, new_id, one
from callsheet.store.usage import campaigns_that_name, refuse_bound, refuse_spoken, refuse_used


@dataclass(frozen=True, slots=True)
class Document:
    """A template or a flow at its present version."""

    named: Named
    version: int
    body: str
    created_at: datetime
    dlt_template_id: str = ""
    """As which the text is registered with the operators of India; empty: not."""


class Documents:
    """The templates, or the flows, of all apps."""

    def __init__(self, database: Database, prefix: Prefix) -> None:
        """Serve templates (`cmt-`) or flows (`cf-`)."""
        self._db = database
        self._prefix = prefix
        flows = prefix is Prefix.flow
        self._thing = t.flow if flows else t.template
        self._versions = t.flow_version if flows else t.template_version
        self._body = self._versions.c.document if flows else self._versions.c.body
        self._no = self._versions.c.flow_no if flows else self._versions.c.template_no

    async def create(self, app: int, name: str, body: str, now: datetime, *, dlt_template_id: str = "") -> Document:
        """Create one. Raises NameTaken."""
        thing_id = new_id(self._prefix)

        def create(conn: sa.Connection) -> Document:
            thing = self._thing
            self._refuse_taken(conn, app, name)
            at = to_micros(now)
            no = insert(
                conn,
                thing,
                app=app,
                id=thing_id,
                name=name,
                lname=key_of(name),
                version=1,
                dlt_template_id=dlt_template_id,
                created_at=at,
                updated_at=at,
            )
            self._write_version(conn, app, no, 1, body, at)
            return Document(Named(no, thing_id, name), 1, body, now, dlt_template_id)

        return await self._db.write(create)

    async def change(
        self,
        app: int,
        thing_id: str,
        now: datetime,
        *,
        name: str | None = None,
        body: str | None = None,
        dlt_template_id: str | None = None,
    ) -> Document | None:
        """Give one another name, or the next version of its body, and return it; None when there is no such thing.

        Runs keep the version that they pinned. Raises NameTaken.
        """

        def change(conn: sa.Connection) -> Document | None:
            thing = self._thing
            mine = sa.and_(thing.c.app == app, thing.c.id == thing_id)
            row = one(conn, sa.select(thing).where(mine).with_for_update())
            if row is None:
                return None
            at = to_micros(now)
            values: dict[str, Any] = {"updated_at": at}
            if name is not None:
                self._refuse_taken(conn, app, name, but=row["no"])
                values |= {"name": name, "lname": key_of(name)}
            if dlt_template_id is not None:
                values["dlt_template_id"] = dlt_template_id
            if body is not None:
                values["version"] = self._next_version(conn, app, row["no"])
                self._write_version(conn, app, row["no"], values["version"], body, at)
            conn.execute(sa.update(thing).where(mine).values(values))
            return self._find(conn, app, thing.c.id == thing_id)

        return await self._db.write(change)

    async def delete(self, app: int, thing_id: str) -> bool:
        """Delete one with its versions, and say whether there was one. Raises InUse.

        What its runs sent stays: each keeps its text.
        """

        def delete(conn: sa.Connection) -> bool:
            thing = self._thing
            mine = sa.and_(thing.c.app == app, thing.c.id == thing_id)
            row = one(conn, sa.select(thing.c.no).where(mine).with_for_update())
            if row is None:
                return False
            refuse_used(conn, app, thing_id)
            refuse_bound(conn, app, thing_id)
            if self._thing is t.flow:
                refuse_spoken(conn, app, row["no"])
            conn.execute(sa.delete(self._versions).where(self._versions.c.app == app, self._no == row["no"]))
            conn.execute(sa.delete(thing).where(mine))
            return True

        return await self._db.write(delete)

    async def used_by(self, app: int, thing_id: str) -> list[str]:
        """Return the names of a few campaigns that use one."""
        return await self._db.read(lambda conn: [user.name for user in campaigns_that_name(conn, app, thing_id)])

    async def find(self, app: int, *, name: str | None = None, thing_id: str | None = None) -> Document | None:
        """Return one by id, or by name: case and blanks at its ends do not count."""
        wanted = self._thing.c.id == thing_id if thing_id else self._thing.c.lname == key_of(name or "")
        return await self._db.read(lambda conn: self._find(conn, app, wanted))

    async def of_app(self, app: int, *, after: int, limit: int, search: str = "") -> list[Named]:
        """Return those of an app whose name has these words in it, in the order in which they were made."""
        thing = self._thing
        query = (
            sa.select(thing.c.no, thing.c.id, thing.c.name)
            .where(thing.c.app == app, thing.c.no > after, thing.c.lname.contains(search.lower(), autoescape=True))
            .order_by(thing.c.no)
            .limit(limit)
        )
        return await self._db.read(lambda conn: [Named(*row) for row in conn.execute(query)])

    async def body(self, app: int, no: int, version: int) -> str | None:
        """Return the body of a version; None when it was deleted."""
        query = sa.select(self._body).where(
            self._versions.c.app == app, self._no == no, self._versions.c.version == version
        )
        return await self._db.read(lambda conn: conn.execute(query).scalar_one_or_none())

    async def bodies(self, app: int, nos: Collection[int]) -> dict[int, str]:
        """Return the present bodies of some, by their numbers."""
        if not nos:
            return {}
        thing, versions = self._thing, self._versions
        query = (
            sa.select(thing.c.no, self._body)
            .join(versions, sa.and_(self._no == thing.c.no, versions.c.version == thing.c.version))
            .where(thing.c.app == app, versions.c.app == app, thing.c.no.in_(nos))
        )
        return await self._db.read(lambda conn: {row[0]: row[1] for row in conn.execute(query)})

    async def names(self, app: int, limit: int = MOST_LOOKED_AT + 1) -> list[str]:
        """Return some of the names, for an answer that says which exist."""
        query = sa.select(self._thing.c.name).where(self._thing.c.app == app).order_by(self._thing.c.lname).limit(limit)
        return await self._db.read(lambda conn: [row["name"] for row in all_of(conn, query)])

    def _find(self, conn: sa.Connection, app: int, wanted: sa.ColumnElement[bool]) -> Document | None:
        thing, versions = self._thing, self._versions
        row = one(
            conn,
            sa.select(thing, self._body.label("body"))
            .join(versions, sa.and_(self._no == thing.c.no, versions.c.version == thing.c.version))
            .where(thing.c.app == app, versions.c.app == app, wanted),
        )
        if row is None:
            return None
        named = Named(row["no"], row["id"], row["name"])
        return Document(named, row["version"], row["body"], from_micros(row["created_at"]), row["dlt_template_id"])

    def _refuse_taken(self, conn: sa.Connection, app: int, name: str, *, but: int = 0) -> None:
        thing = self._thing
        taken = sa.select(thing.c.no).where(thing.c.app == app, thing.c.lname == key_of(name), thing.c.no != but)
        if one(conn, taken):
            raise NameTaken(f"The name {name} is already in use.")

    def _next_version(self, conn: sa.Connection, app: int, no: int) -> int:
        """Return the version that comes next: the present one need not be the latest."""
        mine = sa.and_(self._versions.c.app == app, self._no == no)
        return int(conn.execute(sa.select(sa.func.max(self._versions.c.version)).where(mine)).scalar_one()) + 1

    def _write_version(self, conn: sa.Connection, app: int, no: int, version: int, body: str, at: int) -> None:
        values = {"app": app, self._no.name: no, "version": version, self._body.name: body, "created_at": at}
        conn.execute(sa.insert(self._versions).values(values))
