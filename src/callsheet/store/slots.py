"""Slots for calls at once, over all nodes: each holds some of what is allowed, until its lease ends."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.gate import one_at_a_time
from callsheet.store.rows import insert


class Slots:
    """The slots of all apps. What nodes hold whose leases last never adds up to more than is allowed."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def hold(
        self, app: int, name: str, *, most: int, used: int, node_no: int, now: datetime, until: datetime
    ) -> int:
        """Hold slots of a limit until an instant, and return how many: what nobody else holds, or a fair share of it.

        What is `used` is kept: calls are not hung up for others, nor because the limit was lowered.
        """
        slot, mine = t.slot, (t.slot.c.app == app, t.slot.c.name == name, t.slot.c.node_no == node_no)

        def hold(conn: sa.Connection) -> int:
            one_at_a_time(conn, app)
            alive = slot.c.app == app, slot.c.name == name, slot.c.lease_until > to_micros(now)
            others = list(conn.execute(sa.select(slot.c.held).where(*alive, slot.c.node_no != node_no)).scalars())
            left = max(0, most - sum(others))
            # Rounded up, so that a limit smaller than the number of nodes is some node's all the same.
            share = -(-most // (len(others) + 1))
            held: int = max(used, min(left, share))
            conn.execute(sa.delete(slot).where(*mine))
            insert(conn, slot, app=app, name=name, node_no=node_no, held=held, lease_until=to_micros(until))
            return held

        return await self._db.write(hold)

    async def give_back(self, app: int, name: str, node_no: int) -> None:
        """Hold no slot of a limit any more."""
        mine = t.slot.c.app == app, t.slot.c.name == name, t.slot.c.node_no == node_no
        await self._db.write(lambda conn: conn.execute(sa.delete(t.slot).where(*mine)))

    async def sweep(self, now: datetime) -> int:
        """Forget what nodes held whose leases have ended, and return how many rows that were."""
        ended = t.slot.c.lease_until <= to_micros(now)
        return await self._db.write(lambda conn: conn.execute(sa.delete(t.slot).where(ended)).rowcount)
