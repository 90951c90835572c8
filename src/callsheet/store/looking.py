"""Look at a store that others work on, and change nothing: what an operator wants to know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Status
from callsheet.core.checkup import OVERDUE
from callsheet.core.retrying import Turn
from callsheet.store import tables as t
from callsheet.store.database import Database


class SeenTrunk(NamedTuple):
    """A trunk of some app."""

    id: str
    name: str
    carrier: str
    settings: Mapping[str, Any]
    """Without the secrets; nothing where they cannot be read."""


class Seen(NamedTuple):
    """What a store holds."""

    active: int
    """Runs."""
    overdue: int
    """Active runs of which something is overdue: an arm that nobody reaped, or a refused message that was to be
    repeated at once. Contacts that wait for their hours, or for a slow sender, are not."""
    imports: int
    """Imports that have not ended."""
    stuck_imports: int
    trunks: Sequence[SeenTrunk]
    latest_at: datetime | None
    """When a run last began, ended or was moved."""


async def look(database: Database, now: datetime) -> Seen:
    """Look at a store. Needs the schema of this program."""
    long_ago = to_micros(now - OVERDUE)

    def read(conn: sa.Connection) -> Seen:
        run, trunk, job = t.run, t.trunk, t.import_job
        active = sa.select(run.c.no).where(run.c.ended_at == 0, run.c.status == Status.active.value)
        numbers = list(conn.execute(active).scalars())
        unfinished = job.c.state.in_(("waiting", "running"))
        latest = conn.execute(sa.select(sa.func.max(run.c.updated_at))).scalar_one()
        return Seen(
            len(numbers),
            len(_overdue(conn, numbers, long_ago)),
            _count(conn, job, unfinished),
            _count(conn, job, unfinished, job.c.updated_at < long_ago),
            [_trunk(row) for row in conn.execute(sa.select(trunk).order_by(trunk.c.no))],
            from_micros(latest) if latest else None,
        )

    return await database.read(read)


def _trunk(row: sa.Row[Any]) -> SeenTrunk:
    try:
        settings = msgspec.json.decode(row.settings, type=dict[str, Any])
    except msgspec.MsgspecError:
        settings = {}
    return SeenTrunk(row.id, row.name, row.carrier, settings)


def _overdue(conn: sa.Connection, runs: Sequence[int], long_ago: int) -> set[int]:
    arm, retry = t.arm, t.retry
    reaped_late = sa.select(arm.c.run_no).where(arm.c.run_no.in_(runs), arm.c.lease_until < long_ago)
    repeated_late = sa.select(retry.c.run_no).where(
        retry.c.run_no.in_(runs), retry.c.turn == Turn.first.value, retry.c.due < long_ago
    )
    return set(conn.execute(sa.union(reaped_late, repeated_late)).scalars())


def _count(conn: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    return int(conn.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one())
