"""What reports of contacts say of their calls: the record of the latest attempt, and what stands after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from callsheet.clock import from_micros
from callsheet.core.ids import AttemptKey
from callsheet.store import tables as t
from callsheet.store.rows import all_of


@dataclass(frozen=True, slots=True)
class CallFacts:
    """A call, as reports of contacts show it."""

    dialed_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    """None: it goes on."""
    outcome: str
    ended_by: str
    sip_status: int
    disposition: str
    """What the flow that was led in it said; empty: nothing."""
    session_id: str = ""
    """Of the conversation in it; empty: none."""


def calls_of(conn: sa.Connection, app: int, keys: Iterable[AttemptKey]) -> dict[AttemptKey, CallFacts]:
    """Return the records of the calls of attempts, as far as there are any."""
    call, session = t.call, t.flow_session
    wanted = set(keys)
    runs, persons = {key.run_no for key in wanted}, {key.person for key in wanted}
    query = (
        sa.select(call, session.c.disposition, session.c.id.label("session_id"))
        .outerjoin(session, sa.and_(session.c.app == call.c.app, session.c.no == call.c.session_no))
        .where(call.c.app == app, call.c.run_no.in_(runs), call.c.person.in_(persons))
    )
    found: dict[AttemptKey, CallFacts] = {}
    for row in all_of(conn, query):
        key = AttemptKey(row["run_no"], row["person"], row["n"])
        if key in wanted:
            found[key] = CallFacts(
                from_micros(row["dialed_at"]), _instant(row["rang_at"]), _instant(row["answered_at"]),
                _instant(row["ended_at"]), row["outcome"], row["ended_by"], row["sip_status"],
                row["disposition"] or "", row["session_id"] or "",
            )  # fmt: skip
    return found


def coming_again(conn: sa.Connection, app: int, run_no: int, persons: Sequence[bytes]) -> set[bytes]:
    """Return who comes again in a run that goes on."""
    retry, run = t.retry, t.run
    query = (
        sa.select(retry.c.person)
        .join(run, sa.and_(run.c.app == retry.c.app, run.c.no == retry.c.run_no, run.c.ended_at == 0))
        .where(retry.c.app == app, retry.c.run_no == run_no, retry.c.person.in_(persons))
    )
    return set(conn.execute(query).scalars())


def spared_after(conn: sa.Connection, app: int, run_no: int, persons: Sequence[bytes]) -> Mapping[bytes, str]:
    """Return why people are not contacted any more who were attempted before."""
    suppression = t.suppression
    query = sa.select(suppression.c.person, suppression.c.reason).where(
        suppression.c.app == app, suppression.c.run_no == run_no, suppression.c.person.in_(persons)
    )
    return {row.person: row.reason for row in conn.execute(query) if row.reason != "duplicate"}


def _instant(at: int) -> datetime | None:
    return from_micros(at) if at else None
