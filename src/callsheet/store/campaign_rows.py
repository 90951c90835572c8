"""How the rows of campaigns are read: by an id, by a name, or many at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros
from callsheet.core.campaign import Campaign, Status
from callsheet.core.errors import CampaignNotFound, NameAmbiguous
from callsheet.core.names import key_of
from callsheet.core.run import Execution
from callsheet.store import tables as t
from callsheet.store.planning import is_planned, plan_columns, read_plan
from callsheet.store.rows import all_of, read_definition

_ACCEPTED = ("accepted", "delivered", "undelivered")
"""Counters of attempts that a carrier took."""
_MOST_IDS = 21
"""Of campaigns with one name: one more than an answer tells."""


def id_of(conn: sa.Connection, app: int, name: str) -> str | None:
    """Return the id of the campaign with a name: case and blanks at its ends do not count. Raises NameAmbiguous."""
    campaign = t.campaign
    query = sa.select(campaign.c.id).where(campaign.c.app == app, campaign.c.lname == key_of(name))
    ids = list(conn.execute(query.order_by(campaign.c.no.desc()).limit(_MOST_IDS)).scalars())
    if len(ids) > 1:
        raise NameAmbiguous(ids)
    return ids[0] if ids else None


def find(conn: sa.Connection, app: int, campaign_id: str) -> Campaign | None:
    """Return a campaign by its id."""
    found = _with_sent(conn, app, all_of(conn, _BY_ID, {"app": app, "id": campaign_id}))
    return found[0] if found else None


def lock(conn: sa.Connection, campaign: Campaign) -> Campaign:
    """Return the campaign as it is inside this transaction, and keep others from moving it meanwhile."""
    held = conn.execute(sa.select(t.campaign.c.id).where(t.campaign.c.no == campaign.no).with_for_update()).first()
    current = find(conn, campaign.app, campaign.id) if held else None
    if current is None:
        raise CampaignNotFound
    return current


def select_campaigns() -> sa.Select[Any]:
    """Select campaigns at their present version, with their latest runs."""
    campaign, version, run = t.campaign, t.campaign_version, t.run
    return (
        sa.select(
            campaign,
            version.c.definition,
            run.c.id.label("run_id"),
            run.c.updated_at.label("run_updated_at"),
            run.c.execution.label("run_execution"),
            *plan_columns(),
        )
        .join(
            version,
            sa.and_(
                version.c.app == campaign.c.app,
                version.c.campaign_no == campaign.c.no,
                version.c.version == campaign.c.version,
            ),
        )
        .outerjoin(run, run.c.no == campaign.c.run_no)
        .outerjoin(t.schedule, is_planned())
    )


def is_of_run() -> sa.ColumnElement[bool]:
    """Join runs with the versions of campaigns that they carry out."""
    run, version = t.run, t.campaign_version
    return sa.and_(
        version.c.app == run.c.app, version.c.campaign_no == run.c.campaign_no, version.c.version == run.c.version
    )


def read(conn: sa.Connection, app: int, query: sa.Select[Any]) -> list[Campaign]:
    """Return the campaigns of an app that `select_campaigns` found, with how many messages their latest runs sent."""
    return _with_sent(conn, app, all_of(conn, query))


def _with_sent(conn: sa.Connection, app: int, rows: Sequence[Mapping[str, Any]]) -> list[Campaign]:
    sent = _sent(conn, app, [row["run_no"] for row in rows if row["run_no"]])
    return [_read(row, sent.get(row["run_no"], 0)) for row in rows]


def _read(row: Mapping[str, Any], sent: int) -> Campaign:
    return Campaign(
        row["app"],
        row["no"],
        row["id"],
        Status(row["status"]),
        row["version"],
        read_definition(row["definition"]),
        from_micros(row["created_at"]),
        from_micros(row["updated_at"]),
        row["run_no"] or None,
        row["run_id"],
        from_micros(row["run_updated_at"]) if row["run_updated_at"] else None,
        sent,
        row["run_execution"] == Execution.emergency.value,
        plan=read_plan(row),
    )


def _sent(conn: sa.Connection, app: int, runs: Collection[int]) -> dict[int, int]:
    if not runs:
        return {}
    return {run_no: int(total) for run_no, total in conn.execute(_SENT, {"app": app, "runs": list(runs)})}


# Made once: making a statement takes longer than running it.
_BY_ID = select_campaigns().where(t.campaign.c.app == sa.bindparam("app"), t.campaign.c.id == sa.bindparam("id"))
_SENT = (
    sa.select(t.counter.c.run_no, sa.func.sum(t.counter.c.value))
    .where(
        t.counter.c.app == sa.bindparam("app"),
        t.counter.c.run_no.in_(sa.bindparam("runs", expanding=True)),
        t.counter.c.name.in_(_ACCEPTED),
    )
    .group_by(t.counter.c.run_no)
)
