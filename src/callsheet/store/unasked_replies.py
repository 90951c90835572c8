"""What is said for a run though nobody asked just now: it leaves only while the run neither rests nor was stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.answering import ReplyState
from callsheet.core.campaign import Status
from callsheet.core.flow.manners import LOOKS_AGAIN
from callsheet.core.flow.session import Ending
from callsheet.store import tables as t
from callsheet.store.flow_ends import end_sessions

RUN_STOPPED = "run_stopped"


def hold_unasked(conn: sa.Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> list[Mapping[str, Any]]:
    """Return which of these messages go on: the others wait while their run is paused, or end where it was stopped.

    Asked behind the gate, with the rows locked: what a pause or a stop has answered leaves no more.
    """
    runs = {row["run_no"] for row in rows if row["run_no"]}
    if not runs:
        return list(rows)
    query = sa.select(t.run.c.no, t.run.c.status).where(t.run.c.no.in_(sorted(runs)))
    status = {no: Status(name) for no, name in conn.execute(query)}
    paused = [row for row in rows if status.get(row["run_no"]) is Status.paused]
    stopped = [row for row in rows if status.get(row["run_no"]) is Status.stopped]
    if paused:
        _put_off(conn, paused, now)
    if stopped:
        _drop(conn, stopped, now)
    held = {row["no"] for row in (*paused, *stopped)}
    return [row for row in rows if row["no"] not in held]


def _put_off(conn: sa.Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Let messages wait, and the silence after them begin later."""
    reply, session, later = t.reply, t.flow_session, int(LOOKS_AGAIN.total_seconds() * 1e6)
    mine = reply.c.no.in_([row["no"] for row in rows])
    put_off = {"next_at": to_micros(now) + later, "deadline_at": reply.c.deadline_at + later}
    conn.execute(sa.update(reply).where(mine).values(**put_off))
    its = session.c.no.in_([row["session_no"] for row in rows]), session.c.wakes_at > 0
    conn.execute(sa.update(session).where(*its).values(wakes_at=session.c.wakes_at + later))


def _drop(conn: sa.Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """End messages, and quietly the conversations that came to nothing else since."""
    reply, session = t.reply, t.flow_session
    for row in rows:
        ended = {"state": ReplyState.expired.value, "code": RUN_STOPPED, "next_at": 0, "ended_at": to_micros(now)}
        conn.execute(sa.update(reply).where(reply.c.no == row["no"]).values(**ended, number_sealed=b""))
        since = sa.select(session.c.no).where(session.c.no == row["session_no"], session.c.changed_at <= row["at"])
        end_sessions(conn, row["app"], since, Ending.silent, now)
