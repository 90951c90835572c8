"""The versions of experience flows: one of them is present, and each stays for the runs and sessions that name it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.store import tables as t
from callsheet.store.database import Database
from callsheet.store.rows import all_of, one


@dataclass(frozen=True, slots=True)
class ListedFlow:
    """A flow without its document."""

    no: int
    id: str
    name: str
    version: int
    """The present one."""
    latest_version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FlowVersion:
    """A version of a flow's document."""

    version: int
    is_present: bool
    created_at: datetime
    body: str = ""
    """Its document as JSON; of versions in a list it is not read."""


class FlowVersions:
    """The versions of all flows. What has no document yet is no version."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def flow(self, app: int, flow_id: str) -> ListedFlow | None:
        """Return a flow without its document; None: there is none."""
        found = await self._db.read(lambda conn: _flows(conn, app, t.flow.c.id == flow_id, 1))
        return found[0] if found else None

    async def flows(self, app: int, *, after: int, limit: int) -> Sequence[ListedFlow]:
        """Return the flows of an app in the order in which they were made."""
        return await self._db.read(lambda conn: _flows(conn, app, t.flow.c.no > after, limit))

    async def of_flow(self, app: int, flow_no: int, *, before: int | None, limit: int) -> Sequence[FlowVersion]:
        """Return versions before one, the latest first, without their documents."""
        version = t.flow_version
        query = (
            sa.select(version.c.version, version.c.created_at, t.flow.c.version.label("present"))
            .join(t.flow, sa.and_(t.flow.c.app == version.c.app, t.flow.c.no == version.c.flow_no))
            .where(version.c.app == app, version.c.flow_no == flow_no, version.c.document != "")
            .order_by(version.c.version.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(version.c.version < before)

        def read(conn: sa.Connection) -> list[FlowVersion]:
            return [
                FlowVersion(row["version"], row["version"] == row["present"], from_micros(row["created_at"]))
                for row in all_of(conn, query)
            ]

        return await self._db.read(read)

    async def find(self, app: int, flow_id: str, number: int) -> FlowVersion | None:
        """Return a version with its document; None: there is none."""
        return await self._db.read(lambda conn: _find(conn, app, flow_id, number))

    async def add(self, app: int, flow_id: str, body: str, now: datetime) -> FlowVersion | None:
        """Store the next version of a flow, which does not become the present one; None: there is no such flow."""
        at = to_micros(now)

        def add(conn: sa.Connection) -> FlowVersion | None:
            flow, version = t.flow, t.flow_version
            mine = sa.and_(flow.c.app == app, flow.c.id == flow_id)
            row = one(conn, sa.select(flow.c.no).where(mine).with_for_update())
            if row is None:
                return None
            of_flow = sa.and_(version.c.app == app, version.c.flow_no == row["no"])
            latest = conn.execute(sa.select(sa.func.max(version.c.version)).where(of_flow)).scalar_one()
            values = {"app": app, "flow_no": row["no"], "version": latest + 1, "document": body, "created_at": at}
            conn.execute(sa.insert(version).values(values))
            conn.execute(sa.update(flow).where(mine).values(updated_at=at))
            return FlowVersion(latest + 1, is_present=False, created_at=now, body=body)

        return await self._db.write(add)

    async def publish(self, app: int, flow_id: str, number: int, now: datetime) -> FlowVersion | None:
        """Make a version the present one, an earlier one too; None: there is none.

        Runs and sessions keep the version with which they began.
        """

        def publish(conn: sa.Connection) -> FlowVersion | None:
            mine = sa.and_(t.flow.c.app == app, t.flow.c.id == flow_id)
            conn.execute(sa.select(t.flow.c.no).where(mine).with_for_update())
            if _find(conn, app, flow_id, number) is None:
                return None
            conn.execute(sa.update(t.flow).where(mine).values(version=number, updated_at=to_micros(now)))
            return _find(conn, app, flow_id, number)

        return await self._db.write(publish)

    async def bodies(self, app: int, flow_no: int) -> dict[int, str]:
        """Return the documents of all versions of a flow, by their numbers, the earliest first."""
        version = t.flow_version
        query = (
            sa.select(version.c.version, version.c.document)
            .where(version.c.app == app, version.c.flow_no == flow_no, version.c.document != "")
            .order_by(version.c.version)
        )
        return await self._db.read(lambda conn: {row[0]: row[1] for row in conn.execute(query)})


def _flows(conn: sa.Connection, app: int, wanted: sa.ColumnElement[bool], limit: int) -> list[ListedFlow]:
    flow, version = t.flow, t.flow_version
    latest = (
        sa.select(sa.func.max(version.c.version))
        .where(version.c.app == flow.c.app, version.c.flow_no == flow.c.no)
        .scalar_subquery()
        .label("latest")
    )
    query = sa.select(flow, latest).where(flow.c.app == app, wanted).order_by(flow.c.no).limit(limit)
    return [
        ListedFlow(
            row["no"],
            row["id"],
            row["name"],
            row["version"],
            row["latest"],
            from_micros(row["created_at"]),
            from_micros(row["updated_at"]),
        )
        for row in all_of(conn, query)
    ]


def _find(conn: sa.Connection, app: int, flow_id: str, number: int) -> FlowVersion | None:
    flow, version = t.flow, t.flow_version
    row = one(
        conn,
        sa.select(version.c.document, version.c.created_at, flow.c.version.label("present"))
        .join(flow, sa.and_(flow.c.app == version.c.app, flow.c.no == version.c.flow_no))
        .where(flow.c.app == app, flow.c.id == flow_id, version.c.app == app)
        .where(version.c.version == number, version.c.document != ""),
    )
    if row is None:
        return None
    return FlowVersion(number, number == row["present"], from_micros(row["created_at"]), row["document"])
