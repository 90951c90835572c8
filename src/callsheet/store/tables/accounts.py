"""Who we work for: accounts, apps, clients, trunks, senders, and the nodes that work."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, clustered, flag, metadata, serial, text, whole

account = sa.Table("account", metadata, text("id", key=True), text("name"), whole("created_at"))

app = sa.Table(
    "app",
    metadata,
    serial(),
    sa.Column("id", sa.Text(), nullable=False, unique=True),
    text("account_id"),
    text("name"),
    blob("key_sealed"),
    text("settings", default="{}"),
    # Calls that forbid raise it; arming holds it: so no arm that began before can commit unseen after.
    whole("gate_no", default="0"),
    whole("created_at"),
    sqlite_autoincrement=True,
)

client = sa.Table(
    "client",
    metadata,
    serial(),
    sa.Column("id", sa.Text(), nullable=False, unique=True),
    whole("app"),
    text("name"),
    blob("secret_sealed"),
    text("algorithm"),
    text("scopes"),
    whole("created_at"),
    sa.UniqueConstraint("app", "no"),
    sqlite_autoincrement=True,
)

trunk = sa.Table(
    "trunk",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    text("name"),
    text("carrier"),
    flag("takes_any_sender"),
    # The carrier confirms a STOP itself: nobody is to be told twice.
    flag("carrier_answers_stop"),
    # A JSON object: how to reach the carrier, as the carrier's room reads it.
    text("settings", default="{}"),
    # A sealed JSON object of the secrets among them; empty: none.
    blob("secrets_sealed"),
    # A JSON object: how much it may send, see `Allowance`.
    text("limits", default="{}"),
    # A JSON object: what of its settings decides into how many segments texts go, see `Writing`.
    text("writing", default="{}"),
    # When it was last changed: an open line that is older is opened anew.
    whole("changed_at"),
    whole("created_at"),
    sa.UniqueConstraint("app", "id"),
    # A number is never given again: the line of a trunk that was deleted may be open still.
    sqlite_autoincrement=True,
)

sender = sa.Table(
    "sender",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    whole("trunk_no"),
    text("label"),
    sa.Column("segments_per_second", sa.Double(), nullable=True),
    # A JSON object: what else limits it, see `Allowance`.
    text("limits", default="{}"),
    # A JSON object: the senders among which it chooses, see `Pool`; empty: it is a caller ID itself.
    text("pool", default=""),
    # The flow that a single message through it starts; empty: none.
    text("flow_id", default=""),
    # Whose sender it is, as registered with the operators of India; empty: not.
    text("dlt_entity_id", default=""),
    # Not 0: it was deleted. Its runs go on naming it.
    whole("deleted_at", default="0"),
    whole("created_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "label"),
)

# The trunks that senders had: receipts of what left before a move come through the trunk of then.
former_trunk = clustered(
    "former_trunk",
    whole("app", key=True),
    whole("sender_no", key=True),
    whole("until", key=True),
    whole("trunk_no"),
)

answer = clustered(
    "answer",
    whole("app", key=True),
    # Who called: an idempotency key means something only to the one who made it up.
    text("caller", key=True),
    text("key", key=True),
    # Empty: a file is coming in, and its hash is not known yet.
    blob("fingerprint"),
    # 0: the request has begun and has no answer yet.
    whole("status", default="0"),
    text("content_type", default=""),
    blob("body_sealed"),
    whole("at"),
    sa.Index("ix_answer_app_at", "app", "at"),
)

bucket = clustered(
    "bucket",
    whole("app", key=True),
    text("name", key=True),
    whole("tat", default="0"),
    # When the day began whose segments were last counted, and how many were reserved of it.
    whole("day", default="0"),
    whole("used", default="0"),
)

node = sa.Table(
    "node",
    metadata,
    serial(),
    text("name"),
    whole("batch_no", default="0"),
    whole("started_at"),
    sqlite_autoincrement=True,
)
