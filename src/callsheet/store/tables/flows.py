"""Conversations: the sessions of flows, what was visited in them, what they count, and what they wait for."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, clustered, flag, metadata, serial, text, whole

flow_session = sa.Table(
    "flow_session",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    blob("person"),
    # The sender of ours, and the trunk by which it speaks with the person.
    text("sender"),
    whole("trunk_no"),
    text("channel"),
    whole("flow_no"),
    whole("version"),
    # The attempt that began it; 0: a reply did.
    whole("run_no", default="0"),
    whole("n", default="0"),
    # What began it, once: an attempt's id, or a reply's.
    text("cause"),
    # The session as a value; empty: it was not begun yet.
    blob("state_sealed"),
    # From which columns the campaign's message was made, until it has begun; empty: nobody knows, or a reply began it.
    blob("columns_sealed"),
    # What was said first, in the campaign's message.
    blob("opening_sealed"),
    # Counts its changes: who changes one that somebody else changed meanwhile looks again.
    whole("revision", default="0"),
    text("awaits"),
    # When it is to be looked at: it is to begin, or nobody replied in time; 0: never.
    whole("wakes_at", default="0"),
    whole("opened_at"),
    whole("changed_at"),
    # 0: it is open.
    whole("ended_at", default="0"),
    text("ending", default=""),
    text("why", default=""),
    # The queue in whose inbox it waits, or is worked on; 0: none.
    whole("queue_no", default="0"),
    whole("queued_at", default="0"),
    # The queue to which it was handed over last, also when it has ended; 0: it never was.
    whole("handed_no", default="0"),
    # Who of the queue took it; empty: nobody yet.
    text("agent", default=""),
    text("disposition", default=""),
    sa.UniqueConstraint("app", "cause"),
    sa.UniqueConstraint("app", "id"),
    sa.Index("ix_flow_session_wakes_at", "wakes_at", "app"),
    sa.Index("ix_flow_session_app_opened_at", "app", "opened_at"),
    sa.Index("ix_flow_session_person", "app", "person", "opened_at"),
    sa.Index("ix_flow_session_queue", "app", "queue_no", "queued_at"),
    # For what the sessions of a flow collected.
    sa.Index("ix_flow_session_flow_no", "app", "flow_no", "no"),
    sqlite_autoincrement=True,
)

# A person has one open session by text with a sender; each call has a place of its own.
open_session = clustered(
    "open_session",
    whole("app", key=True),
    blob("person", key=True),
    text("sender", key=True),
    whole("session_no"),
)

# In these very words, or the databases do not see that the index has all that is asked for.
is_answer = sa.text("is_question = 1 and has_left = 1")

flow_visit = clustered(
    "flow_visit",
    whole("app", key=True),
    whole("session_no", key=True),
    whole("no", key=True),
    whole("at"),
    # Of its session: answers are read by flows.
    whole("flow_no"),
    text("flow"),
    text("block"),
    text("name"),
    text("kind"),
    text("exit"),
    flag("has_left"),
    flag("is_question"),
    # `{"value", "response", "why"}`.
    blob("said_sealed"),
    sa.Index(
        "ix_flow_visit_answers",
        "app",
        "flow_no",
        "at",
        "session_no",
        "no",
        sqlite_where=is_answer,
        postgresql_where=is_answer,
    ),
)

flow_count = clustered(
    "flow_count",
    whole("app", key=True),
    whole("flow_no", key=True),
    whole("version", key=True),
    # 0: of sessions that a reply began.
    whole("run_no", key=True),
    # One slot a node, so that nodes do not wait for each other.
    whole("node_no", key=True),
    text("flow", key=True),
    text("block", key=True),
    # `came`, `exit` or `value`, and which.
    text("what", key=True),
    text("name", key=True),
    whole("value"),
)

# What a session waits for that is asked of others: a webhook, a language model.
errand = clustered(
    "errand",
    whole("app", key=True),
    whole("session_no", key=True),
    # By which the other end knows it when it is asked again.
    text("id"),
    text("kind"),
    # By which node alone it is asked: a call goes on there; 0: by any.
    whole("node_no", default="0"),
    # What is asked: a `CallWebhook` or an `AskModel`.
    blob("asked_sealed"),
    whole("revision"),
    # When it is due, or its lease ends.
    whole("next_at"),
    whole("deadline_at"),
    whole("tries", default="0"),
    sa.Index("ix_errand_next_at", "next_at"),
)

# A language model that flows talk to: any endpoint that speaks OpenAI's chat completions.
ai_endpoint = sa.Table(
    "ai_endpoint",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    text("name"),
    text("lname"),
    text("base_url"),
    text("model"),
    blob("key_sealed"),
    # What a million tokens cost, in whatever currency: as JSON, `{"input", "output"}`.
    text("prices", default="{}"),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
    sa.UniqueConstraint("app", "lname"),
    sqlite_autoincrement=True,
)

contact_group = clustered(
    "contact_group",
    whole("app", key=True),
    blob("person", key=True),
    text("group_key", key=True),
    text("name"),
    whole("at"),
    sa.Index("ix_contact_group_group_key", "app", "group_key", "person"),
)
