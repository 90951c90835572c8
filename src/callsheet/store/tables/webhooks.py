"""Webhooks, and what is on its way to them."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, flag, metadata, serial, text, whole

webhook = sa.Table(
    "webhook",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    # A URL often is a secret of its own.
    blob("url_sealed"),
    # A JSON array; null: all.
    text("kinds"),
    text("description"),
    flag("enabled"),
    # Why we disabled it; empty: we did not.
    text("problem", default=""),
    blob("secret_sealed"),
    # The secret before, and until when it signs too; 0: none.
    blob("old_secret_sealed"),
    whole("old_secret_until", default="0"),
    # 0: the last delivery got through.
    whole("failing_since", default="0"),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sqlite_autoincrement=True,
)

delivery = sa.Table(
    "delivery",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    whole("webhook_no"),
    text("kind"),
    text("payload"),
    # When what it tells happened.
    whole("at"),
    text("state"),
    whole("tries", default="0"),
    # The HTTP status of the last answer; 0: there was none.
    whole("last_status", default="0"),
    text("problem", default=""),
    # When it is sent, or when the node that sends it must have said what came of it; 0: it is not sent any more.
    whole("next_at"),
    # How often a node took it: what an overtaken one says of it counts for nothing.
    whole("epoch", default="0"),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.Index("ix_delivery_app_webhook_no", "app", "webhook_no", "no"),
    sa.Index("ix_delivery_webhook_no_next_at", "webhook_no", "next_at"),
    sa.Index("ix_delivery_created_at", "created_at"),
    sqlite_autoincrement=True,
)
