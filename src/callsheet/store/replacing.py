"""Replace: give people who are in a list already the values of newer rows. Their rows stay where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.protocol import NewContact
from callsheet.store.rows import all_of

_AT_ONCE = 500


class Replaced(NamedTuple):
    """How many rows got other values, and how many people keep another zone or priority than the newer row says."""

    updated: int
    kept: int


class Replacing:
    """Replaces the values of contacts."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def replace(self, app: int, list_no: int, contacts: Sequence[NewContact]) -> Replaced:
        """Give those of these people who are in the list the values of their last row here; others are left out.

        Zone and priority say at which place of a run somebody comes, so they stay as they were.
        """
        latest = {contact.person: contact for contact in contacts}

        def replace(conn: sa.Connection) -> Replaced:
            updates: list[dict[str, Any]] = []
            kept: set[bytes] = set()
            for row in _rows(conn, app, list_no, list(latest)):
                new = latest[row["person"]]
                if (row["own_zone"], row["priority"]) != (new.own_zone, new.priority):
                    kept.add(row["person"])
                if row["attributes"] != new.attributes:
                    updates.append({"in_group": row["group_no"], "at_pos": row["pos"], "attributes": new.attributes})
            contact = t.contact
            if updates:
                conn.execute(
                    sa.update(contact).where(
                        contact.c.app == app,
                        contact.c.list_no == list_no,
                        contact.c.group_no == sa.bindparam("in_group"),
                        contact.c.pos == sa.bindparam("at_pos"),
                    ),
                    updates,
                )
            return Replaced(len(updates), len(kept))

        return await self._db.write(replace)


def _rows(conn: sa.Connection, app: int, list_no: int, persons: Sequence[bytes]) -> Iterator[Mapping[str, Any]]:
    contact, group = t.contact, t.list_group
    for i in range(0, len(persons), _AT_ONCE):
        yield from all_of(
            conn,
            sa.select(
                contact.c.group_no, contact.c.pos, contact.c.person, contact.c.attributes,
                group.c.own_zone, group.c.priority,
            )
            .join(
                group,
                sa.and_(
                    group.c.app == contact.c.app,
                    group.c.list_no == contact.c.list_no,
                    group.c.group_no == contact.c.group_no,
                ),
            )
            .where(
                contact.c.app == app, contact.c.list_no == list_no, contact.c.person.in_(persons[i : i + _AT_ONCE])
            ),
        )  # fmt: skip
