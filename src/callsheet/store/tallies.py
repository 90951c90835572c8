"""Tallies: what happened in a run by time, by attempt and by code, and what came of a campaign as a whole.

They are counted when they are asked for: counters of every kind would cost every message something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.attempt import NOT_TAKEN, RANK, Kind
from callsheet.store import tables as t
from callsheet.store.arming import SUPPRESSED
from callsheet.store.database import Database

LATE_RECEIPTS = timedelta(days=10)
"""How long after the end of a run its receipts are looked for: no carrier keeps a message that long."""

_MOST_CODES = 200


class Step(Enum):
    """How long one point of a timeline is."""

    minute = timedelta(minutes=1)
    hour = timedelta(hours=1)
    day = timedelta(days=1)
    """From midnight to midnight UTC."""


@dataclass(frozen=True, slots=True)
class Point:
    """What happened within one step, by kind of event."""

    at: datetime
    events: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """How many contacts stand in a state after so many attempts."""

    state: str
    attempts: int
    contacts: int
    code: str = ""
    """Of calls: what came of the latest one."""
    said: str = ""
    """Of calls: the disposition that the flow gave the latest one; empty: none."""


@dataclass(frozen=True, slots=True)
class CodeCount:
    """How often one thing happened for one reason."""

    kind: str
    code: str
    attempts: int


class Totals(NamedTuple):
    """What came of a campaign, over all its runs."""

    runs: int
    counters: Mapping[str, int]
    """Attempts by their present state, and suppressions by reason."""
    delivered: Sequence[int]
    """Since each of the instants that were asked for."""


class Tallies:
    """Counts what runs and campaigns did."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def timeline(
        self, app: int, run_no: int, step: Step, *, since: datetime | None, until: datetime | None, limit: int
    ) -> Sequence[Point]:
        """Return the steps of a run in which something happened, the earliest first."""
        event = t.event
        # Written out: PostgreSQL takes a parameter in two places for two values, and would not group by it.
        micros = sa.literal_column(str(step.value // timedelta(microseconds=1)), sa.BigInteger())
        at = ((event.c.at // micros) * micros).label("step_at")
        where = [event.c.app == app, event.c.run_no == run_no]
        where += [event.c.at >= to_micros(since)] if since is not None else []
        where += [event.c.at < to_micros(until)] if until is not None else []
        counts = (sa.func.sum(sa.case((event.c.kind == kind, 1), else_=0)).label(kind) for kind in Kind)
        query = sa.select(at, *counts).where(*where).group_by(at).order_by(at).limit(limit)
        rows = await self._db.read(lambda conn: conn.execute(query).mappings().all())
        return [Point(from_micros(row["step_at"]), {kind: int(row[kind]) for kind in Kind}) for row in rows]

    async def dispositions(self, app: int, run_no: int) -> Sequence[Cell]:
        """Return how the attempted contacts of a run stand after how many attempts; only the latest one counts."""
        standing = _standing(app, run_no)
        query = sa.select(standing.c.used, standing.c.rank, sa.func.count().label("contacts"))
        rows = await self._db.read(lambda conn: conn.execute(query.group_by(standing.c.used, standing.c.rank)).all())
        return _cells((used, far, "", "", contacts) for used, far, contacts in rows)

    async def call_dispositions(self, app: int, run_no: int) -> Sequence[Cell]:
        """Return the same of a run of calls, with what came of each."""
        standing, event, call, session = _standing(app, run_no), t.event, t.call, t.flow_session
        # The event that its state is of: its code says what came of the call.
        kind = sa.case({rank: str(state) for state, rank in RANK.items()}, value=standing.c.rank)
        code, said = (sa.func.coalesce(one, "") for one in (event.c.code, session.c.disposition))
        its_event = sa.and_(
            event.c.app == app, event.c.run_no == run_no, event.c.person == standing.c.person,
            event.c.n == standing.c.n, event.c.kind == kind,
        )  # fmt: skip
        its_call = sa.and_(
            call.c.app == app, call.c.run_no == run_no, call.c.person == standing.c.person, call.c.n == standing.c.n
        )
        query = (
            sa.select(standing.c.used, standing.c.rank, code, said, sa.func.count().label("contacts"))
            .outerjoin(event, its_event)
            .outerjoin(call, its_call)
            .outerjoin(session, sa.and_(session.c.app == app, session.c.no == call.c.session_no))
            .group_by(standing.c.used, standing.c.rank, event.c.code, session.c.disposition)
        )
        return _cells([tuple(row) for row in await self._db.read(lambda conn: conn.execute(query).all())])

    async def codes(self, app: int, run_no: int, kinds: Collection[str]) -> Sequence[CodeCount]:
        """Return how often events of these kinds came for which reason, the most frequent first."""
        event = t.event
        count = sa.func.count().label("attempts")
        query = (
            sa.select(event.c.kind, event.c.code, count)
            .where(event.c.app == app, event.c.run_no == run_no, event.c.kind.in_(sorted(kinds)))
            .group_by(event.c.kind, event.c.code)
            .order_by(count.desc(), event.c.kind, event.c.code)
            .limit(_MOST_CODES)
        )
        rows = await self._db.read(lambda conn: conn.execute(query).all())
        return [CodeCount(row.kind, row.code, row.attempts) for row in rows]

    async def totals(self, app: int, campaign_no: int, instants: Sequence[datetime]) -> Totals:
        """Return what came of a campaign, and how much was delivered since each of some instants."""

        def read(conn: sa.Connection) -> Totals:
            mine = t.run.c.app == app, t.run.c.campaign_no == campaign_no
            runs = conn.execute(sa.select(sa.func.count()).select_from(t.run).where(*mine)).scalar_one()
            counters = _counters(conn, app, sa.select(t.run.c.no).where(*mine))
            ended_at = to_micros(min(instants) - LATE_RECEIPTS)
            recent = sa.select(t.run.c.no).where(*mine, sa.or_(t.run.c.ended_at == 0, t.run.c.ended_at > ended_at))
            return Totals(runs, counters, _delivered(conn, app, recent, instants))

        return await self._db.read(read)


def _standing(app: int, run_no: int) -> sa.Subquery:
    """Return the latest attempt of each contact of a run, with how far it came."""
    attempt, event = t.attempt, t.event
    latest = (
        sa.select(attempt.c.person, sa.func.max(attempt.c.n).label("n"))
        .where(attempt.c.app == app, attempt.c.run_no == run_no)
        .group_by(attempt.c.person)
        .subquery()
    )
    rank = sa.func.coalesce(sa.func.max(sa.case(dict(RANK), value=event.c.kind)), 0).label("rank")
    same = (attempt.c[key] == event.c[key] for key in ("app", "run_no", "person", "n"))
    return (
        sa.select(attempt.c.person, attempt.c.n, attempt.c.used, rank)
        .join(latest, sa.and_(latest.c.person == attempt.c.person, latest.c.n == attempt.c.n))
        .outerjoin(event, sa.and_(*same))
        .where(attempt.c.app == app, attempt.c.run_no == run_no)
        .group_by(attempt.c.person, attempt.c.n, attempt.c.used)
        .subquery()
    )


def _cells(rows: Iterable[tuple[int, int, str, str, int]]) -> list[Cell]:
    """Count contacts by state, code, disposition and attempts used."""
    states = {rank: str(state) for state, rank in RANK.items()}
    cells: Counter[tuple[str, str, str, int]] = Counter()
    for used, far, code, said, contacts in rows:
        state = states[far]
        # A try that nobody took uses up no attempt.
        cells[state, code, said, used - (state in NOT_TAKEN)] += contacts
    return [Cell(state, used, contacts, code, said) for (state, code, said, used), contacts in sorted(cells.items())]


def _counters(conn: sa.Connection, app: int, runs: sa.Select[tuple[int]]) -> Mapping[str, int]:
    counter = t.counter
    wanted = sa.or_(counter.c.name.in_(list(Kind)), counter.c.name.startswith(SUPPRESSED))
    query = (
        sa.select(counter.c.name, sa.func.sum(counter.c.value).label("value"))
        .where(counter.c.app == app, counter.c.run_no.in_(runs), wanted)
        .group_by(counter.c.name)
    )
    return {row.name: int(row.value) for row in conn.execute(query)}


def _delivered(
    conn: sa.Connection, app: int, runs: sa.Select[tuple[int]], instants: Sequence[datetime]
) -> Sequence[int]:
    event = t.event
    counts = (
        sa.func.coalesce(sa.func.sum(sa.case((event.c.at >= to_micros(instant), 1), else_=0)), 0)
        for instant in instants
    )
    query = sa.select(*counts).where(event.c.app == app, event.c.run_no.in_(runs), event.c.kind == Kind.delivered.value)
    return [int(value) for value in conn.execute(query).one()]
