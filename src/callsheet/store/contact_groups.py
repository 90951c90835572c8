"""Groups of contacts, as flows fill them: whoever is in one, is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from callsheet.clock import from_micros
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.numbers import numbers_of
from callsheet.store.rows import all_of
from callsheet.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Group:
    """A group that has members."""

    key: str
    """By which flows name it."""
    name: str
    members: int


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a group."""

    person: bytes
    number: str
    """Empty: nothing has it any more."""
    at: datetime
    """Since when."""


class ContactGroups:
    """The groups of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def find(self, app: int, key: str) -> Group | None:
        """Return a group; None: nobody is in it."""
        mine = t.contact_group.c.group_key == key
        found = await self._db.read(lambda conn: _groups(conn, app, mine, 1))
        return found[0] if found else None

    async def page(self, app: int, *, after: str, limit: int) -> Sequence[Group]:
        """Return groups by their keys, from after one."""
        later = t.contact_group.c.group_key > after
        return await self._db.read(lambda conn: _groups(conn, app, later, limit))

    async def members(self, app: int, key: str, *, after: bytes, limit: int) -> Sequence[Member]:
        """Return the members of a group from after a person."""
        member = t.contact_group
        mine = member.c.app == app, member.c.group_key == key, member.c.person > after
        query = sa.select(member.c.person, member.c.at).where(*mine).order_by(member.c.person).limit(limit)

        def read(conn: sa.Connection) -> list[Member]:
            rows = all_of(conn, query)
            numbers = numbers_of(conn, self._vault, app, {row["person"] for row in rows})
            return [Member(row["person"], numbers.get(row["person"], ""), from_micros(row["at"])) for row in rows]

        return await self._db.read(read)


def _groups(conn: sa.Connection, app: int, wanted: sa.ColumnElement[bool], limit: int) -> list[Group]:
    member = t.contact_group
    query = (
        sa.select(member.c.group_key, sa.func.max(member.c.name), sa.func.count())
        .where(member.c.app == app, wanted)
        .group_by(member.c.group_key)
        .order_by(member.c.group_key)
        .limit(limit)
    )
    return [Group(*row) for row in conn.execute(query)]
