"""Numbers of people, where one still stands: in a contact list, or on a DNC list."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from callsheet.store import tables as t
from callsheet.store.vault import Vault


def numbers_of(conn: sa.Connection, vault: Vault, app: int, persons: Collection[bytes]) -> Mapping[bytes, str]:
    """Find the numbers of people; who is in no list any more is missing."""
    key = vault.app(app)
    assert key is not None, "the app was opened when its token was read"
    found: dict[bytes, bytes] = {}
    for table, lists, list_no in (
        (t.dnc_entry, t.dnc_list, t.dnc_entry.c.dnc_no),
        (t.contact, t.contact_list, t.contact.c.list_no),
    ):
        query = sa.select(table.c.person, table.c.sealed).where(
            table.c.app == app,
            list_no.in_(sa.select(lists.c.no).where(lists.c.app == app)),
            table.c.person.in_(persons),
        )
        found.update((row.person, row.sealed) for row in conn.execute(query))
    return {person: key.open_number(sealed, person) for person, sealed in found.items()}
