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
from callsheet.store.flow_delays import make_up
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
        """Pause every run of an app, and let none begin or go on. An app that was stopped before keeps that stop.

        Two transactions: who starts a campaign holds it, and then looks whether he may, so nobody who holds that look
        may wait for campaigns. After the first nobody begins, and the second finds all that goes on. Whoever asks
        again after a crash between them pauses the rest.
        """

        def forbid(conn: sa.Connection) -> tuple[Stop, bool]:
            one_at_a_time(conn, app)
            before = _find(conn, app)
            if before is None:
                insert(conn, t.sending_stop, app=app, reason=reason, by=by, at=to_micros(now))
            return before or Stop(reason, by, now), before is None

        stop, is_new = await self._db.write(forbid)
        return replace(stop, paused=await self._db.write(lambda conn: _pause(conn, app, now, is_new=is_new)))

    async def allow(self, app: int, now: datetime) -> bool:
        """Let runs begin and go on again, and say whether they could not. What was paused stays so."""

        def allow(conn: sa.Connection) -> bool:
            stop = _find(conn, app)
            gone = conn.execute(sa.delete(t.sending_stop).where(t.sending_stop.c.app == app)).rowcount
            if stop is not None and gone:
                make_up(conn, app, stop.at, now)
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


def _pause(conn: sa.Connection, app: int, now: datetime, *, is_new: bool) -> int:
    """Pause every run of an app, and return how many campaigns went on. The stop is told of when it is new or did."""
    campaign, run = t.campaign, t.run
    mine = campaign.c.app == app, campaign.c.status == Status.active.value
    active = sa.select(campaign.c.no).where(*mine).order_by(campaign.c.no).with_for_update()
    nos = list(conn.execute(active).scalars())
    running = read(conn, app, select_campaigns().where(*mine, campaign.c.no.in_(nos))) if nos else []
    close_gate(conn, app)
    for one_of_them in running:
        set_status(conn, one_of_them, Status.paused, now)
        tell_of_run(conn, one_of_them, NoticeKind.run_paused, now)
    # What goes on of a campaign that does not, such as a single message that came out of a backup.
    rest = run.c.app == app, run.c.ended_at == 0, run.c.status == Status.active.value
    conn.execute(sa.update(run).where(*rest).values(status=Status.paused.value, updated_at=to_micros(now)))
    if is_new or running:
        announce(conn, app, NoticeKind.sending_stopped, {"paused": len(running)}, now)
    return len(running)


def _find(conn: sa.Connection, app: int) -> Stop | None:
    row = one(conn, sa.select(t.sending_stop).where(t.sending_stop.c.app == app))
    return Stop(row["reason"], row["by"], from_micros(row["at"])) if row is not None else None
