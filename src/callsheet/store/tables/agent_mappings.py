"""Agent mappings: which agent a customer belongs to, and how much he matters."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, metadata, serial, text, whole

agent_mapping = sa.Table(
    "agent_mapping",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    text("name"),
    text("lname"),
    text("description", default=""),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "lname"),
    sqlite_autoincrement=True,
)

agent_mapping_entry = sa.Table(
    "agent_mapping_entry",
    metadata,
    serial(),
    whole("app"),
    whole("mapping_no"),
    blob("person"),
    blob("sealed"),
    # Who the agent is, in the words of whoever wrote it: an id, an address, a name.
    text("agent"),
    # 0 to 10, the highest first; -1: none was given.
    whole("priority", default="-1"),
    whole("at"),
    sa.UniqueConstraint("app", "mapping_no", "person"),
    sqlite_autoincrement=True,
)
