"""Stopping everything: an app whose sending was stopped starts and resumes no run until it is allowed again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Status
from callsheet.core.errors import SendingStopped
from callsheet.core.notice import NoticeKind
from callsheet.store import tables as t
from callsheet.store.campaign_rows import read, select_campaigns
from callsheet.store.database import Database
from callsheet.store.gate import close_gate, one_at_a_time
from callsheet.store.launching import set_status
from callsheet.store.outbox import announce, tell_of_run
from callsheet.store.rows import insert, one


@dataclass(frozen=True, slots=True)
class Stop:
    """That an app's sending was stopped: why, by whom and when."""

    reason: str
    by: str
    at: datetime
    paused: int = 0
    """How many runs the stop has paused."""


class Sending:
    """Which apps may send."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def stop(self, app: int, reason: str, by: str, now: datetime) -> Stop:
        """Pause every run of an app, and let none begin or go on. An app that was stopped before keeps that stop."""

        def stop(conn: sa.Connection) -> Stop:
            # Nobody starts meanwhile; who pauses or stops holds his campaign first, and the gate afterwards.
            one_at_a_time(conn, app)
            mine = t.campaign.c.app == app, t.campaign.c.status == Status.active.value
            nos = list(
                conn.execute(
                    sa.select(t.campaign.c.no).where(*mine).order_by(t.campaign.c.no).with_for_update()
                ).scalars()
            )
            running = read(conn, app, select_campaigns().where(*mine, t.campaign.c.no.in_(nos))) if nos else []
            close_gate(conn, app)
            for campaign in running:
                set_status(conn, campaign, Status.paused, now)
                tell_of_run(conn, campaign, NoticeKind.run_paused, now)
            _pause_the_rest(conn, app, now)
            before = _find(conn, app)
            if before is not None:
                return replace(before, paused=len(running))
            insert(conn, t.sending_stop, app=app, reason=reason, by=by, at=to_micros(now))
            announce(conn, app, NoticeKind.sending_stopped, {"paused": len(running)}, now)
            return Stop(reason, by, now, len(running))

        return await self._db.write(stop)

    async def allow(self, app: int, now: datetime) -> bool:
        """Let runs begin and go on again, and say whether they could not. What was paused stays so."""

        def allow(conn: sa.Connection) -> bool:
            gone = conn.execute(sa.delete(t.sending_stop).where(t.sending_stop.c.app == app)).rowcount
            if gone:
                announce(conn, app, NoticeKind.sending_allowed, {}, now)
            return gone > 0

        return await self._db.write(allow)

    async def find(self, app: int) -> Stop | None:
        """Return the stop of an app; None while it may send."""
        return await self._db.read(lambda conn: _find(conn, app))


def refuse_stopped(conn: sa.Connection, app: int) -> None:
    """Refuse to begin, or to go on, where sending was stopped. Raises SendingStopped."""
    one_at_a_time(conn, app)
    stop = _find(conn, app)
    if stop is not None:
        raise SendingStopped(f"All sending of this app was stopped: {stop.reason}")


def _pause_the_rest(conn: sa.Connection, app: int, now: datetime) -> None:
    """Pause what goes on of a campaign that does not, such as a single message that came out of a backup."""
    going_on = t.run.c.app == app, t.run.c.ended_at == 0, t.run.c.status == Status.active.value
    conn.execute(sa.update(t.run).where(*going_on).values(status=Status.paused.value, updated_at=to_micros(now)))


def _find(conn: sa.Connection, app: int) -> Stop | None:
    row = one(conn, sa.select(t.sending_stop).where(t.sending_stop.c.app == app))
    return Stop(row["reason"], row["by"], from_micros(row["at"])) if row is not None else None
