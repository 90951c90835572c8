"""Pulls: contact lists that fetch their contacts from a URL."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, clustered, metadata, serial, text, whole

pull = clustered(
    "pull",
    whole("app", key=True),
    whole("list_no", key=True),
    # All of it is sealed: the URL, the headers and the body may hold keys.
    blob("plan_sealed"),
    # The beginning of its schedule.
    whole("anchor_at"),
    # 0: not by itself.
    whole("next_at"),
    # The node that pulls holds it until then.
    whole("lease_until", default="0"),
    # How often a node took it.
    whole("epoch", default="0"),
    # In a row.
    whole("failures", default="0"),
    whole("created_at"),
    whole("updated_at"),
    sa.Index("ix_pull_next_at", "next_at"),
)

pull_log = sa.Table(
    "pull_log",
    metadata,
    serial(),
    whole("app"),
    whole("list_no"),
    whole("at"),
    text("state"),
    whole("rows"),
    whole("added"),
    whole("updated"),
    whole("rejected"),
    text("problem"),
    sa.Index("ix_pull_log_app_list_no", "app", "list_no", "no"),
    sa.Index("ix_pull_log_at", "at"),
    sqlite_autoincrement=True,
)
