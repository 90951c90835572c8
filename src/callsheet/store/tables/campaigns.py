"""Templates, flows and campaigns, each with its versions."""

from __future__ import annotations

import sqlalchemy as sa

from callsheet.store.tables.columns import clustered, metadata, serial, text, whole


def _versioned(name: str, body: str) -> tuple[sa.Table, sa.Table]:
    """Return a named thing and its versions: a run pins one, an edit makes the next."""
    thing = sa.Table(
        name,
        metadata,
        serial(),
        whole("app"),
        text("id"),
        text("name"),
        text("lname"),
        whole("version"),
        # As which the text is registered with the operators of India; empty: not.
        text("dlt_template_id", default=""),
        whole("created_at"),
        whole("updated_at"),
        sa.UniqueConstraint("app", "id"),
        sa.UniqueConstraint("app", "lname"),
    )
    versions = clustered(
        f"{name}_version",
        whole("app", key=True),
        whole(f"{name}_no", key=True),
        whole("version", key=True),
        text(body),
        whole("created_at"),
    )
    return thing, versions


template, template_version = _versioned("template", "body")
flow, flow_version = _versioned("flow", "document")

campaign = sa.Table(
    "campaign",
    metadata,
    serial(),
    whole("app"),
    text("id"),
    # As in its present version, for lists and searches; `lname` is the key by which it is found.
    text("name"),
    text("lname"),
    text("channel"),
    text("status"),
    whole("version"),
    whole("priority"),
    # Empty: it does not call.
    text("mode", default=""),
    # 0: it never ran.
    whole("run_no", default="0"),
    whole("created_at"),
    whole("updated_at"),
    sa.UniqueConstraint("app", "id"),
    # Pages of campaigns, the latest first.
    sa.Index("ix_campaign_app_no", "app", "no"),
    sa.Index("ix_campaign_app_lname", "app", "lname"),
    sa.Index("ix_campaign_app_channel_created_at", "app", "channel", "created_at"),
    sa.Index("ix_campaign_app_channel_updated_at", "app", "channel", "updated_at"),
    sa.Index("ix_campaign_app_channel_lname", "app", "channel", "lname"),
    sqlite_autoincrement=True,
)

campaign_version = clustered(
    "campaign_version",
    whole("app", key=True),
    whole("campaign_no", key=True),
    whole("version", key=True),
    text("definition"),
)

campaign_dnc = clustered(
    "campaign_dnc", whole("app", key=True), whole("dnc_no", key=True), whole("campaign_no", key=True)
)

# An app without a row may send.
sending_stop = clustered("sending_stop", whole("app", key=True), text("reason"), text("by"), whole("at"))

# The latest look at all messages of a campaign before anybody gets one.
preflight = clustered(
    "preflight",
    whole("app", key=True),
    whole("campaign_no", key=True),
    # `waiting`, `running` or `done`.
    text("state"),
    # What it looks at, pinned: a JSON object.
    text("pins"),
    # How far it is: the list by its place, the position in it, and what was counted until there, a JSON object.
    whole("place", default="0"),
    whole("pos", default="0"),
    text("tally", default="{}"),
    # What it came to, a JSON object; empty until it is done.
    text("outcome", default=""),
    # Who looks holds it until `lease_until`; each who takes it raises `epoch`.
    whole("epoch", default="0"),
    whole("lease_until", default="0"),
    whole("begun_at"),
    whole("finished_at", default="0"),
    sa.Index("ix_preflight_finished_at", "finished_at"),
)

preparing = clustered("preparing", whole("app", key=True), whole("campaign_no", key=True))

campaign_list = clustered(
    "campaign_list",
    whole("app", key=True),
    whole("list_no", key=True),
    whole("campaign_no", key=True),
    whole("place"),
)
