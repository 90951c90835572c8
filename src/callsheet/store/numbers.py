"""Numbers of people, where one still stands: in a contact list, on a DNC list, or with the latest of their replies."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from callsheet.store import tables as t
from callsheet.store.vault import Vault


def numbers_of(conn: sa.Connection, vault: Vault, app: int, persons: Collection[bytes]) -> Mapping[bytes, str]:
    """Find the numbers of people; whom no list and no reply has any more is missing."""
    key = vault.app(app)
    assert key is not None, "the app was opened when its token was read"
    found = _heard(conn, app, persons)
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


def _heard(conn: sa.Connection, app: int, persons: Collection[bytes]) -> dict[bytes, bytes]:
    """Return the sealed numbers that came with the latest replies of people."""
    inbound = t.inbound
    mine = inbound.c.app == app, inbound.c.person.in_(persons)
    latest = sa.select(inbound.c.person, sa.func.max(inbound.c.at)).where(*mine).group_by(inbound.c.person)
    is_latest = sa.tuple_(inbound.c.person, inbound.c.at).in_(latest)
    query = sa.select(inbound.c.person, inbound.c.number_sealed).where(*mine, is_latest, inbound.c.number_sealed != b"")
    return {row.person: row.number_sealed for row in conn.execute(query)}
