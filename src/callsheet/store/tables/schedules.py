"""Schedules: when campaigns start by themselves."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import clustered, text, whole

schedule = clustered(
    "schedule",
    whole("app", key=True),
    whole("campaign_no", key=True),
    text("document"),
    # 0: it starts nothing any more.
    whole("next_at"),
    # 0: it had no occurrence yet.
    whole("last_at", default="0"),
    text("last_outcome", default=""),
    text("last_reason", default=""),
    whole("updated_at"),
    # For the loop that starts what is due, in all apps; and for an app's calendar.
    sa.Index("ix_schedule_next_at", "next_at"),
    sa.Index("ix_schedule_app_next_at_campaign_no", "app", "next_at", "campaign_no"),
)
