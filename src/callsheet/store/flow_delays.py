"""Delays of conversations: the time in which nothing might leave counts for nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.answering import PATIENT, ReplyState
from callsheet.store import tables as t
from callsheet.store.errands import PATIENCE


def make_up(conn: sa.Connection, app: int, since: datetime, now: datetime) -> None:
    """Give what waited while the sending of an app was stopped its time anew.

    Answers that have not left may leave, what is asked of others may be asked, and whoever is asked by an answer that
    he has not seen has as long for it as ever.
    """
    reply, session, errand = t.reply, t.flow_session, t.errand
    begun, at = to_micros(since), to_micros(now)
    mine = (
        reply.c.next_at > 0, reply.c.app == app, reply.c.state == ReplyState.waiting.value,
        reply.c.kind.in_([kind.value for kind in PATIENT]),
    )  # fmt: skip
    waiting = sa.select(reply.c.no).where(*mine).order_by(reply.c.no).with_for_update()
    if conn.execute(waiting).all():
        later = reply.c.deadline_at + _lost(reply.c.at, begun, at)
        conn.execute(sa.update(reply).where(*mine).values(deadline_at=later))
        unseen = session.c.app == app, session.c.no.in_(sa.select(reply.c.session_no).where(*mine))
        later = session.c.wakes_at + _lost(session.c.changed_at, begun, at)
        conn.execute(sa.update(session).where(*unseen, session.c.wakes_at > 0).values(wakes_at=later))
    written = errand.c.deadline_at - int(PATIENCE.total_seconds() * 1e6)
    later = errand.c.deadline_at + _lost(written, begun, at)
    conn.execute(sa.update(errand).where(errand.c.app == app).values(deadline_at=later))


def _lost(written: Any, since: int, now: int) -> sa.ColumnElement[int]:
    """Return how many microseconds went by while nothing might leave, for what was written at an instant."""
    return sa.case((written > since, now - written), else_=sa.literal(now - since, sa.BigInteger()))
