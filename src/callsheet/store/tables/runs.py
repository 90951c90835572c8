"""Runs, and the way a contact is reached."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, clustered, flag, metadata, serial, text, whole

run = sa.Table(
    "run",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    whole("campaign_no"),
    whole("version"),
    text("channel"),
    text("status"),
    whole("sender_no"),
    # The text to send, pinned at the start: from the template, the flow or the campaign itself.
    text("text"),
    # The flow whose conversation it begins, and its version, pinned too; 0: none.
    whole("flow_no", default="0"),
    whole("flow_version", default="0"),
    # What some carriers want to know of it besides, as a JSON object, pinned too: see `Outbound`.
    text("tags", default="{}"),
    # How it was begun: see `Launch`.
    text("execution", default="NORMAL"),
    flag("only_unreached"),
    text("reason", default=""),
    # 0: when nothing is left to do.
    whole("ends_at", default="0"),
    flag("over_hours"),
    whole("started_at"),
    whole("updated_at"),
    # 0: it has not ended.
    whole("ended_at", default="0"),
    # 0: it never came out of a backup. Else what it did after `backup_at` is not recorded, and nobody resumes it before
    # somebody has acknowledged that: `acknowledged_at` is later than `restored_at` then.
    whole("backup_at", default="0"),
    whole("restored_at", default="0"),
    whole("acknowledged_at", default="0"),
    sa.UniqueConstraint("app", "id"),
    sa.Index("ix_run_app_campaign_no", "app", "campaign_no"),
    # For those that go on, which are few: the engine asks for them at every look.
    # And whether any of a campaign does, which has a run for each of its single messages.
    sa.Index("ix_run_ended_at", "ended_at", "app", "campaign_no"),
    sqlite_autoincrement=True,
)

run_list = clustered(
    "run_list",
    whole("app", key=True),
    whole("run_no", key=True),
    whole("list_no", key=True),
    whole("place"),
    # Positions below it belong to a cursor already; what lies above came later and becomes the next range.
    whole("taken_size"),
)

cursor = clustered(
    "cursor",
    whole("app", key=True),
    whole("run_no", key=True),
    whole("list_no", key=True),
    whole("group_no", key=True),
    whole("range_no", key=True),
    whole("lo"),
    whole("hi"),
    # How many are left between them.
    whole("contacts"),
    # How many the group had when this range last grew: what came later is the group's size less this of its last range.
    whole("seen"),
)

chunk = clustered(
    "chunk",
    whole("app", key=True),
    whole("run_no", key=True),
    whole("list_no", key=True),
    whole("group_no", key=True),
    # Where it began: positions are cut once, so this names a chunk for ever.
    whole("first", key=True),
    whole("lo"),
    whole("hi"),
    whole("node_no"),
    whole("epoch"),
    whole("lease_until"),
)

arm = clustered(
    "arm",
    whole("app", key=True),
    whole("run_no", key=True),
    whole("node_no", key=True),
    whole("arm_no", key=True),
    whole("lease_until"),
    # 1: every intent of it has left, or never will.
    flag("handed"),
    # 1: another node asks for what has not left: something of it was forbidden there.
    flag("recalled"),
    # 18 bytes each: the person key and the try, big-endian.
    blob("members"),
)

attempt = clustered(
    "attempt",
    whole("app", key=True),
    whole("run_no", key=True),
    blob("person", key=True),
    whole("n", key=True),
    whole("used"),
    whole("list_no"),
    whole("pos"),
    whole("group_no"),
    whole("at"),
    # Through which sender of a pool; 0: the run's own.
    whole("sender_no", default="0"),
    sa.Index("ix_attempt_app_person_at", "app", "person", "at"),
)

event = clustered(
    "event",
    whole("app", key=True),
    whole("run_no", key=True),
    blob("person", key=True),
    whole("n", key=True),
    text("kind", key=True),
    whole("at"),
    text("code"),
    text("ref"),
    whole("segments"),
)

uncertain = clustered(
    "uncertain",
    whole("app", key=True),
    whole("run_no", key=True),
    blob("person", key=True),
    whole("n", key=True),
    whole("at"),
)

# The ids under which carriers that do not carry our reference speak of attempts. Days are counted from 1970, so that a
# look-up names a few of them, and the old ones lie together.
carried = clustered(
    "carried",
    whole("app", key=True),
    whole("trunk_no", key=True),
    whole("day", key=True),
    # As `core.matching.canonical` writes it.
    text("carrier_id", key=True),
    whole("run_no", key=True),
    blob("person", key=True),
    whole("n", key=True),
    whole("at"),
    # Of how many parts the text is, the ids of the others with spaces between, and how this one stands, if we know.
    whole("parts", default="1"),
    text("others", default=""),
    text("state", default=""),
)

# Receipts whose message nobody knows yet, each once.
parked_receipt = sa.Table(
    "parked_receipt",
    metadata,
    serial(),
    whole("app"),
    whole("trunk_no"),
    text("carrier_id"),
    text("kind"),
    # Empty: the carrier did not say of whom it speaks.
    blob("person"),
    # How the answer may have written the id, with spaces between.
    text("other_ids"),
    whole("at"),
    text("code"),
    text("ref"),
    # 0: none.
    whole("hint"),
    whole("heard_at"),
    whole("tries", default="0"),
    # When its attempt is looked for again.
    whole("due"),
    sa.UniqueConstraint("app", "trunk_no", "carrier_id", "kind", "person"),
    sa.Index("ix_parked_receipt_due", "due"),
    sqlite_autoincrement=True,
)

suppression = clustered(
    "suppression",
    whole("app", key=True),
    whole("run_no", key=True),
    whole("list_no", key=True),
    whole("pos", key=True),
    blob("person"),
    text("reason"),
    whole("at"),
    sa.Index("ix_suppression_person", "app", "person", "at"),
)

retry = clustered(
    "retry",
    whole("app", key=True),
    whole("run_no", key=True),
    whole("turn", key=True),
    whole("due", key=True),
    whole("list_no", key=True),
    whole("pos", key=True),
    blob("person"),
    whole("n"),
    whole("used"),
    whole("group_no"),
    text("reason"),
    sa.Index("ix_retry_person", "app", "person"),
)

callback = clustered(
    "callback",
    whole("app", key=True),
    whole("run_no", key=True),
    blob("person", key=True),
    whole("due", key=True),
    whole("list_no"),
    whole("pos"),
    whole("group_no"),
    # The try that it became; 0 while it waits.
    whole("n", default="0"),
    whole("asked_at"),
)

counter = clustered(
    "counter",
    whole("app", key=True),
    whole("run_no", key=True),
    # One slot a node, so that nodes do not wait for each other.
    whole("node_no", key=True),
    text("name", key=True),
    whole("value"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    serial("seq"),
    whole("app"),
    text("kind"),
    text("payload"),
    whole("at"),
    sqlite_autoincrement=True,
)
