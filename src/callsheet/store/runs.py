"""Runs, as the engine needs them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Channel, Status
from callsheet.core.run import Execution, Launch, Restored, Run, Sender
from callsheet.store import tables as t
from callsheet.store.apps import read_sender
from callsheet.store.campaign_rows import is_of_run
from callsheet.store.database import Database
from callsheet.store.launching import TAKES_NOTHING_MORE
from callsheet.store.rows import DAMAGE, all_of, read_definition, read_pool, read_settings
from callsheet.store.vault import Vault


class Wanted(NamedTuple):
    """Which runs are meant; what is None leaves none out."""

    campaign_no: int | None = None
    status: str | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None


def _select() -> sa.Select[Any]:
    """Return the statement that reads runs, the latest first."""
    run, version, sender, app = t.run, t.campaign_version, t.sender, t.app
    return (
        sa.select(
            run,
            version.c.definition,
            t.campaign.c.id.label("campaign_id"),
            app.c.id.label("app_id"),
            app.c.key_sealed,
            app.c.settings,
            sender.c.id.label("sender_id"),
            sender.c.label,
            sender.c.trunk_no,
            sender.c.segments_per_second,
            sender.c.limits,
            sender.c.pool,
            sender.c.flow_id,
            sender.c.dlt_entity_id,
            t.trunk.c.id.label("trunk_id"),
            t.trunk.c.limits.label("trunk_limits"),
            t.trunk.c.writing,
        )
        .join(version, is_of_run())
        .join(app, app.c.no == run.c.app)
        .join(sender, sender.c.no == run.c.sender_no)
        .outerjoin(t.trunk, t.trunk.c.no == sender.c.trunk_no)
        .outerjoin(t.campaign, t.campaign.c.no == run.c.campaign_no)
        .order_by(run.c.no.desc())
    )


# Made once: each look for work asks for the active ones.
_RUNS = _select()
_ACTIVE = _RUNS.where(t.run.c.ended_at == 0, t.run.c.status == Status.active.value)


class Runs:
    """The runs of all apps."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._db = database
        self._vault = vault

    async def active(self, leave_out: Callable[[str], None] = lambda _: None) -> list[Run]:
        """Return the runs that are Active now; `leave_out` is called with the id of each that cannot be read."""
        unreadable: list[str] = []
        runs = await self._db.read(lambda conn: _read(conn, self._vault, _ACTIVE, unreadable=unreadable))
        for run_id in unreadable:
            leave_out(run_id)
        return runs

    async def find(self, app: int, run_id: str) -> Run | None:
        """Return a run by its public id."""
        query = _RUNS.where(t.run.c.app == app, t.run.c.id == run_id)
        found = await self._db.read(lambda conn: _read(conn, self._vault, query))
        return found[0] if found else None

    async def by_no(self, run_no: int) -> Run | None:
        """Return a run by its number."""
        found = await self._db.read(lambda conn: _read(conn, self._vault, _RUNS.where(t.run.c.no == run_no)))
        return found[0] if found else None

    async def among(self, app: int, run_nos: Collection[int]) -> set[int]:
        """Return those of some runs that are the app's."""
        query = sa.select(t.run.c.no).where(t.run.c.app == app, t.run.c.no.in_(run_nos))
        return await self._db.read(lambda conn: set(conn.execute(query).scalars()))

    async def of_app(self, app: int, *, wanted: Wanted, before: int | None, limit: int) -> list[Run]:
        """Return runs of an app, the latest first."""
        where = [t.run.c.app == app, *_wanted(wanted)]
        if before is not None:
            where.append(t.run.c.no < before)
        return await self._db.read(lambda conn: _read(conn, self._vault, _RUNS.where(*where).limit(limit)))


def read_runs(conn: sa.Connection, vault: Vault, run_nos: Collection[int]) -> list[Run]:
    """Return runs by their numbers, inside a transaction."""
    return _read(conn, vault, _RUNS.where(t.run.c.no.in_(sorted(run_nos))))


def _wanted(wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    run = t.run
    if wanted.campaign_no is not None:
        yield run.c.campaign_no == wanted.campaign_no
    if wanted.status is not None:
        yield run.c.status == wanted.status
    if wanted.started_after is not None:
        yield run.c.started_at > to_micros(wanted.started_after)
    if wanted.started_before is not None:
        yield run.c.started_at < to_micros(wanted.started_before)


def _read(
    conn: sa.Connection, vault: Vault, query: sa.Select[Any], *, unreadable: list[str] | None = None
) -> list[Run]:
    """Read runs; the ids of those that cannot be read go to `unreadable`, where that is given."""
    rows = all_of(conn, query)
    lists = _lists(conn, rows)
    members = _members(conn, rows)
    runs = []
    for row in rows:
        try:
            vault.learn(row["app"], row["app_id"], row["key_sealed"])
            runs.append(_run(row, lists.get(row["no"], {}), members))
        except DAMAGE:
            if unreadable is None:
                raise
            unreadable.append(row["id"])
    return runs


def _lists(conn: sa.Connection, runs: Sequence[Mapping[str, Any]]) -> dict[int, dict[int, int]]:
    """Return the lists of each run, in their order, and how many contacts of each it has taken in."""
    if not runs:
        return {}
    run_list = t.run_list
    found: dict[int, dict[int, int]] = {}
    query = sa.select(run_list.c.run_no, run_list.c.list_no, run_list.c.taken_size).where(
        # By the app too: the key leads with it.
        run_list.c.app.in_({run["app"] for run in runs}),
        run_list.c.run_no.in_([run["no"] for run in runs]),
    )
    for row in conn.execute(query.order_by(run_list.c.run_no, run_list.c.place)):
        found.setdefault(row.run_no, {})[row.list_no] = row.taken_size if row.taken_size < TAKES_NOTHING_MORE else 1
    return found


def _members(conn: sa.Connection, runs: Sequence[Mapping[str, Any]]) -> dict[int, Sender]:
    """Return the senders of the pools through which runs speak, by their numbers."""
    pools = [read_pool(text) for text in {row["pool"] for row in runs if row["pool"]}]
    wanted = {no for pool in pools if pool is not None for no in pool.members}
    if not wanted:
        return {}
    sender, trunk = t.sender, t.trunk
    query = sa.select(sender, trunk.c.id.label("trunk_id"), trunk.c.limits.label("trunk_limits"), trunk.c.writing)
    query = query.outerjoin(trunk, trunk.c.no == sender.c.trunk_no).where(sender.c.no.in_(wanted))
    return {row["no"]: read_sender(row) for row in all_of(conn, query)}


def _run(row: Mapping[str, Any], lists: Mapping[int, int], members: Mapping[int, Sender]) -> Run:
    pool = read_pool(row["pool"])
    run = _alone(row, lists)
    found = tuple(members[no] for no in pool.members if no in members) if pool is not None else ()
    return replace(run, members=found) if found else run


def _alone(row: Mapping[str, Any], lists: Mapping[int, int]) -> Run:
    """Read a run, but for the members of its pool."""
    return Run(
        row["app"],
        row["no"],
        row["id"],
        row["campaign_no"],
        row["campaign_id"] or "",
        Channel(row["channel"]),
        Status(row["status"]),
        read_definition(row["definition"]),
        row["text"],
        read_sender({**row, "no": row["sender_no"], "id": row["sender_id"]}),
        tuple(lists),
        read_settings(row["settings"]),
        from_micros(row["started_at"]),
        from_micros(row["ended_at"]) if row["ended_at"] else None,
        sum(lists.values()),
        Launch(
            Execution(row["execution"]),
            bool(row["only_unreached"]),
            row["reason"],
            from_micros(row["ends_at"]) if row["ends_at"] else None,
            bool(row["over_hours"]),
        ),
        msgspec.json.decode(row["tags"]),
        _restored(row),
        row["flow_no"],
        row["flow_version"],
    )


def _restored(row: Mapping[str, Any]) -> Restored | None:
    if not row["restored_at"]:
        return None
    acknowledged_at = row["acknowledged_at"]
    return Restored(
        from_micros(row["backup_at"]),
        from_micros(row["restored_at"]),
        from_micros(acknowledged_at) if acknowledged_at else None,
    )
