"""Receipts that wait for their attempt, and the carriers' ids by which they find it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.matching import PARKED_SPAN, LooseReceipt, look_again_at
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.matching import PARKED, read_parked
from callsheet.store.rows import all_of, one

_KEY = ("app", "trunk_no", "day", "carrier_id")


class ParkedReceipt(NamedTuple):
    """A receipt that waits, as an operator sees it."""

    no: int
    trunk_id: str
    """Empty: the trunk was deleted meanwhile."""
    carrier_id: str
    """The carrier's id of the message, as we compare it."""
    kind: str
    code: str
    heard_at: datetime
    tries: int
    """How often its attempt was looked for again."""
    due: datetime


class Taken(NamedTuple):
    """Receipts to look for again, and how many were dropped."""

    receipts: list[LooseReceipt]
    dropped: int


_PUT_OFF = (
    sa.update(t.parked_receipt)
    .where(t.parked_receipt.c.no == sa.bindparam("taken"))
    .values(due=sa.bindparam("later"), tries=t.parked_receipt.c.tries + 1)
)


class ParkedReceipts:
    """The receipts of all apps that wait."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of_app(self, app: int, *, after: int, limit: int) -> list[ParkedReceipt]:
        """Return receipts of an app that wait, in the order in which they came, from a number on."""
        parked, trunk = t.parked_receipt, t.trunk
        query = (
            sa.select(parked, sa.func.coalesce(trunk.c.id, "").label("trunk_id"))
            .outerjoin(trunk, sa.and_(trunk.c.app == parked.c.app, trunk.c.no == parked.c.trunk_no))
            .where(parked.c.app == app, parked.c.no > after)
            .order_by(parked.c.no)
            .limit(limit)
        )
        return await self._db.read(
            lambda conn: [
                ParkedReceipt(
                    row["no"],
                    row["trunk_id"],
                    row["ref"],
                    row["kind"],
                    row["code"],
                    from_micros(row["heard_at"]),
                    row["tries"],
                    from_micros(row["due"]),
                )
                for row in all_of(conn, query)
            ]
        )

    async def take(self, now: datetime, limit: int) -> Taken:
        """Take receipts that are due, each due later from now on; those that have waited too long are dropped."""
        parked = t.parked_receipt
        query = (
            sa.select(*(parked.c[name] for name in ("no", *PARKED.split(", "), "tries")))
            .where(parked.c.due <= to_micros(now))
            .order_by(parked.c.due)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

        def take(conn: sa.Connection) -> Taken:
            rows = conn.execute(query).all()
            old = [row.no for row in rows if row.heard_at <= to_micros(now - PARKED_SPAN)]
            kept = [row for row in rows if row.no not in old]
            if kept:
                conn.execute(_PUT_OFF, [{"taken": row.no, "later": _later(row, now)} for row in kept])
            if old:
                conn.execute(sa.delete(parked).where(parked.c.no.in_(old)))
            return Taken([read_parked(row) for row in kept], len(old))

        return await self._db.write(take)

    async def next_due(self) -> datetime | None:
        """Return when a receipt has to be looked for again; None: none waits."""
        query = sa.select(t.parked_receipt.c.due).order_by(t.parked_receipt.c.due).limit(1)
        row = await self._db.read(lambda conn: one(conn, query))
        return from_micros(row["due"]) if row is not None else None

    async def forget(self, before_day: int, limit: int) -> bool:
        """Forget about so many ids of the days before one, counted from 1970; tell whether there were any."""
        carried = t.carried
        key = sa.tuple_(*(carried.c[name] for name in _KEY))

        def forget(conn: sa.Connection) -> bool:
            where = _oldest(conn, before_day)
            if where is None:
                return False
            app, trunk_no = where
            old = carried.c.app == app, carried.c.trunk_no == trunk_no, carried.c.day < before_day
            last = conn.execute(
                sa.select(*(carried.c[name] for name in _KEY)).where(*old).order_by(*_KEY).offset(limit - 1).limit(1)
            ).first()
            upto = [key <= sa.tuple_(*last)] if last is not None else []
            conn.execute(sa.delete(carried).where(*old, *upto))
            return True

        return await self._db.write(forget)


def _later(row: sa.Row[Any], now: datetime) -> int:
    return to_micros(look_again_at(from_micros(row.heard_at), now, row.tries + 1))


def _oldest(conn: sa.Connection, before_day: int) -> tuple[int, int] | None:
    """Return the first trunk, with its app, that has ids of days before one: a step for each trunk, and no more."""
    carried = t.carried
    where = carried.c.app, carried.c.trunk_no
    seen: tuple[int, int] = (0, 0)
    while True:
        query = sa.select(*where, carried.c.day).where(sa.tuple_(*where) > sa.tuple_(*seen))
        row = conn.execute(query.order_by(*where, carried.c.day).limit(1)).first()
        if row is None:
            return None
        seen = (row.app, row.trunk_no)
        if row.day < before_day:
            return seen
