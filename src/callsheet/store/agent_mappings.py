"""Agent mappings: named lists that say which agent a customer belongs to, and how much he matters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.errors import NameTaken
from callsheet.core.ids import Prefix
from callsheet.core.names import MOST_LOOKED_AT, key_of
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import all_of, insert, new_id, one
from callsheet.store.usage import refuse_used
from callsheet.store.vault import Vault

_NO_PRIORITY = -1


@dataclass(frozen=True, slots=True)
class AgentMapping:
    """A list of customers and their agents."""

    app: int
    no: int
    id: str
    name: str
    description: str
    size: int
    created_at: datetime
    updated_at: datetime


class MappedCustomer(NamedTuple):
    """One customer, and whose he is."""

    person: bytes
    number: str
    agent: str
    """Who the agent is, in the words of whoever wrote it."""
    priority: int | None
    """0 to 10, the highest first; None: none was given."""


class AgentMappings:
    """The agent mappings of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def create(self, app: int, name: str, description: str, now: datetime) -> AgentMapping:
        """Create an empty mapping. Raises NameTaken."""
        mapping_id, at = new_id(Prefix.agent_mapping), to_micros(now)

        def create(conn: sa.Connection) -> AgentMapping:
            _refuse_taken(conn, app, name, 0)
            values = {"name": name, "lname": key_of(name), "description": description}
            insert(conn, t.agent_mapping, app=app, id=mapping_id, **values, created_at=at, updated_at=at)
            return _found(conn, app, mapping_id)

        return await self._db.write(create)

    async def find(self, app: int, *, mapping_id: str | None = None, name: str | None = None) -> AgentMapping | None:
        """Return a mapping by id, or by name: case and blanks at its ends do not count."""
        mapping = t.agent_mapping
        wanted = mapping.c.id == mapping_id if mapping_id else mapping.c.lname == key_of(name or "")
        query = _shown().where(mapping.c.app == app, wanted)
        row = await self._db.read(lambda conn: one(conn, query))
        return _read(row) if row is not None else None

    async def of_app(self, app: int, *, after: int = 0, limit: int) -> list[AgentMapping]:
        """Return the mappings of an app in the order in which they were made, from a number on."""
        mapping = t.agent_mapping
        query = _shown().where(mapping.c.app == app, mapping.c.no > after).order_by(mapping.c.no).limit(limit)
        return [_read(row) for row in await self._db.read(lambda conn: all_of(conn, query))]

    async def change(self, mapping: AgentMapping, changes: Mapping[str, str], now: datetime) -> AgentMapping:
        """Change name and description. Raises NameTaken."""
        values: dict[str, Any] = {**changes, "updated_at": to_micros(now)}
        if "name" in changes:
            values["lname"] = key_of(changes["name"])

        def change(conn: sa.Connection) -> AgentMapping:
            if "name" in changes:
                _refuse_taken(conn, mapping.app, changes["name"], mapping.no)
            mine = t.agent_mapping.c.app == mapping.app, t.agent_mapping.c.no == mapping.no
            conn.execute(sa.update(t.agent_mapping).where(*mine).values(values))
            return _found(conn, mapping.app, mapping.id)

        return await self._db.write(change)

    async def delete(self, mapping: AgentMapping) -> None:
        """Delete a mapping with its customers. Raises InUse when a campaign names it."""
        entry = t.agent_mapping_entry

        def delete(conn: sa.Connection) -> None:
            refuse_used(conn, mapping.app, mapping.id)
            conn.execute(sa.delete(entry).where(entry.c.app == mapping.app, entry.c.mapping_no == mapping.no))
            mine = t.agent_mapping.c.app == mapping.app, t.agent_mapping.c.no == mapping.no
            conn.execute(sa.delete(t.agent_mapping).where(*mine))

        await self._db.write(delete)

    async def names(self, app: int, limit: int = MOST_LOOKED_AT + 1) -> list[str]:
        """Return some of the names, for an answer that says which exist."""
        mapping = t.agent_mapping
        query = sa.select(mapping.c.name).where(mapping.c.app == app).order_by(mapping.c.lname).limit(limit)
        return await self._db.read(lambda conn: [row["name"] for row in all_of(conn, query)])

    async def put(
        self, mapping: AgentMapping, customers: Sequence[MappedCustomer], now: datetime, *, anew: bool = False
    ) -> int:
        """Write customers, in place of what stood of them before, and return how many were not there.

        `anew`: nobody else is on the mapping afterwards.
        """
        entry, at = t.agent_mapping_entry, to_micros(now)
        key = self._vault.app(mapping.app)
        assert key is not None, "the app was opened when its token was read"
        # Of one who is named twice the last line counts.
        latest = {one.person: one for one in customers}
        rows = [
            {
                "app": mapping.app, "mapping_no": mapping.no, "person": one.person, "agent": one.agent, "at": at,
                "sealed": key.close_number(one.number, one.person),
                "priority": _NO_PRIORITY if one.priority is None else one.priority,
            }
            for one in latest.values()
        ]  # fmt: skip

        def put(conn: sa.Connection) -> int:
            # Two that write at the same moment take turns.
            conn.execute(sa.select(t.agent_mapping.c.no).where(t.agent_mapping.c.no == mapping.no).with_for_update())
            mine = entry.c.app == mapping.app, entry.c.mapping_no == mapping.no
            gone = mine if anew else (*mine, entry.c.person.in_(list(latest)))
            replaced = conn.execute(sa.delete(entry).where(*gone)).rowcount
            if rows:
                conn.execute(sa.insert(entry), rows)
            of_it = t.agent_mapping.c.app == mapping.app, t.agent_mapping.c.no == mapping.no
            conn.execute(sa.update(t.agent_mapping).where(*of_it).values(updated_at=at))
            return len(rows) if anew else len(rows) - replaced

        return await self._db.write(put)

    async def remove(self, mapping: AgentMapping, persons: Collection[bytes]) -> int:
        """Take customers off a mapping, and return how many were on it."""
        entry = t.agent_mapping_entry
        mine = entry.c.app == mapping.app, entry.c.mapping_no == mapping.no, entry.c.person.in_(list(persons))
        return await self._db.write(lambda conn: conn.execute(sa.delete(entry).where(*mine)).rowcount)

    async def customers(
        self, mapping: AgentMapping, *, after: bytes | None = None, limit: int
    ) -> Sequence[MappedCustomer]:
        """Return customers in the order of their person keys, from a key on."""
        entry = t.agent_mapping_entry
        query = sa.select(entry).where(entry.c.app == mapping.app, entry.c.mapping_no == mapping.no)
        if after is not None:
            query = query.where(entry.c.person > after)
        rows = await self._db.read(lambda conn: all_of(conn, query.order_by(entry.c.person).limit(limit)))
        key = self._vault.app(mapping.app)
        assert key is not None, "the app was opened when its token was read"
        return [
            MappedCustomer(
                row["person"], key.open_number(row["sealed"], row["person"]), row["agent"],
                None if row["priority"] == _NO_PRIORITY else row["priority"],
            )
            for row in rows
        ]  # fmt: skip


def _shown() -> sa.Select[Any]:
    mapping, entry = t.agent_mapping, t.agent_mapping_entry
    size = (
        sa.select(sa.func.count())
        .where(entry.c.app == mapping.c.app, entry.c.mapping_no == mapping.c.no)
        .scalar_subquery()
        .label("size")
    )
    return sa.select(mapping, size)


def _refuse_taken(conn: sa.Connection, app: int, name: str, but: int) -> None:
    mapping = t.agent_mapping
    taken = sa.select(mapping.c.no).where(mapping.c.app == app, mapping.c.lname == key_of(name), mapping.c.no != but)
    if one(conn, taken):
        raise NameTaken(f"An agent mapping with the name {name} exists already.")


def _found(conn: sa.Connection, app: int, mapping_id: str) -> AgentMapping:
    row = one(conn, _shown().where(t.agent_mapping.c.app == app, t.agent_mapping.c.id == mapping_id))
    assert row is not None, "it was written in this transaction"
    return _read(row)


def _read(row: Mapping[str, Any]) -> AgentMapping:
    return AgentMapping(
        row["app"], row["no"], row["id"], row["name"], row["description"], row["size"],
        from_micros(row["created_at"]), from_micros(row["updated_at"]),
    )  # fmt: skip
