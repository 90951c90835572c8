"""Acquaintances: whom an app has to do with. It decides whose a reply is that may be of two people."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import read_settings


class Acquaintances:
    """The people whom apps have contacted, or have in a list."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def region(self, app: int) -> str | None:
        """Return where numbers of the app are local."""
        query = sa.select(t.app.c.settings).where(t.app.c.no == app)
        return read_settings(await self._db.read(lambda conn: str(conn.execute(query).scalar_one()))).region

    async def among(self, app: int, persons: Collection[bytes]) -> set[bytes]:
        """Return those of some people whom the app knows."""
        lists = sa.select(t.contact_list.c.no).where(t.contact_list.c.app == app)
        contact, attempt = t.contact, t.attempt
        queries = (
            sa.select(attempt.c.person).where(attempt.c.app == app, attempt.c.person.in_(persons)),
            sa.select(contact.c.person).where(
                contact.c.app == app, contact.c.list_no.in_(lists), contact.c.person.in_(persons)
            ),
        )

        def read(conn: sa.Connection) -> set[bytes]:
            return {person for query in queries for person in conn.execute(query.distinct()).scalars()}

        return await self._db.read(read)
