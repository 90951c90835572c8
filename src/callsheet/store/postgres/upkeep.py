"""The rest of the hot operations: what is left to do, leases, rates, and the end of a run."""

from __future__ import annotations

from collections.abc import Sequence

from callsheet.core.campaign import Status
from callsheet.core.pacing import DayUse, Grant, grant
from callsheet.core.retrying import Turn
from callsheet.core.run import Run
from callsheet.core.walk import Group
from callsheet.store.outbox import completed
from callsheet.store.planning import IS_OVER, WAITS
from callsheet.store.postgres.database import Raw
from callsheet.store.postgres.statements import now_or
from callsheet.store.postgres.taking import grow_if_grown
from callsheet.store.protocol import Work
from callsheet.store.rows import read_dues, read_group

_RUNS = "unnest($1::bigint[], $2::bigint[]) as u (app, run_no)"

GROUPS = (
    f"select u.run_no, g.list_no, g.group_no, g.own_zone, g.candidate_zones, g.priority from {_RUNS}"
    " cross join lateral ("
    "  select list_no, group_no from cursor where app = u.app and run_no = u.run_no and lo <= hi"
    "  union"
    f" select list_no, group_no from chunk where app = u.app and run_no = u.run_no and lease_until <= {now_or(3)}"
    " ) h cross join lateral ("
    "  select * from list_group g where g.app = u.app and g.list_no = h.list_no and g.group_no = h.group_no offset 0"
    " ) g order by g.list_no, g.group_no"
)
"""The groups with something left, of some runs."""

_LEAST = (
    "(select due from retry r where r.app = u.app and r.run_no = u.run_no and r.turn = {}"
    " order by r.app, r.run_no, r.turn, r.due limit 1)"
)
WAITING = (
    f"select u.run_no, {', '.join(_LEAST.format(int(turn)) for turn in Turn)},"
    "  (select true from arm a where a.app = u.app and a.run_no = u.run_no limit 1) is not null or"
    "  (select true from call c where c.ended_at = 0 and c.app = u.app and c.run_no = u.run_no limit 1) is not null"
    f" from {_RUNS}"
)
"""When contacts of some runs come again, and whether nodes hold arms of them, or calls of them go on."""


async def work(raw: Raw, runs: Sequence[Run], present: int | None) -> list[Work]:
    """Return the groups with something left, and when contacts come again."""
    await grow_if_grown(raw, runs)
    keys = [run.app for run in runs], [run.no for run in runs]
    groups: dict[int, list[Group]] = {run.no: [] for run in runs}
    for run_no, *group in await raw.fetch(GROUPS, *keys, present):
        groups[run_no].append(read_group(*group))
    return [
        Work(groups[run_no], read_dues(dues), in_flight) for run_no, *dues, in_flight in await raw.fetch(WAITING, *keys)
    ]


MEMBERS = "select members from arm where app = $1 and run_no = $2 and node_no = $3 and arm_no = $4"
"""Who is in an arm, if it is stored."""

RENEW = (
    f"update chunk c set lease_until = {now_or(2)} + $3"
    " from unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])"
    "  as h (app, run_no, list_no, group_no, first, epoch)"
    " where c.app = h.app and c.run_no = h.run_no and c.list_no = h.list_no and c.group_no = h.group_no"
    f" and c.first = h.first and c.epoch = h.epoch and c.node_no = $1 and c.lease_until > {now_or(2)}"
)
"""Renew what a node still holds; what ran out is for others to take."""

RELEASE = (
    "update chunk set lease_until = 0"
    " where node_no = coalesce($1::bigint, node_no) and run_no = coalesce($2::bigint, run_no)"
)
"""Give chunks back; without a node, everybody's."""

UNHANDED = (
    "select app, run_no, node_no, arm_no, members from arm"
    " where app = $1 and run_no = coalesce($2::bigint, run_no) and handed = 0"
)
"""The arms of which something may leave yet, and who is in them."""

_THESE = "unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) as u (app, run_no, node_no, arm_no)"
_IS_ARM = "a.app = u.app and a.run_no = u.run_no and a.node_no = u.node_no and a.arm_no = u.arm_no"

RENEW_ARMS = (
    f"with held as materialized (select a.id from"
    "  unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) as u (app, run_no, node_no, arm_no)"
    f" cross join lateral (select a.ctid as id from arm a where {_IS_ARM} for update skip locked) a"
    f") update arm set lease_until = {now_or(1)} + $2 where ctid = any(array(select id from held))"
)
"""Renew arms of which something goes on, until somebody has reaped them: they are nobody else's to go on with. One that
somebody writes to just now is about to end, or is renewed soon."""

RECALL = (
    f"with held as materialized (select a.id from {_THESE} cross join lateral ("
    f"  select a.ctid as id from arm a where {_IS_ARM} and a.handed = 0 and a.recalled = 0 for update skip locked"
    " ) a) update arm set recalled = 1 where ctid = any(array(select id from held))"
)
"""Ask for arms. One that somebody writes to just now is about to end: whoever waits for it asks again."""

RECALLED = (
    f"select u.* from {_THESE} cross join lateral ( select 1 from arm a where {_IS_ARM} and a.recalled = 1 offset 0) a"
)
"""Which of these arms somebody asks for."""


async def complete(raw: Raw, run: Run, present: int | None) -> bool:
    """Complete the run if no range, chunk, retry, callback, arm or call is left and none of its lists has grown.

    One statement looks at all of them, so that it cannot miss a contact on its way from one to another. It looks once
    for nothing, and again when the campaign cannot move, the run cannot be armed and its lists cannot grow: whoever
    appends has answered before, and is counted, or answers after the run is complete.
    """
    if await _is_left(raw, run):
        return False
    await raw.execute("select 1 from campaign where no = $1 for update", run.campaign_no)
    await raw.execute("select 1 from contact_list where no = any($1::bigint[]) order by no for share", run.lists)
    held = await raw.fetchrow(f"select status, {now_or(2)} as now from run where no = $1 for update", run.no, present)
    if held is None or held["status"] != Status.active or await _is_left(raw, run):
        return False
    await raw.execute(
        "update run set status = $2, updated_at = $3, ended_at = $3 where no = $1",
        run.no,
        Status.completed.value,
        held["now"],
    )
    await raw.execute(
        f"update campaign set status = case when {WAITS} then $4 else $2 end, updated_at = $3"
        f" where no = $1 and {IS_OVER}",
        run.campaign_no,
        Status.completed.value,
        held["now"],
        Status.rescheduled.value,
    )
    await raw.execute(
        "insert into outbox (app, kind, payload, at) values ($1, $2, $3, $4)", run.app, *completed(run), held["now"]
    )
    return True


async def _is_left(raw: Raw, run: Run) -> bool:
    where = "where app = $1 and run_no = $2"
    left: bool = await raw.fetchval(
        f"select exists (select 1 from cursor {where} and lo <= hi) or exists (select 1 from chunk {where})"
        f" or exists (select 1 from retry {where}) or exists (select 1 from arm {where})"
        f" or exists (select 1 from callback {where} and n = 0) or exists (select 1 from call {where} and ended_at = 0)"
        " or exists (select 1 from run_list l join contact_list c on c.no = l.list_no"
        "  where l.app = $1 and l.run_no = $2 and c.size > l.taken_size)",
        run.app,
        run.no,
    )
    return left


async def lease_rate(
    raw: Raw,
    app: int,
    name: str,
    segments_per_second: float,
    *,
    wanted: int,
    horizon_micros: int,
    present: int | None,
) -> Grant:
    """Lease a slice of a rate; what was granted stays granted over restarts."""
    tat_and_now = (
        "with held as materialized (select tat from bucket where app = $1 and name = $2 for update)"
        f" select tat, {now_or(3)} as now from held"
    )
    row = await raw.fetchrow(tat_and_now, app, name, present)
    if row is None:
        await raw.execute("insert into bucket (app, name, tat) values ($1, $2, 0) on conflict do nothing", app, name)
        row = await raw.fetchrow(tat_and_now, app, name, present)
    slice_ = grant(row["tat"], row["now"], segments_per_second, wanted, horizon_micros)
    if slice_.tat != row["tat"]:
        await raw.execute("update bucket set tat = $3 where app = $1 and name = $2", app, name, slice_.tat)
    return slice_


async def reserve_day(raw: Raw, app: int, name: str, *, day: int, cap: int, wanted: int) -> int:
    """Reserve segments of a day; what was reserved stays so over restarts."""
    held = "select day, used from bucket where app = $1 and name = $2 for update"
    row = await raw.fetchrow(held, app, name)
    if row is None:
        await raw.execute("insert into bucket (app, name) values ($1, $2) on conflict do nothing", app, name)
        row = await raw.fetchrow(held, app, name)
    after, granted = DayUse(row["day"], row["used"]).reserve(day, cap, wanted)
    if granted:
        await raw.execute("update bucket set day = $3, used = $4 where app = $1 and name = $2", app, name, *after)
    return granted
