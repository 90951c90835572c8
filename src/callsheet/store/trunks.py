"""Trunks, one by one: what they are changed to, and when they may go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from callsheet.core.errors import InUse
from callsheet.store import tables as t
from callsheet.store.apps import Trunk, read_trunk
from callsheet.store.database import Database
from callsheet.store.rows import one

_SHOWN = 5


class Trunks:
    """The trunks of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def find(self, app: int, trunk_id: str) -> Trunk | None:
        """Return a trunk by its id."""
        query = sa.select(t.trunk).where(t.trunk.c.app == app, t.trunk.c.id == trunk_id)
        row = await self._db.read(lambda conn: one(conn, query))
        return read_trunk(row) if row is not None else None

    async def change(self, app: int, trunk_id: str, changes: Mapping[str, Any]) -> Trunk | None:
        """Change the named columns, and return the trunk; None when there is none."""
        values = {key: int(value) if isinstance(value, bool) else value for key, value in changes.items()}

        def change(conn: sa.Connection) -> Trunk | None:
            row = _lock(conn, app, trunk_id)
            if row is None:
                return None
            if values:
                conn.execute(sa.update(t.trunk).where(t.trunk.c.no == row["no"]).values(values))
            return read_trunk({**row, **values})

        return await self._db.write(change)

    async def delete(self, app: int, trunk_id: str) -> bool:
        """Delete a trunk, and say whether there was one. Raises InUse while senders belong to it."""

        def delete(conn: sa.Connection) -> bool:
            row = _lock(conn, app, trunk_id)
            if row is None:
                return False
            sender = t.sender
            mine = sender.c.app == app, sender.c.trunk_no == row["no"], sender.c.deleted_at == 0
            labels = conn.execute(sa.select(sender.c.label).where(*mine).order_by(sender.c.no).limit(_SHOWN)).scalars()
            if shown := ", ".join(labels):
                raise InUse(f"Senders use this trunk: {shown}.")
            conn.execute(sa.delete(t.trunk).where(t.trunk.c.no == row["no"]))
            return True

        return await self._db.write(delete)


def _lock(conn: sa.Connection, app: int, trunk_id: str) -> Mapping[str, Any] | None:
    return one(conn, sa.select(t.trunk).where(t.trunk.c.app == app, t.trunk.c.id == trunk_id).with_for_update())
