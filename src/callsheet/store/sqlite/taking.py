"""Take: a chunk whose lease ran out, or the next one of a cursor."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from callsheet.core.campaign import Order, Status
from callsheet.core.run import Run
from callsheet.core.walk import Chunk, Cursor, Group, choose
from callsheet.store.sqlite.statements import marks


def grow(raw: sqlite3.Connection, runs: Sequence[Run]) -> None:
    """Give runs what their lists have gained since they last looked: a group's last range goes on, if it may.

    It may when nothing was taken above it, or nothing is left of it: so contacts that come one by one make one range.
    """
    grown = raw.execute(
        "select r.app, r.no, l.list_no, l.taken_size, c.size from run r"
        " cross join run_list l on l.app = r.app and l.run_no = r.no"
        " cross join contact_list c on c.no = l.list_no and c.size > l.taken_size"
        f" where r.no in ({marks(len(runs))})",
        [run.no for run in runs],
    ).fetchall()
    for app, run_no, list_no, taken_size, size in grown:
        # A cursor begins and ends where its group does in this range: by its head groups take turns.
        raw.execute(
            "insert into cursor (app, run_no, list_no, group_no, range_no, lo, hi, contacts, seen)"
            " select app, ?, list_no, group_no, coalesce(last + not goes_on, 0), lo, hi, contacts, seen from ("
            "  select g.app, g.list_no, g.group_no, g.contacts - coalesce(k.seen, 0) as contacts, g.contacts as seen,"
            "   (select min(pos) from contact c where c.app = g.app and c.list_no = g.list_no"
            "    and c.group_no = g.group_no and c.pos >= ?) as lo,"
            "   (select max(pos) from contact c where c.app = g.app and c.list_no = g.list_no"
            "    and c.group_no = g.group_no and c.pos >= ?) as hi,"
            "   k.range_no as last, k.lo > k.hi or not exists (select 1 from contact c where c.app = g.app"
            "    and c.list_no = g.list_no and c.group_no = g.group_no and c.pos > k.hi and c.pos < ?) as goes_on"
            "  from list_group g left join cursor k on k.app = g.app and k.run_no = ? and k.list_no = g.list_no"
            "   and k.group_no = g.group_no and k.range_no = (select max(m.range_no) from cursor m where m.app = g.app"
            "    and m.run_no = ? and m.list_no = g.list_no and m.group_no = g.group_no)"
            "  where g.app = ? and g.list_no = ?) where contacts > 0"
            " on conflict do update set lo = case when lo > hi then excluded.lo else lo end, hi = excluded.hi,"
            "  contacts = contacts + excluded.contacts, seen = excluded.seen",
            (run_no, taken_size, taken_size, taken_size, run_no, run_no, app, list_no),
        )
        raw.execute(
            "update run_list set taken_size = ? where app = ? and run_no = ? and list_no = ?",
            (size, app, run_no, list_no),
        )


def is_active(raw: sqlite3.Connection, run: Run) -> bool:
    """Tell whether the run may arm anybody now."""
    row = raw.execute("select status from run where no = ?", (run.no,)).fetchone()
    return row is not None and row[0] == Status.active


def take(
    raw: sqlite3.Connection,
    run: Run,
    open_groups: Collection[Group],
    *,
    node_no: int,
    size: int,
    now: int,
    lease_until: int,
) -> Chunk | None:
    """Take a chunk, or None when nothing is left in the open groups."""
    if not open_groups or not is_active(raw, run):
        return None
    groups = {(group.list_no, group.group_no): group for group in open_groups}
    return _retake(raw, run, groups, node_no, now, lease_until) or _cut(raw, run, groups, node_no, size, lease_until)


def _retake(
    raw: sqlite3.Connection,
    run: Run,
    groups: dict[tuple[int, int], Group],
    node_no: int,
    now: int,
    lease_until: int,
) -> Chunk | None:
    """A chunk that nobody holds any more goes first: its contacts have waited longest."""
    expired = raw.execute(
        "select app, run_no, list_no, group_no, first, epoch, lo, hi from chunk"
        " where app = ? and run_no = ? and lease_until <= ? order by list_no, first",
        (run.app, run.no, now),
    )
    for chunk in map(Chunk._make, expired.fetchall()):
        if (chunk.list_no, chunk.group_no) in groups:
            raw.execute(
                "update chunk set node_no = ?, epoch = epoch + 1, lease_until = ?"
                " where app = ? and run_no = ? and list_no = ? and group_no = ? and first = ?",
                (node_no, lease_until, *chunk[:5]),
            )
            return chunk._replace(epoch=chunk.epoch + 1)
    return None


def _cut(
    raw: sqlite3.Connection,
    run: Run,
    groups: dict[tuple[int, int], Group],
    node_no: int,
    size: int,
    lease_until: int,
) -> Chunk | None:
    grow(raw, [run])
    while True:
        cursors = raw.execute(
            "select list_no, range_no, group_no, lo, hi from cursor where app = ? and run_no = ? and lo <= hi",
            (run.app, run.no),
        )
        cursor = choose(map(Cursor._make, cursors.fetchall()), groups, run.lists, run.order)
        if cursor is None:
            return None
        span = _advance(raw, run, cursor, size)
        if span is None:
            continue
        first = span[0] if run.order is Order.fifo else span[1]
        chunk = Chunk(run.app, run.no, cursor.list_no, cursor.group_no, first, 1, *span)
        raw.execute(
            "insert into chunk (app, run_no, list_no, group_no, first, epoch, lo, hi, node_no, lease_until)"
            " values (?,?,?,?,?,?,?,?,?,?)",
            (*chunk, node_no, lease_until),
        )
        return chunk


def _advance(raw: sqlite3.Connection, run: Run, cursor: Cursor, size: int) -> tuple[int, int] | None:
    """Move a cursor over at most `size` contacts and return the span from the first to the last; None: it was empty."""
    fifo = run.order is Order.fifo
    ahead = [
        pos
        for (pos,) in raw.execute(
            "select pos from contact where app = ? and list_no = ? and group_no = ? and pos between ? and ?"
            f" order by pos {'asc' if fifo else 'desc'} limit ?",
            (run.app, cursor.list_no, cursor.group_no, cursor.lo, cursor.hi, size + 1),
        )
    ]
    positions = ahead[:size]
    if len(ahead) <= size:
        lo, hi = cursor.hi + 1, cursor.hi
    else:
        # Its new head is a contact, not merely the next number: by it the cursor is chosen.
        lo, hi = (ahead[size], cursor.hi) if fifo else (cursor.lo, ahead[size])
    key = (run.app, run.no, cursor.list_no, cursor.group_no, cursor.range_no)
    where = " where app = ? and run_no = ? and list_no = ? and group_no = ? and range_no = ?"
    raw.execute(
        f"update cursor set lo = ?, hi = ?, contacts = contacts - ?{where}",
        (lo, hi, len(positions), *key),
    )
    if lo > hi:
        # The last range of a group stays, to go on.
        raw.execute(
            f"delete from cursor{where} and exists (select 1 from cursor n where n.app = cursor.app"
            "  and n.run_no = cursor.run_no and n.list_no = cursor.list_no and n.group_no = cursor.group_no"
            "  and n.range_no > cursor.range_no)",
            key,
        )
    return (min(positions[0], positions[-1]), max(positions[0], positions[-1])) if positions else None
