"""What the report of conversations says of the sessions of flows that attempts and replies belong to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.ids import NO_RUN
from callsheet.core.names import key_of
from callsheet.store import tables as t
from callsheet.store.rows import all_of


@dataclass(frozen=True, slots=True)
class ToldSession:
    """A session, as the report tells of it."""

    no: int
    id: str
    flow_name: str
    """Empty: the flow was deleted."""
    disposition: str
    queue_name: str
    """To which it was handed over last; empty: to none."""
    agent: str
    why: str
    ended_at: datetime | None
    """None: it is open."""


def sessions_of(
    conn: sa.Connection, app: int, causes: Collection[str], inbound_ids: Collection[str]
) -> tuple[dict[str, ToldSession], dict[str, ToldSession]]:
    """Return the sessions that attempts of these ids began, and those that took replies of these ids."""
    session, flow, queue, inbound = t.flow_session, t.flow, t.queue, t.inbound
    told = (
        sa.select(session, flow.c.name.label("flow_name"), queue.c.name.label("queue_name"))
        .outerjoin(flow, sa.and_(flow.c.app == session.c.app, flow.c.no == session.c.flow_no))
        .outerjoin(queue, sa.and_(queue.c.app == session.c.app, queue.c.no == session.c.handed_no))
        .where(session.c.app == app)
    )
    begun = all_of(conn, told.where(session.c.cause.in_(causes))) if causes else []
    took: Sequence[Mapping[str, Any]] = ()
    if inbound_ids:
        same = inbound.c.app == app, inbound.c.session_no == session.c.no, inbound.c.inbound_id.in_(inbound_ids)
        took = all_of(conn, told.add_columns(inbound.c.inbound_id).join(inbound, sa.and_(*same)))
    return {row["cause"]: _read(row) for row in begun}, {row["inbound_id"]: _read(row) for row in took}


def handed_over(
    conn: sa.Connection, app: int, queues: Collection[str], start: datetime, end: datetime, directions: Collection[bool]
) -> sa.Select[Any] | None:
    """Choose the sessions of a period that were handed over to these queues; None: there are no such queues.

    `directions`: whether attempts began them.
    """
    session, queue = t.flow_session, t.queue
    named = queue.c.id.in_(queues) | queue.c.lname.in_({key_of(name) for name in queues})
    nos = list(conn.execute(sa.select(queue.c.no).where(queue.c.app == app, named)).scalars())
    if not nos:
        return None
    return (
        sa.select(session.c.cause, session.c.run_no, session.c.person, session.c.n)
        .where(session.c.app == app, session.c.handed_no.in_(nos))
        .where(session.c.opened_at >= to_micros(start), session.c.opened_at < to_micros(end))
        .where(sa.case((session.c.run_no != NO_RUN, 1), else_=0).in_([int(each) for each in directions]))
    )


def _read(row: Mapping[str, Any]) -> ToldSession:
    return ToldSession(
        row["no"],
        row["id"],
        row["flow_name"] or "",
        row["disposition"],
        row["queue_name"] or "",
        row["agent"],
        row["why"],
        from_micros(row["ended_at"]) if row["ended_at"] else None,
    )
