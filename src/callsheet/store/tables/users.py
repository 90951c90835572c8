"""Users, what each is in which app, and their sessions. A token of a session stands here as its SHA-256 only."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, clustered, flag, metadata, serial, text, whole

account_user = sa.Table(
    "account_user",
    metadata,
    serial(),
    sa.Column("id", sa.Text(), nullable=False, unique=True),
    text("account_id"),
    text("login"),
    text("llogin"),
    text("name"),
    text("password_hash"),
    whole("created_at"),
    sa.UniqueConstraint("account_id", "llogin"),
    sa.Index("ix_account_user_llogin", "llogin"),
    sqlite_autoincrement=True,
)

user_role = clustered(
    "user_role",
    whole("app", key=True),
    whole("user_no", key=True),
    text("role"),
    flag("disabled"),
    sa.Index("ix_user_role_user_no", "user_no"),
)

user_session = clustered(
    "user_session",
    blob("token_hash", key=True),
    whole("user_no"),
    whole("created_at"),
    whole("seen_at"),
    sa.Index("ix_user_session_user_no", "user_no"),
)
