"""Wishes: what somebody asks of a call that goes on, noted on its row for the node that leads it, whichever it is."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.core.call_errors import CallNotFound, CallOver
from callsheet.core.ids import AttemptKey
from callsheet.store import tables as t
from callsheet.store.rows import one


def note_wish(conn: sa.Connection, app: int, key: AttemptKey, **values: str | int) -> None:
    """Write a wish onto the row of a call. Raises CallNotFound, and CallOver where it goes on no more."""
    call = t.call
    its = call.c.app == app, call.c.run_no == key.run_no, call.c.person == key.person, call.c.n == key.n
    row = one(conn, sa.select(call.c.ended_at).where(*its).with_for_update())
    if row is None:
        raise CallNotFound
    if row["ended_at"]:
        raise CallOver
    conn.execute(sa.update(call).where(*its).values(**values))
