"""Dialouts: single calls that somebody asked for, and what he is told of them."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, flag, metadata, serial, text, whole

dialout = sa.Table(
    "dialout",
    metadata,
    serial(),
    whole("app"),
    # The `sid` of the answer.
    text("id"),
    whole("run_no"),
    blob("person"),
    # Where it is told, and with which headers (a JSON object); empty: nobody is told.
    blob("url_sealed"),
    blob("headers_sealed"),
    # Whether machine detection was asked for, and of which of its events is told (a JSON array; null: all).
    flag("detects"),
    text("events"),
    # The names of what was told, or is on its way (a JSON array).
    text("told", default="[]"),
    # 1: there is nothing more to tell of it.
    flag("done"),
    # Until when it may be placed.
    whole("until"),
    whole("at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "run_no"),
    sa.Index("ix_dialout_done", "done", "no"),
    sqlite_autoincrement=True,
)

dialout_notice = sa.Table(
    "dialout_notice",
    metadata,
    serial(),
    whole("app"),
    whole("dialout_no"),
    text("name"),
    text("payload"),
    whole("tries", default="0"),
    # When it is sent, or when the node that sends it must have said what came of it.
    whole("next_at"),
    # How often a node took it: what an overtaken one says of it counts for nothing.
    whole("epoch", default="0"),
    whole("at"),
    sa.UniqueConstraint("dialout_no", "name"),
    sa.Index("ix_dialout_notice_next_at", "next_at"),
    sqlite_autoincrement=True,
)
