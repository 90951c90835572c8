"""Imports: a file on its way into a list, how far it has come, and why rows were rejected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.ids import Prefix
from callsheet.core.notice import NoticeKind
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.outbox import announce, imported
from callsheet.store.rows import all_of, insert, new_id, one


@dataclass(frozen=True, slots=True)
class ImportJob:
    """A file on its way into a list. `state` is waiting, running, done or failed."""

    app: int
    no: int
    id: str
    list_no: int
    target: str
    """`contact_list` or `dnc_list`."""
    state: str
    file: str
    rows: int
    accepted: int
    rejected: int
    duplicates: int
    bytes_total: int
    bytes_done: int
    problem: str


class Imports:
    """The imports of all apps."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def create(
        self, app: int, *, list_no: int, target: str, file: str, bytes_total: int, now: datetime
    ) -> ImportJob:
        """Write down that a file waits to be imported."""
        import_id = new_id(Prefix.imported)
        at = to_micros(now)
        no = await self._db.write(
            lambda conn: insert(
                conn,
                t.import_job,
                app=app,
                id=import_id,
                list_no=list_no,
                target=target,
                state="waiting",
                file=file,
                bytes_total=bytes_total,
                created_at=at,
                updated_at=at,
            )
        )
        return ImportJob(app, no, import_id, list_no, target, "waiting", file, 0, 0, 0, 0, bytes_total, 0, "")

    async def find(self, app: int, import_id: str) -> ImportJob | None:
        """Return an import by its public id."""
        query = sa.select(t.import_job).where(t.import_job.c.app == app, t.import_job.c.id == import_id)
        row = await self._db.read(lambda conn: one(conn, query))
        return _read(row) if row is not None else None

    async def unfinished(self) -> list[ImportJob]:
        """Return what waits or was interrupted, oldest first."""
        query = (
            sa.select(t.import_job).where(t.import_job.c.state.in_(("waiting", "running"))).order_by(t.import_job.c.no)
        )
        return await self._db.read(lambda conn: [_read(row) for row in all_of(conn, query)])

    async def fail(self, job: ImportJob, problem: str, now: datetime) -> None:
        """Write down why an import cannot go on."""

        def fail(conn: sa.Connection) -> None:
            conn.execute(
                sa.update(t.import_job)
                .where(t.import_job.c.app == job.app, t.import_job.c.no == job.no)
                .values(state="failed", problem=problem, updated_at=to_micros(now))
            )
            target = t.contact_list if job.target == "contact_list" else t.dnc_list
            found = one(conn, sa.select(target.c.id).where(target.c.no == job.list_no))
            payload = imported(job.id, job.target, found["id"] if found is not None else None)
            announce(conn, job.app, NoticeKind.import_failed, payload, now)

        await self._db.write(fail)

    async def rejects(self, job: ImportJob, *, after: int, limit: int) -> list[Mapping[str, Any]]:
        """Return rejected rows (`row_no`, `reason`, `message`) from a row on."""
        reject = t.import_reject
        query = (
            sa.select(reject.c.row_no, reject.c.reason, reject.c.message)
            .where(reject.c.app == job.app, reject.c.import_no == job.no, reject.c.row_no > after)
            .order_by(reject.c.row_no)
            .limit(limit)
        )
        return await self._db.read(lambda conn: all_of(conn, query))


def _read(row: Mapping[str, Any]) -> ImportJob:
    names = (
        "app", "no", "id", "list_no", "target", "state", "file", "rows", "accepted", "rejected", "duplicates",
        "bytes_total", "bytes_done", "problem",
    )  # fmt: skip
    return ImportJob(**{name: row[name] for name in names})
