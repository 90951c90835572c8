"""What was done, and by whom. `audit` is insert-only; `audit_head` holds where each chain ends."""

from __future__ import annotations

from callsheet.store.tables.columns import blob, clustered, text, whole

audit = clustered(
    "audit",
    whole("app", key=True),
    text("account_id", key=True),
    whole("seq", key=True),
    whole("at"),
    text("actor_kind"),
    text("actor_id"),
    text("action"),
    text("thing"),
    text("details"),
    blob("hash"),
)

audit_head = clustered(
    "audit_head",
    whole("app", key=True),
    text("account_id", key=True),
    whole("seq"),
    blob("hash"),
)
