"""Hang-ups: which calls somebody wants to end, for the node that leads them, whichever it is."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.ids import AttemptKey
from callsheet.store import tables as t
from callsheet.store.call_wishes import note_wish
from callsheet.store.database import Database


class ToEnd(NamedTuple):
    """What is to end."""

    calls: frozenset[AttemptKey]
    """Which somebody asked for, of a node."""
    apps: frozenset[int]
    """All of whose sending was stopped: no call of theirs goes on."""


class HangUps:
    """The hang-ups of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def ask(self, app: int, key: AttemptKey, now: datetime) -> None:
        """Note that a call is to end; its node sees to it. Raises CallNotFound, CallOver."""
        await self._db.write(lambda conn: note_wish(conn, app, key, hang_up_at=to_micros(now)))

    async def of_node(self, node_no: int) -> ToEnd:
        """Return what is to end on a node."""
        call = t.call
        mine = call.c.ended_at == 0, call.c.node_no == node_no, call.c.hang_up_at != 0
        asked = sa.select(call.c.run_no, call.c.person, call.c.n).where(*mine)

        def to_end(conn: sa.Connection) -> ToEnd:
            calls = frozenset(AttemptKey(*row) for row in conn.execute(asked))
            return ToEnd(calls, frozenset(conn.execute(sa.select(t.sending_stop.c.app)).scalars()))

        return await self._db.read(to_end)
