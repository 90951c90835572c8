"""Slots for calls at once, over all nodes: each holds some of what is allowed, until its lease ends."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.pacing import share_out
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.gate import share_slots
from callsheet.store.rows import insert

TURN_MICROS: Final = 30_000_000
"""So long the same nodes have the odd slots; then it is the turn of the next ones."""


class Use(NamedTuple):
    """What a node does with the slots of a limit."""

    used: int
    wanted: int
    """How many it could use, those in use among them."""


class Slots:
    """The slots of all apps. What nodes hold whose leases last never adds up to more than is allowed."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def hold(
        self, app: int, name: str, *, most: int, use: Use, node_no: int, now: datetime, until: datetime
    ) -> int:
        """Hold slots of a limit until an instant, and return how many calls may be: a fair share of what is left.

        That may be less than is used: then what is used is held, for calls are not hung up for others, nor because the
        limit was lowered; but none is to be begun until enough of them are over.
        """
        slot, mine = t.slot, (t.slot.c.app == app, t.slot.c.name == name, t.slot.c.node_no == node_no)

        def hold(conn: sa.Connection) -> int:
            share_slots(conn, app)
            alive = slot.c.app == app, slot.c.name == name, slot.c.lease_until > to_micros(now)
            columns = slot.c.node_no, slot.c.held, slot.c.wanted
            others = conn.execute(sa.select(*columns).where(*alive, slot.c.node_no != node_no)).all()
            left = max(0, most - sum(row.held for row in others))
            wanted = {node_no: use.wanted, **{row.node_no: row.wanted for row in others}}
            fair: int = min(left, share_out(most, wanted, to_micros(now) // TURN_MICROS)[node_no])
            row = {"held": max(use.used, fair), "wanted": use.wanted, "lease_until": to_micros(until)}
            conn.execute(sa.delete(slot).where(*mine))
            insert(conn, slot, app=app, name=name, node_no=node_no, **row)
            return fair

        return await self._db.write(hold)

    async def give_back(self, app: int, name: str, node_no: int) -> None:
        """Hold no slot of a limit any more."""
        mine = t.slot.c.app == app, t.slot.c.name == name, t.slot.c.node_no == node_no
        await self._db.write(lambda conn: conn.execute(sa.delete(t.slot).where(*mine)))

    async def sweep(self, now: datetime) -> int:
        """Forget what nodes held whose leases have ended, and return how many rows that were."""
        ended = t.slot.c.lease_until <= to_micros(now)
        return await self._db.write(lambda conn: conn.execute(sa.delete(t.slot).where(ended)).rowcount)
