"""Senders, one by one: what they are changed to, and when they may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.errors import InUse
from callsheet.core.run import Sender
from callsheet.store import tables as t
from callsheet.store.apps import Trunk, add_sender, leave_trunk, read_sender, read_trunk
from callsheet.store.database import Database
from callsheet.store.rows import all_of, one, read_pool, to_json
from callsheet.store.usage import campaigns_that_name, refuse_talking, told


def label_spoken_through() -> sa.Label[str]:
    """Name the caller ID through which an `attempt` went: its own of a pool, else its run's."""
    attempt, run, sender = t.attempt, t.run, t.sender
    of_run = sa.select(run.c.sender_no).where(run.c.no == attempt.c.run_no).correlate(attempt).scalar_subquery()
    spoke = sa.case((attempt.c.sender_no > 0, attempt.c.sender_no), else_=of_run)
    label = sa.select(sender.c.label).where(sender.c.no == spoke).correlate(attempt).scalar_subquery()
    return sa.func.coalesce(label, "").label("sender_label")


class Senders:
    """The senders of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def find(self, app: int, *, sender_id: str | None = None, label: str | None = None) -> Sender | None:
        """Return a sender by its id, or by its caller ID."""
        wanted = t.sender.c.id == sender_id if sender_id else t.sender.c.label == label
        query = sa.select(t.sender).where(t.sender.c.app == app, wanted, t.sender.c.deleted_at == 0)
        row = await self._db.read(lambda conn: one(conn, query))
        return read_sender(row) if row is not None else None

    async def of_app(self, app: int, *, after: int, limit: int) -> list[Sender]:
        """Return senders of an app in the order in which they were made, from a number on."""
        mine = t.sender.c.app == app, t.sender.c.no > after, t.sender.c.deleted_at == 0
        query = sa.select(t.sender).where(*mine).order_by(t.sender.c.no).limit(limit)
        return await self._db.read(lambda conn: [read_sender(row) for row in all_of(conn, query)])

    async def put(self, app: int, label: str, trunk_no: int, changes: Mapping[str, Any], now: datetime) -> Sender:
        """Change the sender of a caller ID, its trunk too, as `change` does; or add one. Raises InUse."""
        values = {**_columns(changes), "trunk_no": trunk_no}

        def put(conn: sa.Connection) -> Sender:
            row = _lock(conn, app, t.sender.c.label == label) or add_sender(conn, app, trunk_no, label, now)
            return _change(conn, row, values, now)

        return await self._db.write(put)

    async def speaking(self, app: int, label: str) -> tuple[Sender, ...]:
        """Return who speaks for a campaign with this caller ID: itself, or the members of its pool.

        Each comes with its trunk's limits. One that nobody knows yet speaks where a trunk takes any; else nobody does.
        """
        sender, trunk = t.sender, t.trunk
        of_trunk = trunk.c.id.label("trunk_id"), trunk.c.limits.label("trunk_limits"), trunk.c.writing
        known = sa.select(sender, *of_trunk).outerjoin(trunk, trunk.c.no == sender.c.trunk_no)
        known = known.where(sender.c.app == app, sender.c.deleted_at == 0)
        any_trunk = sa.select(trunk).where(trunk.c.app == app, trunk.c.takes_any_sender == 1).order_by(trunk.c.no)

        def find(conn: sa.Connection) -> tuple[Sender, ...]:
            row = one(conn, known.where(sender.c.label == label))
            if row is None:
                found = one(conn, any_trunk.limit(1))
                return (_made_known(read_trunk(found), label),) if found is not None else ()
            mine = read_sender(row)
            if mine.pool is None:
                return (mine,)
            return tuple(read_sender(row) for row in all_of(conn, known.where(sender.c.no.in_(mine.pool.members))))

        return await self._db.read(find)

    async def change(self, app: int, sender_id: str, changes: Mapping[str, Any], now: datetime) -> Sender | None:
        """Change the named columns, and the `allowance`; return the sender, None when there is none.

        Raises InUse where its trunk is to change while a run speaks through it.
        """
        values = _columns(changes)

        def change(conn: sa.Connection) -> Sender | None:
            row = _lock(conn, app, t.sender.c.id == sender_id)
            return _change(conn, row, values, now) if row is not None else None

        return await self._db.write(change)

    async def delete(self, app: int, sender_id: str, now: datetime) -> bool:
        """Delete a sender, and say whether there was one. Its runs go on naming it. Raises InUse."""

        def delete(conn: sa.Connection) -> bool:
            row = _lock(conn, app, t.sender.c.id == sender_id)
            if row is None:
                return False
            if pools := _pools_with(conn, app, row["no"]):
                raise InUse(f"Pools have this sender as a member: {', '.join(pools.values())}.")
            if users := campaigns_that_name(conn, app, row["label"], unfinished=True):
                raise InUse(f"Campaigns that have not ended use this sender: {told(users)}.")
            if _speaks(conn, app, row["no"]):
                raise InUse("A run speaks through this sender now.")
            refuse_talking(conn, app, row["label"])
            conn.execute(sa.update(t.sender).where(t.sender.c.no == row["no"]).values(deleted_at=to_micros(now)))
            return True

        return await self._db.write(delete)


def _columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to change as the columns that hold it."""
    values = dict(changes)
    if "pool" in values:
        values["pool"] = to_json(values["pool"])
    if "allowance" in values:
        allowance = values.pop("allowance")
        rate = allowance.segments_per_second
        values |= {"segments_per_second": rate, "limits": to_json(replace(allowance, segments_per_second=None))}
    return values


def _change(conn: sa.Connection, row: Mapping[str, Any], values: Mapping[str, Any], now: datetime) -> Sender:
    if values.get("trunk_no", row["trunk_no"]) != row["trunk_no"]:
        _move(conn, row, now)
    if values:
        conn.execute(sa.update(t.sender).where(t.sender.c.no == row["no"]).values(values))
    return read_sender({**row, **values})


def _made_known(trunk: Trunk, label: str) -> Sender:
    """Return what a caller ID will be that a trunk makes known on first use."""
    no_limits = 0, "", label, trunk.no, None
    return Sender(*no_limits, trunk_id=trunk.id, trunk_allowance=trunk.allowance, writing=trunk.writing)


def _move(conn: sa.Connection, row: Mapping[str, Any], now: datetime) -> None:
    """Remember the trunk that a sender had until now. Raises InUse."""
    pools = _pools_with(conn, row["app"], row["no"])
    if any(_speaks(conn, row["app"], no) for no in (row["no"], *pools)):
        raise InUse("A run speaks through this sender now: it can change its trunk when the run has ended.")
    leave_trunk(conn, row, now)


def _pools_with(conn: sa.Connection, app: int, sender_no: int) -> Mapping[int, str]:
    """Return the labels of the pools that a sender is a member of, by their numbers."""
    pools = sa.select(t.sender.c.no, t.sender.c.label, t.sender.c.pool).where(
        t.sender.c.app == app, t.sender.c.pool != "", t.sender.c.deleted_at == 0
    )
    found = [(no, label, read_pool(pool)) for no, label, pool in conn.execute(pools)]
    return {no: label for no, label, pool in found if pool is not None and sender_no in pool.members}


def _lock(conn: sa.Connection, app: int, which: sa.ColumnElement[bool]) -> Mapping[str, Any] | None:
    mine = t.sender.c.app == app, which, t.sender.c.deleted_at == 0
    return one(conn, sa.select(t.sender).where(*mine).with_for_update())


def _speaks(conn: sa.Connection, app: int, sender_no: int) -> bool:
    """Tell whether a run that has not ended speaks through a sender."""
    run = t.run
    going_on = sa.select(run.c.no).where(run.c.ended_at == 0, run.c.app == app, run.c.sender_no == sender_no)
    return one(conn, going_on.limit(1)) is not None
