"""Queues: where a call waits for an agent. One of an app is its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.errors import FieldError, InUse, Invalid, NameTaken
from callsheet.core.ids import Prefix
from callsheet.core.names import MOST_LOOKED_AT, key_of
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, new_id, one, to_json
from callsheet.store.usage import refuse_used, refuse_waited_in

DEFAULT_NAME = "Default Queue"
"""As in the documented samples of campaigns."""
USUAL_PRIORITY = 5


@dataclass(frozen=True, slots=True)
class Queue:
    """Where a call waits for an agent: 10 is served before 1."""

    app: int
    no: int
    id: str
    name: str
    description: str
    priority: int
    is_default: bool
    is_active: bool
    skills: tuple[str, ...]
    number: str
    """Whom callers are put through to: a telephone number, or a SIP address; empty: nobody."""
    created_at: datetime
    updated_at: datetime


class Queues:
    """The queues of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def create(self, app: int, values: Mapping[str, Any], now: datetime) -> Queue:
        """Create a queue of these columns. Raises NameTaken."""
        at = to_micros(now)

        def create(conn: sa.Connection) -> Queue:
            _hold(conn, app)
            _refuse_taken(conn, app, values["name"], but=0)
            _move_default(conn, app, values)
            queue_id = new_id(Prefix.queue)
            row = {"priority": USUAL_PRIORITY, **_columns(values)}
            insert(conn, t.queue, app=app, id=queue_id, **row, created_at=at, updated_at=at)
            return _found(conn, app, queue_id)

        return await self._db.write(create)

    async def find(self, app: int, *, queue_id: str | None = None, name: str | None = None) -> Queue | None:
        """Return a queue by id, or by name: case and blanks at its ends do not count."""
        wanted = t.queue.c.id == queue_id if queue_id else t.queue.c.lname == key_of(name or "")
        query = sa.select(t.queue).where(t.queue.c.app == app, wanted)
        row = await self._db.read(lambda conn: one(conn, query))
        return _read(row) if row is not None else None

    async def called(self, app: int, said: str) -> Queue | None:
        """Return the queue that a flow means by a name: the default one where there is none of that name."""
        named = sa.case((t.queue.c.lname == key_of(said), 0), else_=1)
        wanted = t.queue.c.app == app, sa.or_(t.queue.c.lname == key_of(said), t.queue.c.is_default == 1)
        query = sa.select(t.queue).where(*wanted).order_by(named).limit(1)
        row = await self._db.read(lambda conn: one(conn, query))
        return _read(row) if row is not None else None

    async def of_app(self, app: int, *, after: int = 0, offset: int = 0, limit: int) -> list[Queue]:
        """Return the queues of an app in the order in which they were made, from a number on."""
        query = sa.select(t.queue).where(t.queue.c.app == app, t.queue.c.no > after).order_by(t.queue.c.no)
        rows = await self._db.read(lambda conn: all_of(conn, query.offset(offset).limit(limit)))
        return [_read(row) for row in rows]

    async def count(self, app: int) -> int:
        """Return how many queues an app has."""
        query = sa.select(sa.func.count()).select_from(t.queue).where(t.queue.c.app == app)
        return await self._db.read(lambda conn: int(conn.execute(query).scalar_one()))

    async def change(self, app: int, queue_id: str, changes: Mapping[str, Any], now: datetime) -> Queue | None:
        """Change the named columns, and return the queue; None when there is none. Raises NameTaken, Invalid."""

        def change(conn: sa.Connection) -> Queue | None:
            row = _lock(conn, app, queue_id)
            if row is None:
                return None
            if row["is_default"] and changes.get("is_default") is False:
                raise Invalid([FieldError("is_default", "Make another queue the default instead: an app needs one.")])
            if "name" in changes:
                _refuse_taken(conn, app, changes["name"], but=row["no"])
            _move_default(conn, app, changes)
            values = {**_columns(changes), "updated_at": to_micros(now)}
            conn.execute(sa.update(t.queue).where(t.queue.c.app == app, t.queue.c.no == row["no"]).values(values))
            return _found(conn, app, queue_id)

        return await self._db.write(change)

    async def set_priorities(self, app: int, priorities: Mapping[str, int], now: datetime) -> None:
        """Give queues, by their ids, a priority: all of them or none."""

        def change(conn: sa.Connection) -> None:
            for queue_id in sorted(priorities):
                conn.execute(
                    sa.update(t.queue)
                    .where(t.queue.c.app == app, t.queue.c.id == queue_id)
                    .values(priority=priorities[queue_id], updated_at=to_micros(now))
                )

        await self._db.write(change)

    async def delete(self, app: int, queue_id: str) -> bool:
        """Delete a queue, and say whether there was one. Raises InUse."""

        def delete(conn: sa.Connection) -> bool:
            row = _lock(conn, app, queue_id)
            if row is None:
                return False
            if row["is_default"]:
                raise InUse("This is the default queue: make another one the default first.")
            refuse_used(conn, app, queue_id)
            refuse_waited_in(conn, app, row["no"])
            conn.execute(sa.delete(t.queue).where(t.queue.c.app == app, t.queue.c.no == row["no"]))
            return True

        return await self._db.write(delete)

    async def names(self, app: int, limit: int = MOST_LOOKED_AT + 1) -> list[str]:
        """Return some of the names, for an answer that says which exist."""
        query = sa.select(t.queue.c.name).where(t.queue.c.app == app).order_by(t.queue.c.lname).limit(limit)
        return await self._db.read(lambda conn: [row["name"] for row in all_of(conn, query)])

    async def keys(self, app: int) -> frozenset[str]:
        """Return the keys of all names: what each has in common with those that mean the same queue."""
        query = sa.select(t.queue.c.lname).where(t.queue.c.app == app)
        return await self._db.read(lambda conn: frozenset(row["lname"] for row in all_of(conn, query)))


def make_default_queue(conn: sa.Connection, app: int, at: int) -> None:
    """Give a new app the queue that it begins with, in the transaction that makes the app."""
    insert(
        conn,
        t.queue,
        app=app,
        id=new_id(Prefix.queue),
        name=DEFAULT_NAME,
        lname=key_of(DEFAULT_NAME),
        priority=USUAL_PRIORITY,
        is_default=1,
        created_at=at,
        updated_at=at,
    )


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the columns of a row."""
    row: dict[str, Any] = {key: int(value) if isinstance(value, bool) else value for key, value in values.items()}
    if "name" in row:
        row["lname"] = key_of(row["name"])
    if "skills" in row:
        row["skills"] = to_json(row["skills"])
    return row


def _lock(conn: sa.Connection, app: int, queue_id: str) -> Mapping[str, Any] | None:
    """Return a queue as it is inside this transaction, and hold those of the app."""
    return next((row for row in _hold(conn, app) if row["id"] == queue_id), None)


def _hold(conn: sa.Connection, app: int) -> list[Mapping[str, Any]]:
    """Keep others from changing any queue of the app until the commit: which one is the default concerns all."""
    return all_of(conn, sa.select(t.queue).where(t.queue.c.app == app).order_by(t.queue.c.no).with_for_update())


def _move_default(conn: sa.Connection, app: int, values: Mapping[str, Any]) -> None:
    if values.get("is_default"):
        conn.execute(sa.update(t.queue).where(t.queue.c.app == app, t.queue.c.is_default == 1).values(is_default=0))


def _refuse_taken(conn: sa.Connection, app: int, name: str, *, but: int) -> None:
    taken = sa.select(t.queue.c.no).where(t.queue.c.app == app, t.queue.c.lname == key_of(name), t.queue.c.no != but)
    if one(conn, taken):
        raise NameTaken(f"A queue with the name {name} exists already.")


def _found(conn: sa.Connection, app: int, queue_id: str) -> Queue:
    row = one(conn, sa.select(t.queue).where(t.queue.c.app == app, t.queue.c.id == queue_id))
    assert row is not None, "it was written in this transaction"
    return _read(row)


def _read(row: Mapping[str, Any]) -> Queue:
    return Queue(
        row["app"],
        row["no"],
        row["id"],
        row["name"],
        row["description"],
        row["priority"],
        bool(row["is_default"]),
        bool(row["is_active"]),
        tuple(msgspec.json.decode(row["skills"])),
        row["number"],
        from_micros(row["created_at"]),
        from_micros(row["updated_at"]),
    )
