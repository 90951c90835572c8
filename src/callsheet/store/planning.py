"""The schedule of a campaign, inside a transaction that holds the campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.audit import ActorKind, Deed
from callsheet.core.campaign import Campaign, Status, scheduled
from callsheet.core.notice import NoticeKind
from callsheet.core.schedule import STARTED, Plan, Schedule, Verdict, next_occurrence
from callsheet.store import tables as t
from callsheet.store.audit import Chain, add_line
from callsheet.store.outbox import announce
from callsheet.store.rows import insert, to_json

_schedule = msgspec.json.Decoder(Schedule)

WAITS = "exists (select 1 from schedule s where s.app = campaign.app and s.campaign_no = campaign.no and s.next_at > 0)"
"""Says in SQL that a campaign starts again by itself."""
IS_OVER = (
    "not exists (select 1 from run o where o.app = campaign.app and o.campaign_no = campaign.no and o.ended_at = 0)"
)
"""Says in SQL that no run of a campaign goes on: single messages are many."""


def plan_columns() -> list[sa.Label[Any]]:
    """Return the columns that `read_plan` reads, for a query that joins `is_planned`."""
    schedule = t.schedule.c
    columns = (schedule.document, schedule.next_at, schedule.last_at, schedule.last_outcome, schedule.last_reason)
    return [column.label(f"plan_{column.name}") for column in columns]


def is_planned() -> sa.ColumnElement[bool]:
    """Say that a schedule is a campaign's."""
    return sa.and_(t.schedule.c.app == t.campaign.c.app, t.schedule.c.campaign_no == t.campaign.c.no)


def read_plan(row: Mapping[str, Any]) -> Plan | None:
    """Read the plan of a campaign from its row."""
    if row["plan_document"] is None:
        return None
    return Plan(
        _schedule.decode(row["plan_document"]),
        _instant(row["plan_next_at"]),
        _instant(row["plan_last_at"]),
        row["plan_last_outcome"],
        row["plan_last_reason"],
    )


def give_plan(conn: sa.Connection, campaign: Campaign, schedule: Schedule, now: datetime) -> Campaign:
    """Give a campaign a schedule, in place of the one that it had. It has an occurrence left: it was checked."""
    next_at = next_occurrence(schedule, now)
    assert next_at is not None, "it was checked"
    drop_plan(conn, campaign.app, campaign.no)
    insert(
        conn,
        t.schedule,
        app=campaign.app,
        campaign_no=campaign.no,
        document=to_json(schedule),
        next_at=to_micros(next_at),
        updated_at=to_micros(now),
    )
    return move_alone(conn, replace(campaign, plan=Plan(schedule, next_at)), scheduled(campaign.status), now)


def move_alone(conn: sa.Connection, campaign: Campaign, status: Status, now: datetime) -> Campaign:
    """Set the state of a campaign, whose run (if it has one) stays as it is."""
    at = to_micros(now)
    mine = sa.update(t.campaign).where(t.campaign.c.no == campaign.no)
    conn.execute(mine.values(status=status.value, updated_at=at))
    return replace(campaign, status=status, updated_at=now)


def drop_plan(conn: sa.Connection, app: int, campaign_no: int) -> None:
    """Take the schedule of a campaign away, if it has one."""
    mine = t.schedule.c.app == app, t.schedule.c.campaign_no == campaign_no
    conn.execute(sa.delete(t.schedule).where(*mine))


def note(
    conn: sa.Connection, campaign: Campaign, verdict: Verdict, now: datetime, *, outcome: str, reason: str = ""
) -> Campaign:
    """Write down what came of an occurrence, and when the next one is. What was not done is announced."""
    assert campaign.plan is not None, "only a campaign with a plan has occurrences"
    missed = verdict.missed
    at = verdict.start or (missed[-1] if missed else campaign.plan.next_at)
    plan = Plan(campaign.plan.schedule, verdict.next_at, at, outcome, reason)
    conn.execute(
        sa.update(t.schedule)
        .where(t.schedule.c.app == campaign.app, t.schedule.c.campaign_no == campaign.no)
        .values(
            next_at=_micros(plan.next_at),
            last_at=_micros(plan.last_at),
            last_outcome=outcome,
            last_reason=reason,
            updated_at=to_micros(now),
        )
    )
    if missed:
        seen = {"count": len(missed), "first_at": missed[0], "last_at": missed[-1]}
        announce(conn, campaign.app, NoticeKind.schedule_missed, {"campaign_id": campaign.id, **seen}, now)
    if verdict.start is not None and outcome != STARTED:
        why = {"at": verdict.start, "code": outcome}
        announce(conn, campaign.app, NoticeKind.schedule_failed, {"campaign_id": campaign.id, **why}, now)
    _write_down(conn, campaign, plan, now)
    return replace(campaign, plan=plan)


def _write_down(conn: sa.Connection, campaign: Campaign, plan: Plan, now: datetime) -> None:
    """Tell the audit log what the engine did by itself. Nothing else is waited for in the transaction after this."""
    details = {
        "outcome": plan.last_outcome,
        "at": plan.last_at.isoformat() if plan.last_at is not None else None,
        "recurrence_precedence": plan.schedule.recurrence_precedence,
    }
    done = "schedule.started" if plan.last_outcome == STARTED else "schedule.passed_over"
    add_line(conn, Chain(app=campaign.app), Deed(ActorKind.engine, "schedule", done, campaign.id, details), now)


def _instant(micros: int) -> datetime | None:
    return from_micros(micros) if micros else None


def _micros(at: datetime | None) -> int:
    return to_micros(at) if at is not None else 0
