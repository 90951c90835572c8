"""Queues: where a call waits for an agent."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import flag, metadata, serial, text, whole

queue = sa.Table(
    "queue",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    text("name"),
    text("lname"),
    text("description", default=""),
    whole("priority"),
    flag("is_default"),
    flag("is_active", default="1"),
    # The names of the skills that its agents need: a JSON array.
    text("skills", default="[]"),
    # Whom callers are put through to who are handed over to it: a telephone number, or a SIP address. Empty: nobody.
    text("number", default=""),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "lname"),
    sqlite_autoincrement=True,
)
