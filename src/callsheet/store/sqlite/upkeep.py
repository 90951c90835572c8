"""The rest of the hot operations: what is left to do, leases, rates, and the end of a run."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from callsheet.core.campaign import Status
from callsheet.core.pacing import DayUse, Grant, grant
from callsheet.core.retrying import Turn
from callsheet.core.run import Run
from callsheet.core.walk import Chunk, Group
from callsheet.store.arming import has_any, unpack_members
from callsheet.store.outbox import completed
from callsheet.store.planning import IS_OVER, WAITS
from callsheet.store.protocol import ArmKey, Work
from callsheet.store.rows import read_dues, read_group
from callsheet.store.sqlite.statements import WHERE_ARM, marks
from callsheet.store.sqlite.taking import grow


def work(raw: sqlite3.Connection, runs: Sequence[Run], now: int) -> list[Work]:
    """Return the groups with something left, and when contacts come again."""
    grow(raw, runs)
    these, numbers = f"r.no in ({marks(len(runs))})", [run.no for run in runs]
    groups: dict[int, list[Group]] = {no: [] for no in numbers}
    for run_no, *group in raw.execute(
        "select h.no, g.list_no, g.group_no, g.own_zone, g.candidate_zones, g.priority from ("
        "  select r.app, r.no, c.list_no, c.group_no from run r"
        "   cross join cursor c on c.app = r.app and c.run_no = r.no and c.lo <= c.hi"
        f"  where {these} union"
        "  select r.app, r.no, c.list_no, c.group_no from run r"
        "   cross join chunk c on c.app = r.app and c.run_no = r.no and c.lease_until <= ?"
        f"  where {these}"
        " ) h cross join list_group g on g.app = h.app and g.list_no = h.list_no and g.group_no = h.group_no",
        (*numbers, now, *numbers),
    ):
        groups[run_no].append(read_group(*group))
    least = "(select min(due) from retry where app = r.app and run_no = r.no and turn = {})"
    waiting = raw.execute(
        f"select r.no, {', '.join(least.format(int(turn)) for turn in Turn)},"
        "  exists (select 1 from arm where app = r.app and run_no = r.no)"
        "  or exists (select 1 from call where ended_at = 0 and app = r.app and run_no = r.no)"
        f" from run r where {these}",
        numbers,
    )
    found = {run_no: (read_dues(dues), bool(in_flight)) for run_no, *dues, in_flight in waiting}
    return [Work(groups[no], *found.get(no, ({}, False))) for no in numbers]


def members(raw: sqlite3.Connection, arm: ArmKey) -> list[tuple[bytes, int]]:
    """Return who is in an arm, if it is stored."""
    row = raw.execute(f"select members from arm{WHERE_ARM}", arm).fetchone()
    return unpack_members(row[0]) if row else []


def renew(
    raw: sqlite3.Connection, node_no: int, chunks: Collection[Chunk], arms: Collection[ArmKey], now: int, until: int
) -> None:
    """Renew what the node still holds; a chunk that ran out is for others to take.

    An arm of which something goes on is renewed until somebody has reaped it: it is nobody else's to go on with.
    """
    raw.executemany(
        "update chunk set lease_until = ? where app = ? and run_no = ? and list_no = ? and group_no = ? and first = ?"
        " and epoch = ? and node_no = ? and lease_until > ?",
        [(until, *chunk[:6], node_no, now) for chunk in chunks],
    )
    raw.executemany(f"update arm set lease_until = ?{WHERE_ARM}", [(until, *arm) for arm in arms])


def release(raw: sqlite3.Connection, node_no: int | None, run_no: int | None) -> None:
    """Give chunks back; without a node, everybody's."""
    raw.execute(
        "update chunk set lease_until = 0 where node_no = coalesce(?, node_no) and run_no = coalesce(?, run_no)",
        (node_no, run_no),
    )


def complete(raw: sqlite3.Connection, run: Run, now: int) -> bool:
    """Complete the run if no range, chunk, retry, callback, arm or call that goes on is left."""
    grow(raw, [run])
    where = "where app = :app and run_no = :no"
    (left,) = raw.execute(
        f"select exists (select 1 from cursor {where} and lo <= hi) or exists (select 1 from chunk {where})"
        f" or exists (select 1 from retry {where}) or exists (select 1 from arm {where})"
        f" or exists (select 1 from callback {where} and n = 0)"
        f" or exists (select 1 from call {where} and ended_at = 0)",
        {"app": run.app, "no": run.no},
    ).fetchone()
    if left:
        return False
    changed = raw.execute(
        "update run set status = ?, updated_at = ?, ended_at = ? where no = ? and status = ?",
        (Status.completed, now, now, run.no, Status.active),
    ).rowcount
    if not changed:
        return False
    raw.execute(
        f"update campaign set status = case when {WAITS} then ? else ? end, updated_at = ? where no = ? and {IS_OVER}",
        (Status.rescheduled, Status.completed, now, run.campaign_no),
    )
    raw.execute("insert into outbox (app, kind, payload, at) values (?,?,?,?)", (run.app, *completed(run), now))
    return True


def lease_rate(
    raw: sqlite3.Connection,
    app: int,
    name: str,
    segments_per_second: float,
    *,
    wanted: int,
    now: int,
    horizon: int,
) -> Grant:
    """Lease a slice of a rate; what was granted stays granted over restarts."""
    row = raw.execute("select tat from bucket where app = ? and name = ?", (app, name)).fetchone()
    tat = row[0] if row else 0
    slice_ = grant(tat, now, segments_per_second, wanted, horizon)
    if slice_.tat != tat:
        raw.execute(
            "insert into bucket (app, name, tat) values (?,?,?) on conflict do update set tat = excluded.tat",
            (app, name, slice_.tat),
        )
    return slice_


def reserve_day(raw: sqlite3.Connection, app: int, name: str, *, day: int, cap: int, wanted: int) -> int:
    """Reserve segments of a day; what was reserved stays so over restarts."""
    row = raw.execute("select day, used from bucket where app = ? and name = ?", (app, name)).fetchone()
    after, granted = DayUse(*(row or (0, 0))).reserve(day, cap, wanted)
    if granted:
        raw.execute(
            "insert into bucket (app, name, day, used) values (?,?,?,?)"
            " on conflict do update set day = excluded.day, used = excluded.used",
            (app, name, *after),
        )
    return granted


def unhanded(raw: sqlite3.Connection, app: int, run_no: int | None, persons: Collection[bytes] | None) -> set[ArmKey]:
    """Return the arms of which something may leave yet."""
    rows = raw.execute(
        "select app, run_no, node_no, arm_no, members from arm"
        " where app = ? and run_no = coalesce(?, run_no) and handed = 0",
        (app, run_no),
    )
    return {ArmKey(*key) for *key, members in rows if has_any(members, persons)}


def recall(raw: sqlite3.Connection, arms: Collection[ArmKey]) -> None:
    """Ask for arms."""
    raw.executemany(f"update arm set recalled = 1{WHERE_ARM} and handed = 0", arms)


def recalled(raw: sqlite3.Connection, arms: Collection[ArmKey]) -> set[ArmKey]:
    """Return which of these arms somebody asks for."""
    return {arm for arm in arms if raw.execute(f"select 1 from arm{WHERE_ARM} and recalled = 1", arm).fetchone()}
