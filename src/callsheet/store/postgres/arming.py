"""Arm: verify, ask the gate, insert the intents and renew the lease, in one transaction.

The first statement passes the app's gate (see `store.gate`): it stands in line, and locks in this order the app's row
and the run's (shared) and the chunk's. A call that forbids updates the app's row, and the run's when it pauses or
stops. So it waits for every arm that began before it and finds them held afterwards; and an arm that begins later waits
for it, and its next statements see what it committed.
Where the app has a cap, arms of all its runs go one after the other: two that look at one person at the same time would
both find room for him.
The instant is read after the locks: whoever waited for one must not be judged by the hour at which it began to wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from callsheet.clock import from_micros
from callsheet.core.attempt import Kind
from callsheet.core.campaign import Order, Status
from callsheet.core.gate import Wait
from callsheet.core.retrying import Turn
from callsheet.core.run import Run
from callsheet.core.walk import Chunk, Group
from callsheet.store.arming import (
    Candidate,
    Known,
    Lease,
    Outcome,
    Sifted,
    cap_persons,
    defer,
    find_left,
    find_needless,
    find_reached,
    judge_group,
    pack_members,
    sift,
    sift_groups,
)
from callsheet.store.gate import CAPS, LINE
from callsheet.store.postgres.database import Raw
from callsheet.store.postgres.statements import WITHIN_GROUP, columns, now_or
from callsheet.store.protocol import ArmKey
from callsheet.store.rows import read_group

_STAND_IN_LINE = f"select pg_advisory_xact_lock_shared({LINE} + $1)"

# One look-up in an index for each person and fact; LIMIT sees to it (see `statements`). `attempted` is true where it
# was this very contact, and false where the same person was attempted at another place.
_FACTS = (
    "(select true from dnc_entry d where d.app = ${app} and d.person = {who}.person and d.dnc_no = any(array("
    "  select l.no from dnc_list l where l.app = ${app}"
    "  and (l.no = any(${dnc}::bigint[]) or (l.is_global = 1 and ${everywhere}))) ) limit 1) as on_dnc,"
    " (select true from opt_out o where o.app = ${app} and o.channel = ${channel} and o.person = {who}.person limit 1)"
    "  as opted_out,"
    " (select t.list_no = {place} and t.pos = {who}.pos from attempt t"
    "  where t.app = ${app} and t.run_no = ${run} and t.person = {who}.person"
    "  and t.n = {tries} limit 1) as attempted"
)


async def arm(
    raw: Raw,
    run: Run,
    chunk: Chunk,
    group: Group,
    *,
    limit: int,
    key: ArmKey,
    lease_micros: int,
    present: int | None,
) -> tuple[Outcome, int]:
    """Arm the next contacts of a chunk; return with the outcome until when the lease lasts."""
    held = await _hold_chunk(raw, chunk, key.node_no, present)
    if held is None or held["status"] != Status.active:
        return Outcome(lost=True), 0
    lease = Lease(key, held["now"], held["now"] + lease_micros)
    now = from_micros(lease.now)
    hours = judge_group(run, group, now)
    if isinstance(hours, Wait):
        return Outcome(left=chunk, closed_until=hours.until), lease.until
    chunk = chunk._replace(lo=held["lo"], hi=held["hi"])
    rows = await _read_ahead(raw, run, chunk, limit)
    candidates = [
        Candidate(chunk.list_no, pos, chunk.group_no, person, sealed, attributes, 1, 0)
        for pos, person, sealed, attributes, *_ in rows
    ]
    known = await _know(raw, run, rows, candidates, lease.now)
    sifted = sift(run, candidates, known, hours, now)
    left = find_left(chunk, candidates, limit, fifo=run.order is Order.fifo)
    lo_hi = (left.lo, left.hi) if left is not None else (1, 0)
    await _write(raw, run, sifted, lease, Turn.fresh, (*chunk[2:5], *lo_hi))
    return Outcome(sifted.send, left, seen=len(candidates), groups=(group,)), lease.until


async def arm_again(
    raw: Raw, run: Run, turn: Turn, *, limit: int, key: ArmKey, lease_micros: int, present: int | None
) -> tuple[Outcome, int]:
    """Arm contacts that come again and are due; those whose hours are closed move to the moment when they open."""
    held = await _hold_run(raw, run, present)
    if held is None or held["status"] != Status.active:
        return Outcome(lost=True), 0
    lease = Lease(key, held["now"], held["now"] + lease_micros)
    rows = await _fetch_due(raw, run, turn, lease.now, limit)
    candidates = [Candidate(*row[:8]) for row in rows]
    groups: dict[Group, list[Candidate]] = {}
    for row, candidate in zip(rows, candidates, strict=True):
        groups.setdefault(read_group(row[0], row[2], *row[8:11]), []).append(candidate)
    known = await _know(raw, run, rows, candidates, lease.now)
    before = ((c.person, c.n - 1, kind) for row, c in zip(rows, candidates, strict=True) for kind in row["before"])
    needless = find_needless(turn, candidates, before)
    needless |= {(c.person, c.n) for row, c in zip(rows, candidates, strict=True) if row["spared"]}
    known = known._replace(needless=needless, on_the_line={row["person"] for row in rows if row["is_on_the_line"]})
    sifted = sift_groups(run, groups, known, from_micros(lease.now))
    await _write(raw, run, sifted, lease, turn, _NO_CHUNK)
    return Outcome(sifted.send, seen=len(rows), groups=tuple(groups)), lease.until


async def _hold_chunk(raw: Raw, chunk: Chunk, node_no: int, present: int | None) -> Any:
    """Lock app, run and chunk, and return the state of the run and what is left of the chunk; None when it is lost."""
    return await raw.fetchrow(
        f"with line as materialized ({_STAND_IN_LINE}), held as materialized ("
        "  select r.status, c.lo, c.hi from line, app a, run r, chunk c"
        "  where a.no = $1 and r.no = $2 and c.app = $1 and c.run_no = $2 and c.list_no = $3 and c.group_no = $4"
        "   and c.first = $5 and c.epoch = $6 and c.node_no = $7 for share of a, r for update of c"
        f") select status, lo, hi, {now_or(8)} as now from held",
        *chunk[:6],
        node_no,
        present,
    )


async def _hold_run(raw: Raw, run: Run, present: int | None) -> Any:
    return await raw.fetchrow(
        f"with line as materialized ({_STAND_IN_LINE}), held as materialized ("
        "  select r.status from line, app a, run r where a.no = $1 and r.no = $2 for share of a, r"
        f") select status, {now_or(3)} as now from held",
        run.app,
        run.no,
        present,
    )


async def _read_ahead(raw: Raw, run: Run, chunk: Chunk, limit: int) -> Sequence[Any]:
    """Return the next contacts of a chunk, each with what the gate asks of its person."""
    direction = "asc" if run.order is Order.fifo else "desc"
    facts = _FACTS.format(who="c", place="$2", tries="1", app=1, run=7, channel=8, dnc=9, everywhere=10)
    return await raw.fetch(
        "with c as materialized ("
        f"  select pos, person, sealed, attributes from contact where {WITHIN_GROUP.format(direction)} limit $6"
        f") select c.*, {facts} from c order by pos {direction}",
        run.app,
        chunk.list_no,
        chunk.group_no,
        chunk.lo,
        chunk.hi,
        limit,
        run.no,
        *_rules(run),
    )


async def _fetch_due(raw: Raw, run: Run, turn: Turn, now: int, limit: int) -> Sequence[Any]:
    """Take contacts that are due out of the retries; what another node is taking at this moment is its own."""
    facts = _FACTS.format(who="r", place="r.list_no", tries="r.n", app=1, run=2, channel=6, dnc=7, everywhere=8)
    return await raw.fetch(
        "with due as materialized ("
        "  select ctid from retry where app = $1 and run_no = $2 and turn = $3 and due <= $4"
        "  order by due, list_no, pos limit $5 for update skip locked"
        "), r as ("
        "  delete from retry where ctid = any(array(select ctid from due)) returning *"
        ") select r.list_no, r.pos, r.group_no, r.person, c.sealed, c.attributes, r.n, r.used,"
        f"  g.own_zone, g.candidate_zones, g.priority, {facts}, array(select e.kind from event e where e.app = $1"
        "   and e.run_no = $2 and e.person = r.person and e.n < r.n"
        # What was before a callback makes it no less wanted.
        "   and e.n >= coalesce((select max(k.n) from callback k where k.app = $1 and k.run_no = $2"
        "    and k.person = r.person), 0)) as before, (select true from suppression s"
        "   where s.app = $1 and s.run_no = $2 and s.list_no = r.list_no and s.pos = r.pos limit 1) as spared,"
        "  (select true from call k where k.app = $1 and k.run_no = $2 and k.person = r.person and k.ended_at = 0"
        "   limit 1) as is_on_the_line"
        " from r cross join lateral ("
        "  select sealed, attributes from contact c"
        "  where c.app = $1 and c.list_no = r.list_no and c.group_no = r.group_no and c.pos = r.pos offset 0"
        " ) c cross join lateral ("
        "  select own_zone, candidate_zones, priority from list_group g"
        "  where g.app = $1 and g.list_no = r.list_no and g.group_no = r.group_no offset 0"
        " ) g order by r.due, r.list_no, r.pos",
        run.app,
        run.no,
        turn,
        now,
        limit,
        *_rules(run),
    )


def _rules(run: Run) -> tuple[str, Sequence[int], bool]:
    """Return the parameters of the facts that the run decides: channel, DNC lists, whether the global list applies."""
    return run.channel.value, [named.no for named in run.definition.dnc_lists], run.global_dnc_applies


async def _know(raw: Raw, run: Run, rows: Sequence[Any], candidates: Sequence[Candidate], now: int) -> Known:
    """Gather the facts that came with the rows, and who had as many attempts as the app's cap allows."""
    on_dnc, opted_out, attempted, placed = set(), set(), set(), set()
    for row, candidate in zip(rows, candidates, strict=True):
        if row["on_dnc"]:
            on_dnc.add(candidate.person)
        if row["opted_out"]:
            opted_out.add(candidate.person)
        if row["attempted"] is not None:
            attempted.add((candidate.person, candidate.n))
        if row["attempted"]:
            placed.add((candidate.list_no, candidate.pos))
    capped, reached = await _cap(raw, run, candidates, now), await _reached(raw, run, candidates)
    senders = await _senders(raw, run, candidates)
    return Known(on_dnc, opted_out, attempted, placed, capped, reached, senders=senders)


async def _senders(raw: Raw, run: Run, candidates: Sequence[Candidate]) -> dict[bytes, int]:
    """Find out through which member of a pool persons were attempted last."""
    members = run.rooms.members if run.rooms is not None else ()
    if not members or not candidates:
        return {}
    rows = await raw.fetch(
        "select u.person, a.sender_no from unnest($1::bytea[]) as u (person) cross join lateral ("
        "  select a.sender_no from attempt a where a.app = $2 and a.person = u.person"
        "  and a.sender_no = any($3::bigint[]) order by a.at desc limit 1) a",
        list({candidate.person for candidate in candidates}),
        run.app,
        list(members),
    )
    return {row["person"]: row["sender_no"] for row in rows}


async def _reached(raw: Raw, run: Run, candidates: Sequence[Candidate]) -> set[bytes]:
    """Find out whom earlier runs of the campaign reached, where this one is for those who were not."""
    if not run.launch.only_unreached or not candidates:
        return set()
    earlier = await raw.fetch(
        "select u.person, a.run_no, a.n, e.kind from unnest($1::bytea[]) as u (person) cross join lateral ("
        "  select a.run_no, a.n from attempt a where a.app = $2 and a.person = u.person and a.run_no < $3"
        "  and (select r.campaign_no from run r where r.no = a.run_no limit 1) = $4 order by a.at offset 0"
        ") a left join lateral ("
        "  select e.kind from event e where e.app = $2 and e.run_no = a.run_no and e.person = u.person and e.n = a.n"
        "  offset 0) e on true",
        list({candidate.person for candidate in candidates}),
        run.app,
        run.no,
        run.campaign_no,
    )
    return find_reached(tuple(row) for row in earlier)


async def _cap(raw: Raw, run: Run, candidates: Sequence[Candidate], now: int) -> dict[bytes, datetime]:
    cap = run.settings.cap
    if cap is None or not candidates:
        return {}
    # In a statement of its own, so that the next one sees what the last holder of the lock has armed.
    await raw.execute("select pg_advisory_xact_lock($1)", CAPS + run.app)
    recent = await raw.fetch(
        # Tries that the carrier did not take reached nobody, so they do not count.
        "select u.person, a.at from unnest($1::bytea[]) as u (person) cross join lateral ("
        "  select a.at from attempt a where a.app = $2 and a.person = u.person and a.at > $3"
        "  and (select r.channel from run r where r.no = a.run_no limit 1) = $4"
        "  and (select true from event e where e.app = a.app and e.run_no = a.run_no and e.person = a.person"
        f" and e.n = a.n and e.kind in ('{Kind.refused}', '{Kind.withdrawn}') limit 1) is null offset 0) a",
        list({candidate.person for candidate in candidates}),
        run.app,
        now - timedelta(hours=cap.hours) // timedelta(microseconds=1),
        run.channel.value,
    )
    return cap_persons(cap, ((person, at) for person, at in recent))


_WRITE = (
    # The attempts are the statement itself, because WITH comes after it: first what another node may be inserting too.
    "with suppressed as ("
    "  insert into suppression (app, run_no, list_no, pos, person, reason, at)"
    "  select $1, $2, *, $5 from unnest($13::bigint[], $14::bigint[], $15::bytea[], $16::text[]) on conflict do nothing"
    "), deferred as ("
    "  insert into retry (app, run_no, turn, due, list_no, pos, person, n, used, group_no, reason)"
    "  select $1, $2, * from unnest($17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bytea[],"
    "   $22::bigint[], $23::bigint[], $24::bigint[], $25::text[])"
    # A contact that was queued twice can be deferred to one instant.
    "  on conflict do nothing"
    "), held as ("
    "  insert into arm (app, run_no, node_no, arm_no, lease_until, handed, members)"
    "  select $1, $2, $3, $4, $6, 0, $26 where $26 <> ''::bytea"
    "), counted as ("
    "  insert into counter as c (app, run_no, node_no, name, value)"
    "  select $1, $2, $3, * from unnest($27::text[], $28::bigint[])"
    "  on conflict (app, run_no, node_no, name) do update set value = c.value + excluded.value"
    "), moved as ("
    "  update chunk set lo = $32::bigint, hi = $33::bigint, lease_until = $6"
    "  where app = $1 and run_no = $2 and list_no = $29 and group_no = $30 and first = $31"
    "   and $32::bigint <= $33::bigint"
    "), done as ("
    "  delete from chunk"
    "  where app = $1 and run_no = $2 and list_no = $29 and group_no = $30 and first = $31"
    "   and $32::bigint > $33::bigint"
    ") insert into attempt (app, run_no, person, n, used, list_no, pos, group_no, sender_no, at)"
    " select $1, $2, *, $5 from unnest($7::bytea[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],"
    "  $12::bigint[], $34::bigint[])"
)

_NO_CHUNK = (None, None, None, 0, 0)


async def _write(raw: Raw, run: Run, sifted: Sifted, lease: Lease, turn: Turn, chunk: Sequence[int | None]) -> None:
    """Write what the gate decided, and what is left of the chunk (list, group, first, lo, hi): nothing if lo > hi.

    Another node may be arming one of these people from another list. Then the insert waits for it and fails, the whole
    operation begins again, and this time the gate finds the duplicate. Attempts go in by the order of their keys, so
    that two nodes never wait for each other.
    """
    sent = sorted((c.person, c.n, c.used + 1, c.list_no, c.pos, c.group_no, c.sender_no) for c in sifted.send)
    attempts = list(columns(sent, 7))
    await raw.execute(
        _WRITE,
        run.app,
        run.no,
        lease.key.node_no,
        lease.key.arm_no,
        lease.now,
        lease.until,
        *attempts[:6],
        *columns([(c.list_no, c.pos, c.person, reason.value) for c, reason in sifted.suppress], 4),
        *columns(defer(sifted.wait, turn), 9),
        pack_members(sifted.send),
        *columns(sorted(sifted.counters.items()), 2),
        *chunk,
        attempts[6],
    )
