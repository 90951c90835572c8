"""Trunks, one by one: what they are changed to, their secrets, and when they may go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.errors import InUse
from callsheet.core.notice import NoticeKind
from callsheet.core.segments import Writing
from callsheet.store import tables as t
from callsheet.store.apps import Trunk, read_trunk
from callsheet.store.database import Database
from callsheet.store.outbox import announce
from callsheet.store.rows import DAMAGE, all_of, one, read_pool, to_json
from callsheet.store.vault import Vault

_SHOWN = 5

Document = Mapping[str, Any]


class Settled(NamedTuple):
    """What a trunk is changed to."""

    settings: Document
    secrets: Document
    writing: Writing


Settle = Callable[[str, Document, Document], Settled | None]
"""Makes that of the carrier's name, and of settings and secrets of before; none, or it raises: nothing is changed."""


class Changed(NamedTuple):
    """When a trunk was changed, and whose it is."""

    carrier: str
    at: datetime


class Trunks:
    """The trunks of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def find(self, app: int, trunk_id: str) -> Trunk | None:
        """Return a trunk by its id."""
        query = sa.select(t.trunk).where(t.trunk.c.app == app, t.trunk.c.id == trunk_id)
        row = await self._db.read(lambda conn: one(conn, query))
        return read_trunk(row) if row is not None else None

    async def of_sender(self, app: int, label: str) -> list[Trunk]:
        """Return the trunks through which a sender speaks, those of its members where it is a pool.

        Of a caller ID that nobody configured: the one that would make it known.
        """
        trunk, sender = t.trunk, t.sender
        mine = sender.c.app == app, sender.c.deleted_at == 0

        def read(conn: sa.Connection) -> list[Trunk]:
            row = one(conn, sa.select(sender.c.no, sender.c.pool).where(*mine, sender.c.label == label))
            if row is None:
                wanted = trunk.c.takes_any_sender == 1
            else:
                pool = read_pool(row["pool"])
                members = pool.members if pool is not None else (row["no"],)
                wanted = trunk.c.no.in_(sa.select(sender.c.trunk_no).where(*mine, sender.c.no.in_(members)))
            found = all_of(conn, sa.select(trunk).where(trunk.c.app == app, wanted).order_by(trunk.c.no))
            return [read_trunk(one) for one in (found[:1] if row is None else found)]

        return await self._db.read(read)

    async def changes(self) -> Mapping[int, Changed]:
        """Return when each trunk of all apps was last changed, by its number."""
        query = sa.select(t.trunk.c.no, t.trunk.c.carrier, t.trunk.c.changed_at)
        rows = await self._db.read(lambda conn: list(conn.execute(query)))
        return {no: Changed(carrier, from_micros(at)) for no, carrier, at in rows}

    async def tell(self, trunk: Trunk, kind: NoticeKind, why: str, now: datetime) -> None:
        """Announce what became of a trunk."""
        payload = {"trunk_id": trunk.id, "why": why}
        await self._db.write(lambda conn: announce(conn, trunk.app, kind, payload, now))

    def open_secrets(self, trunk: Trunk) -> Document:
        """Return the secrets of a trunk. Raises InvalidTag when they were changed, moved, or sealed by another key."""
        if not trunk.secrets_sealed:
            return {}
        secrets: Document = msgspec.json.decode(self._vault.open_secret(trunk.secrets_sealed, trunk.id))
        return secrets

    async def change(
        self, app: int, trunk_id: str, changes: Mapping[str, Any], now: datetime, settle: Settle | None = None
    ) -> Trunk | None:
        """Change the named columns, and what the carrier wants to know; None when there is no such trunk.

        What `settle` changed is known by `changed_at`: every node opens the line anew. Whatever it raises is raised.
        """
        values = {key: int(value) if isinstance(value, bool) else value for key, value in changes.items()}
        if "allowance" in values:
            values["limits"] = to_json(values.pop("allowance"))

        def change(conn: sa.Connection) -> Trunk | None:
            row = _lock(conn, app, trunk_id)
            if row is None:
                return None
            new = {**values, **(self._settled(read_trunk(row), settle, now) if settle is not None else {})}
            if new:
                conn.execute(sa.update(t.trunk).where(t.trunk.c.no == row["no"]).values(new))
            return read_trunk({**row, **new})

        return await self._db.write(change)

    def _settled(self, trunk: Trunk, settle: Settle, now: datetime) -> Mapping[str, Any]:
        try:
            before = trunk.settings, self.open_secrets(trunk)
        except DAMAGE:
            # They were damaged, or sealed by another key: whoever gives them again mends that.
            before = trunk.settings, {}
        settled = settle(trunk.carrier, *before)
        if settled is None or (settled.settings, settled.secrets) == before:
            return {}
        settings, secrets, writing = settled
        return {
            "settings": to_json(settings),
            "writing": to_json(writing),
            "secrets_sealed": self._vault.close_secret(to_json(secrets), trunk.id) if secrets else b"",
            # Another node's clock may be ahead of ours: it is another instant all the same.
            "changed_at": to_micros(max(now, trunk.changed_at + timedelta(microseconds=1))),
        }

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
