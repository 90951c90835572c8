"""What becomes of runs when a store comes out of a backup: nobody is contacted before somebody has said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.answering import ReplyState
from callsheet.core.audit import ActorKind, Deed
from callsheet.core.campaign import Status
from callsheet.core.errors import RestoreNotAcknowledged
from callsheet.core.flow.session import Ending
from callsheet.core.notice import NoticeKind
from callsheet.store import tables as t
from callsheet.store.audit import Chain, add_line
from callsheet.store.database import Database
from callsheet.store.flow_ends import FEW, end_sessions
from callsheet.store.outbox import announce
from callsheet.store.rows import all_of, one
from callsheet.store.sending import refuse_stopped

_MICROS_PER_MILLI = 1000
_RESTORED: Final = "The store came out of a backup."


class MarkedRun(NamedTuple):
    """A run that went on at the backup's instant."""

    app_id: str
    campaign_id: str
    run_id: str
    status: str
    """How it stood in the backup."""


class Marked(NamedTuple):
    """What a restore found in the backup."""

    runs: Sequence[MarkedRun]
    """They are Paused now."""
    unscheduled: int
    """Campaigns that a schedule would have started: they are Ready now, and start when somebody says so."""


class Restoring:
    """Marks what came out of a backup."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def mark(self, backup_at: datetime, now: datetime) -> Marked:
        """Pause what went on, and write down from when on its records are missing. No node may work meanwhile.

        Chunks are given back; arms are for the reaper. Numbers of runs go on from an instant, so that what the lost
        store numbered after the backup is nobody else's: a late receipt of that must not settle an attempt of ours.
        """
        at = to_micros(now)

        def mark(conn: sa.Connection) -> Marked:
            runs = _going_on(conn)
            mark = {"backup_at": to_micros(backup_at), "restored_at": at, "acknowledged_at": 0}
            for run in runs:
                _pause(conn, run, at, mark, now)
            _end_conversations(conn, now)
            conn.execute(sa.update(t.chunk).values(lease_until=0))
            # Who was signed in then may have been shut out since.
            conn.execute(sa.delete(t.user_session))
            campaign = t.campaign
            unscheduled = conn.execute(
                sa.update(campaign)
                .where(campaign.c.status.in_((Status.scheduled.value, Status.rescheduled.value)))
                .values(status=Status.ready.value, updated_at=at)
            ).rowcount
            why = {"last_outcome": "restored", "last_reason": _RESTORED, "updated_at": at}
            conn.execute(sa.update(t.schedule).where(t.schedule.c.next_at > 0).values(next_at=0, **why))
            _skip_run_numbers(conn, at // _MICROS_PER_MILLI)
            _write_down(conn, backup_at, now)
            return Marked([_marked(run) for run in runs], unscheduled)

        return await self._db.write(mark)

    async def acknowledge(self, app: int, run_no: int, now: datetime, status: Status | None = None) -> bool:
        """Write down that somebody knows what is missing. False: there is nothing to acknowledge, or no more.

        `status` is what becomes of a run that is not its campaign's latest: it is moved for itself.
        Raises SendingStopped.
        """
        run = t.run
        waits = run.c.app == app, run.c.no == run_no, run.c.restored_at > run.c.acknowledged_at
        # Not before it was restored, although the clock may have been set back since.
        at = to_micros(now)
        seen_at = sa.case((run.c.restored_at > at, run.c.restored_at), else_=at)
        statement = sa.update(run).where(*waits).values(acknowledged_at=seen_at, updated_at=at)
        if status is not None:
            statement = statement.values(status=status.value, ended_at=at if status is Status.stopped else 0)

        def acknowledge(conn: sa.Connection) -> bool:
            if status is Status.active:
                refuse_stopped(conn, app)
            return conn.execute(statement).rowcount > 0

        return await self._db.write(acknowledge)


def refuse_unacknowledged(conn: sa.Connection, run_no: int | None) -> None:
    """Raise RestoreNotAcknowledged for a run that came out of a backup, until somebody has acknowledged that."""
    run = t.run
    waits = run.c.no == run_no, run.c.restored_at > run.c.acknowledged_at
    found = one(conn, sa.select(run.c.id, run.c.backup_at).where(*waits))
    if found is not None:
        raise RestoreNotAcknowledged(found["id"], from_micros(found["backup_at"]).isoformat(timespec="seconds"))


def _going_on(conn: sa.Connection) -> list[Mapping[str, Any]]:
    run = t.run
    return all_of(
        conn,
        sa.select(run.c.app, run.c.no, run.c.id, run.c.status, run.c.campaign_no, t.campaign.c.id.label("campaign_id"))
        .add_columns(t.app.c.id.label("app_id"))
        .join(t.campaign, t.campaign.c.no == run.c.campaign_no)
        .join(t.app, t.app.c.no == run.c.app)
        .where(run.c.ended_at == 0)
        .order_by(run.c.no),
    )


def _pause(conn: sa.Connection, run: Mapping[str, Any], at: int, mark: Mapping[str, int], now: datetime) -> None:
    """Pause a run and its campaign, the paused one too: it may have been resumed after the backup."""
    paused = Status.paused.value
    conn.execute(sa.update(t.run).where(t.run.c.no == run["no"]).values(status=paused, updated_at=at, **mark))
    conn.execute(
        sa.update(t.campaign)
        .where(t.campaign.c.no == run["campaign_no"], t.campaign.c.run_no == run["no"])
        .values(status=paused, updated_at=at)
    )
    if run["status"] == Status.active:
        facts = {"campaign_id": run["campaign_id"], "run_id": run["id"]}
        announce(conn, run["app"], NoticeKind.run_paused, facts, now)


def _marked(run: Mapping[str, Any]) -> MarkedRun:
    return MarkedRun(run["app_id"], run["campaign_id"], run["id"], run["status"])


def _write_down(conn: sa.Connection, backup_at: datetime, now: datetime) -> None:
    """Say in the audit log of every app that what follows comes after a restore, and from when on lines are missing."""
    deed = Deed(ActorKind.engine, "restore", "store.restored", details={"backup_at": backup_at.isoformat()})
    for no in list(conn.execute(sa.select(t.app.c.no).order_by(t.app.c.no)).scalars()):
        add_line(conn, Chain(app=no), deed, now)


def _end_conversations(conn: sa.Connection, now: datetime) -> None:
    """Say nothing more in conversations: nobody knows what was said in them after the backup."""
    session, reply, at = t.flow_session, t.reply, to_micros(now)
    apps = list(conn.execute(sa.select(session.c.app).where(session.c.ended_at == 0).distinct()).scalars())
    for app in apps:
        mine = sa.select(session.c.no).where(session.c.app == app, session.c.ended_at == 0)
        nos = list(conn.execute(mine.order_by(session.c.no)).scalars())
        for start in range(0, len(nos), FEW):
            end_sessions(conn, app, nos[start : start + FEW], Ending.closed, now, _RESTORED)
    unsaid = reply.c.session_no > 0, reply.c.next_at > 0, reply.c.state == ReplyState.waiting.value
    values = {"state": ReplyState.expired.value, "next_at": 0, "ended_at": at, "code": "restored", "number_sealed": b""}
    conn.execute(sa.update(reply).where(*unsaid).values(values))
    conn.execute(sa.update(t.inbound).where(t.inbound.c.waits_since > 0).values(waits_since=0))


def _skip_run_numbers(conn: sa.Connection, least: int) -> None:
    """Let the next run's number be higher than any that the lost store can have given: it gave less than one a ms."""
    highest = conn.execute(sa.select(sa.func.coalesce(sa.func.max(t.run.c.no), 0))).scalar_one()
    last = max(highest, least)
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text("select setval(pg_get_serial_sequence('run', 'no'), :last)"), {"last": last})
        return
    conn.execute(sa.text("delete from sqlite_sequence where name = 'run'"))
    conn.execute(sa.text("insert into sqlite_sequence (name, seq) values ('run', :last)"), {"last": last})
