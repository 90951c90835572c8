"""What people reply, and what is answered to them."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import blob, clustered, flag, metadata, serial, text, whole

inbound = clustered(
    "inbound",
    whole("app", key=True),
    whole("trunk_no", key=True),
    text("inbound_id", key=True),
    text("id"),
    blob("person"),
    # Empty when a list that had it was erased.
    blob("number_sealed"),
    # The sender of ours that it came to.
    text("sender", default=""),
    text("word", default="none"),
    blob("text_sealed"),
    whole("at"),
    # When it was heard, while whoever answers replies has not taken it up; 0: nobody has to, or did.
    whole("waits_since", default="0"),
    whole("lease_until", default="0"),
    # Who gave it its id, and what equal messages have in common, while it may be told again under another id.
    text("teller", default=""),
    blob("digest"),
    # The session of a flow that took it; 0: none did.
    whole("session_no", default="0"),
    sa.UniqueConstraint("app", "id"),
    # For the conversations of a period.
    sa.Index("ix_inbound_app_at", "app", "at"),
    sa.Index("ix_inbound_person", "app", "person", "at"),
    sa.Index("ix_inbound_waits_since", "waits_since", "app"),
)

inbound_part = clustered(
    "inbound_part",
    whole("app", key=True),
    whole("trunk_no", key=True),
    text("inbound_id", key=True),
    blob("person"),
    text("sender"),
    whole("reference"),
    whole("total"),
    whole("number"),
    blob("number_sealed"),
    blob("text_sealed"),
    whole("at"),
    # When it was heard, while its text is not whole; 0: it became part of one.
    whole("waits_since"),
    whole("heard_at"),
    text("teller", default=""),
    blob("digest"),
    sa.Index("ix_inbound_part_person", "app", "person", "reference"),
    sa.Index("ix_inbound_part_waits_since", "waits_since"),
    sa.Index("ix_inbound_part_heard_at", "heard_at"),
)

reply = sa.Table(
    "reply",
    metadata,
    serial(),
    whole("app"),
    blob("person"),
    # Empty when it has ended.
    blob("number_sealed"),
    whole("trunk_no"),
    text("sender"),
    text("kind"),
    text("state"),
    blob("text_sealed"),
    whole("segments"),
    # When it is due, or its lease ends; 0: it has ended.
    whole("next_at"),
    whole("deadline_at"),
    whole("tries", default="0"),
    # Of one that was taken: 1: it may leave no more, by somebody who does not hold it; 2: its holder knows.
    flag("recalled"),
    text("code", default=""),
    text("ref", default=""),
    whole("at"),
    whole("ended_at", default="0"),
    # The session of a flow that says it; 0: none.
    whole("session_no", default="0"),
    # The run for which it is said though nobody asked just now: it leaves only while that goes on; 0: it was asked for.
    whole("run_no", default="0"),
    sa.Index("ix_reply_next_at", "next_at"),
    sa.Index("ix_reply_person", "app", "person", "at"),
    sqlite_autoincrement=True,
)
