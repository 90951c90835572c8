"""The numbers on DNC lists. `BulkStore.forbid` puts them there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.dnc import DncList, hold_list
from callsheet.store.rows import all_of
from callsheet.store.vault import Vault


@dataclass(frozen=True, slots=True)
class DncEntry:
    """A number that is not contacted, and how it came to be on its list."""

    person: bytes
    number: str
    source: str
    """Who added it: `api`, or an import."""
    added_at: datetime


class DncEntries:
    """The numbers on the DNC lists of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def page(self, dnc_list: DncList, *, after: bytes | None, limit: int) -> list[DncEntry]:
        """Return numbers in the order of their person keys, from a key on."""
        further = [t.dnc_entry.c.person > after] if after is not None else []
        query = _of(dnc_list).where(*further).order_by(t.dnc_entry.c.person).limit(limit)
        return await self._read(dnc_list.app, query)

    async def find(self, dnc_list: DncList, persons: Collection[bytes]) -> list[DncEntry]:
        """Return those of these people who are on a list."""
        return await self._read(dnc_list.app, _of(dnc_list).where(t.dnc_entry.c.person.in_(persons)))

    async def remove(self, dnc_list: DncList, persons: Collection[bytes], now: datetime) -> Collection[bytes]:
        """Take people off a list, and return who was on it. Raises DncListNotFound."""
        entry = t.dnc_entry
        mine = sa.and_(entry.c.app == dnc_list.app, entry.c.dnc_no == dnc_list.no, entry.c.person.in_(persons))

        def remove(conn: sa.Connection) -> Collection[bytes]:
            # Whoever holds the list's row is the only one to change its numbers: its size stays exact.
            size = hold_list(conn, dnc_list).size
            found = set(conn.execute(sa.select(entry.c.person).where(mine)).scalars())
            conn.execute(sa.delete(entry).where(mine))
            lists = t.dnc_list
            conn.execute(
                sa.update(lists)
                .where(lists.c.app == dnc_list.app, lists.c.no == dnc_list.no)
                .values(size=size - len(found), updated_at=to_micros(now))
            )
            return found

        return await self._db.write(remove)

    async def _read(self, app: int, query: sa.Select[tuple[bytes, bytes, str, int]]) -> list[DncEntry]:
        rows = await self._db.read(lambda conn: all_of(conn, query))
        key = self._vault.app(app)
        assert key is not None, "a list of an app that was never opened"
        return [
            DncEntry(
                row["person"],
                key.open_number(row["sealed"], row["person"]),
                row["source"],
                from_micros(row["added_at"]),
            )
            for row in rows
        ]


def _of(dnc_list: DncList) -> sa.Select[tuple[bytes, bytes, str, int]]:
    entry = t.dnc_entry
    return sa.select(entry.c.person, entry.c.sealed, entry.c.source, entry.c.added_at).where(
        entry.c.app == dnc_list.app, entry.c.dnc_no == dnc_list.no
    )
