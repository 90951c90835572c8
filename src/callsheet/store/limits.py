"""Limits of volume, inside the transaction that adds."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.core.limits import Limit, most_of, refuse_past
from callsheet.store import tables as t
from callsheet.store.gate import one_at_a_time
from callsheet.store.rows import read_settings


def refuse_another(conn: sa.Connection, table: sa.Table, app: int, limit: Limit) -> None:
    """Refuse one more row of an app where its limit is reached. Raises LimitReached."""
    settings = read_settings(conn.execute(sa.select(t.app.c.settings).where(t.app.c.no == app)).scalar_one())
    if most_of(settings, limit) is None:
        return
    # Two that are added at once would not see each other.
    one_at_a_time(conn, app)
    count = sa.select(sa.func.count()).select_from(table).where(table.c.app == app)
    refuse_past(settings, limit, conn.execute(count).scalar_one() + 1)
