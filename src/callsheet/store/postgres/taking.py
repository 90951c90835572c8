"""Take: a chunk whose lease ran out, or the next one of a cursor.

Cursors of a run are moved by whoever holds the rows of its lists (`run_list`), so no position is cut twice and each
next chunk is the one that comes next for all nodes together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from callsheet.core.campaign import Order, Status
from callsheet.core.run import Run
from callsheet.core.walk import Chunk, Cursor, Group, choose
from callsheet.store.postgres.database import Raw
from callsheet.store.postgres.statements import WITHIN_GROUP, now_or

_CHUNK = "app, run_no, list_no, group_no, first, epoch, lo, hi"


GROWN = (
    "select distinct l.run_no from unnest($1::bigint[], $2::bigint[]) as u (app, run_no)"
    " cross join lateral (select * from run_list l where l.app = u.app and l.run_no = u.run_no offset 0) l"
    " cross join lateral (select size from contact_list c where c.no = l.list_no offset 0) c"
    " where c.size > l.taken_size order by l.run_no"
)
"""Which of some runs have lists that have grown since they last looked."""


async def grow_if_grown(raw: Raw, runs: Sequence[Run]) -> None:
    """Give runs ranges for what their lists have gained since they last looked."""
    by_no = {run.no: run for run in runs}
    # In the order of their numbers, in which everybody waits for several.
    for (run_no,) in await raw.fetch(GROWN, [run.app for run in runs], list(by_no)):
        await _hold_lists(raw, by_no[run_no])
        await _grow(raw, by_no[run_no])


async def _hold_lists(raw: Raw, run: Run) -> None:
    """Keep other nodes from moving cursors of this run. Appending to a list does not wait for it."""
    await raw.execute(
        "select 1 from run_list where app = $1 and run_no = $2 order by list_no for update", run.app, run.no
    )


async def _grow(raw: Raw, run: Run) -> None:
    """Let a group's last range go on, if nothing was taken above it or nothing is left of it; else begin another.

    One statement, for one snapshot: the size of a list and the counts of its groups must be of one moment.
    """
    await raw.execute(
        "with grown as ("
        "  select l.list_no, l.taken_size, c.size from run_list l join contact_list c on c.no = l.list_no"
        "  where l.app = $1 and l.run_no = $2 and c.size > l.taken_size"
        "), gained as ("
        "  select g.list_no, g.group_no, g.contacts - coalesce(k.seen, 0) as contacts, g.contacts as seen,"
        # A cursor begins and ends where its group does in this range: by its head groups take turns.
        "   (select c.pos from contact c where c.app = $1 and c.list_no = g.list_no"
        "    and (c.group_no, c.pos) >= (g.group_no, w.taken_size) order by c.group_no, c.pos limit 1) as lo,"
        "   (select c.pos from contact c where c.app = $1 and c.list_no = g.list_no"
        "    and (c.group_no, c.pos) < (g.group_no, w.size) order by c.group_no desc, c.pos desc limit 1) as hi,"
        "   k.range_no as last, k.lo > k.hi or (select true from contact c where c.app = $1 and c.list_no = g.list_no"
        "    and (c.group_no, c.pos) > (g.group_no, k.hi) and (c.group_no, c.pos) < (g.group_no, w.taken_size)"
        "    order by c.group_no, c.pos limit 1) is null as goes_on"
        "  from grown w join list_group g on g.app = $1 and g.list_no = w.list_no left join lateral ("
        "   select * from cursor k where k.app = $1 and k.run_no = $2 and k.list_no = g.list_no"
        "    and k.group_no = g.group_no order by k.range_no desc limit 1) k on true"
        "  where g.contacts > coalesce(k.seen, 0)"
        "), laid as ("
        "  insert into cursor as k (app, run_no, list_no, group_no, range_no, lo, hi, contacts, seen)"
        "  select $1, $2, list_no, group_no, coalesce(last + (not goes_on)::int, 0), lo, hi, contacts, seen from gained"
        "  on conflict (app, run_no, list_no, group_no, range_no) do update set"
        "   lo = case when k.lo > k.hi then excluded.lo else k.lo end, hi = excluded.hi,"
        "   contacts = k.contacts + excluded.contacts, seen = excluded.seen"
        ") update run_list l set taken_size = w.size from grown w"
        " where l.app = $1 and l.run_no = $2 and l.list_no = w.list_no",
        run.app,
        run.no,
    )


async def take(
    raw: Raw,
    run: Run,
    open_groups: Collection[Group],
    *,
    node_no: int,
    size: int,
    lease_micros: int,
    present: int | None,
) -> Chunk | None:
    """Take a chunk, or None when nothing is left in the open groups."""
    held = await raw.fetchrow(
        # A call that pauses or stops the run waits for this, or was here before and is seen.
        "with held as materialized (select status from run where no = $1 for share)"
        f" select status, {now_or(2)} as now from held",
        run.no,
        present,
    )
    if not open_groups or held is None or held["status"] != Status.active:
        return None
    now = held["now"]
    groups = {(group.list_no, group.group_no): group for group in open_groups}
    chunk = await _retake(raw, run, groups, node_no, now, now + lease_micros)
    return chunk or await _cut(raw, run, groups, node_no, size, now + lease_micros)


async def _retake(
    raw: Raw,
    run: Run,
    groups: Mapping[tuple[int, int], Group],
    node_no: int,
    now: int,
    lease_until: int,
) -> Chunk | None:
    """A chunk that nobody holds any more goes first: its contacts have waited longest."""
    row = await raw.fetchrow(
        "with expired as materialized ("
        "  select c.app, c.run_no, c.list_no, c.group_no, c.first from chunk c"
        "  where c.app = $1 and c.run_no = $2 and c.lease_until <= $3"
        "   and (c.list_no, c.group_no) in (select * from unnest($4::bigint[], $5::bigint[]))"
        "  order by c.list_no, c.first limit 1 for update skip locked"
        ") update chunk c set node_no = $6, epoch = c.epoch + 1, lease_until = $7 from expired e"
        " where c.app = e.app and c.run_no = e.run_no and c.list_no = e.list_no and c.group_no = e.group_no"
        "  and c.first = e.first"
        f" returning {', '.join('c.' + name for name in _CHUNK.split(', '))}",
        run.app,
        run.no,
        now,
        *zip(*groups, strict=True),
        node_no,
        lease_until,
    )
    return Chunk._make(row) if row is not None else None


async def _cut(
    raw: Raw,
    run: Run,
    groups: Mapping[tuple[int, int], Group],
    node_no: int,
    size: int,
    lease_until: int,
) -> Chunk | None:
    await _hold_lists(raw, run)
    await _grow(raw, run)
    while True:
        cursors = await raw.fetch(
            "select list_no, range_no, group_no, lo, hi from cursor where app = $1 and run_no = $2 and lo <= hi",
            run.app,
            run.no,
        )
        cursor = choose(map(Cursor._make, cursors), groups, run.lists, run.order)
        if cursor is None:
            return None
        span = await _advance(raw, run, cursor, size)
        if span is None:
            continue
        first = span[0] if run.order is Order.fifo else span[1]
        chunk = Chunk(run.app, run.no, cursor.list_no, cursor.group_no, first, 1, *span)
        await raw.execute(
            f"insert into chunk ({_CHUNK}, node_no, lease_until) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            *chunk,
            node_no,
            lease_until,
        )
        return chunk


async def _advance(raw: Raw, run: Run, cursor: Cursor, size: int) -> tuple[int, int] | None:
    """Move a cursor over at most `size` contacts and return the span from the first to the last; None: it was empty."""
    fifo = run.order is Order.fifo
    rows = await raw.fetch(
        f"select pos from contact where {WITHIN_GROUP.format('asc' if fifo else 'desc')} limit $6",
        run.app,
        cursor.list_no,
        cursor.group_no,
        cursor.lo,
        cursor.hi,
        size + 1,
    )
    ahead = [row[0] for row in rows]
    positions = ahead[:size]
    if len(ahead) <= size:
        lo, hi = cursor.hi + 1, cursor.hi
    else:
        # Its new head is a contact, not merely the next number: by it the cursor is chosen.
        lo, hi = (ahead[size], cursor.hi) if fifo else (cursor.lo, ahead[size])
    key = (run.app, run.no, cursor.list_no, cursor.group_no, cursor.range_no)
    await raw.execute(
        "update cursor set lo = $6, hi = $7, contacts = contacts - $8 where app = $1 and run_no = $2 and list_no = $3"
        " and group_no = $4 and range_no = $5",
        *key,
        lo,
        hi,
        len(positions),
    )
    if lo > hi:
        # The last range of a group stays, to go on.
        await raw.execute(
            "delete from cursor k where app = $1 and run_no = $2 and list_no = $3 and group_no = $4 and range_no = $5"
            " and exists (select 1 from cursor n where n.app = $1 and n.run_no = $2 and n.list_no = $3"
            "  and n.group_no = $4 and n.range_no > $5)",
            *key,
        )
    return (min(positions[0], positions[-1]), max(positions[0], positions[-1])) if positions else None
