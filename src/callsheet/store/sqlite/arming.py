"""Arm: verify, ask the gate, insert the intents and renew the lease, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from callsheet.clock import from_micros
from callsheet.core.attempt import Kind
from callsheet.core.campaign import Order
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
from callsheet.store.rows import read_group
from callsheet.store.sqlite.statements import count, gather, insert_many, select_in
from callsheet.store.sqlite.taking import is_active


def arm(raw: sqlite3.Connection, run: Run, chunk: Chunk, group: Group, *, limit: int, lease: Lease) -> Outcome:
    """Arm the next contacts of a chunk."""
    held = raw.execute(
        "select lo, hi from chunk where app = ? and run_no = ? and list_no = ? and group_no = ? and first = ?"
        " and epoch = ? and node_no = ?",
        (*chunk[:6], lease.key.node_no),
    ).fetchone()
    if held is None or not is_active(raw, run):
        return Outcome(lost=True)
    hours = judge_group(run, group, from_micros(lease.now))
    if isinstance(hours, Wait):
        return Outcome(left=chunk, closed_until=hours.until)
    fifo = run.order is Order.fifo
    candidates = [
        Candidate(chunk.list_no, pos, chunk.group_no, person, sealed, attributes, 1, 0)
        for pos, person, sealed, attributes in gather(
            raw,
            "pos, person, sealed, attributes",
            "from contact where app = ? and list_no = ? and group_no = ? and pos between ? and ?"
            f" order by pos {'asc' if fifo else 'desc'} limit ?",
            (run.app, chunk.list_no, chunk.group_no, *held, limit),
        )
    ]
    sifted = sift(run, candidates, _know(raw, run, candidates, lease.now), hours, from_micros(lease.now))
    _store(raw, run, sifted, lease)
    left = find_left(chunk._replace(lo=held[0], hi=held[1]), candidates, limit, fifo=fifo)
    _shrink(raw, chunk, left, lease.until)
    return Outcome(sifted.send, left, seen=len(candidates), groups=(group,))


def arm_again(raw: sqlite3.Connection, run: Run, turn: Turn, *, limit: int, lease: Lease) -> Outcome:
    """Arm contacts that come again and are due; those whose hours are closed move to the moment when they open."""
    if not is_active(raw, run):
        return Outcome(lost=True)
    rows = raw.execute(
        "select r.list_no, r.pos, r.group_no, r.person, c.sealed, c.attributes, r.n, r.used, r.due,"
        "  g.own_zone, g.candidate_zones, g.priority,"
        "  exists (select 1 from suppression s where s.app = r.app and s.run_no = r.run_no and s.list_no = r.list_no"
        "   and s.pos = r.pos) as spared,"
        "  exists (select 1 from call k where k.app = r.app and k.run_no = r.run_no and k.person = r.person"
        "   and k.ended_at = 0) as is_on_the_line"
        " from retry r join contact c on c.app = r.app and c.list_no = r.list_no and c.group_no = r.group_no"
        "  and c.pos = r.pos join list_group g on g.app = r.app and g.list_no = r.list_no and g.group_no = r.group_no"
        " where r.app = ? and r.run_no = ? and r.turn = ? and r.due <= ? order by r.due limit ?",
        (run.app, run.no, turn, lease.now, limit),
    ).fetchall()
    if not rows:
        return Outcome()
    raw.executemany(
        "delete from retry where app = ? and run_no = ? and turn = ? and due = ? and list_no = ? and pos = ?",
        [(run.app, run.no, turn, row[8], row[0], row[1]) for row in rows],
    )
    candidates = [Candidate(*row[:8]) for row in rows]
    groups: dict[Group, list[Candidate]] = {}
    for row, candidate in zip(rows, candidates, strict=True):
        groups.setdefault(read_group(row[0], row[2], *row[9:12]), []).append(candidate)
    known = _know(raw, run, candidates, lease.now)
    needless = find_needless(turn, candidates, _events(raw, run, candidates))
    needless |= {(candidate.person, candidate.n) for row, candidate in zip(rows, candidates, strict=True) if row[12]}
    known = known._replace(needless=needless, on_the_line={row[3] for row in rows if row[13]})
    sifted = sift_groups(run, groups, known, from_micros(lease.now))
    _store(raw, run, sifted, lease, turn=turn)
    return Outcome(sifted.send, seen=len(rows), groups=tuple(groups))


def _know(raw: sqlite3.Connection, run: Run, candidates: Sequence[Candidate], now: int) -> Known:
    persons = [candidate.person for candidate in candidates]
    if not persons:
        return Known((), (), (), (), {})
    lists = {named.no for named in run.definition.dnc_lists}
    if run.global_dnc_applies:
        lists |= {no for (no,) in raw.execute("select no from dnc_list where app = ? and is_global = 1", (run.app,))}
    on_dnc = {
        person
        for dnc_no in lists
        for (person,) in select_in(
            raw,
            "select person from dnc_entry where app = ? and dnc_no = ? and person",
            (run.app, dnc_no),
            persons,
        )
    }
    opted_out = {
        person
        for (person,) in select_in(
            raw,
            "select person from opt_out where app = ? and channel = ? and person",
            (run.app, run.channel.value),
            persons,
        )
    }
    attempts = list(
        select_in(
            raw,
            "select person, n, list_no, pos from attempt where app = ? and run_no = ? and person",
            (run.app, run.no),
            persons,
        )
    )
    attempted = {(person, n) for person, n, *_ in attempts}
    placed = {(list_no, pos) for _, _, list_no, pos in attempts}
    return Known(
        on_dnc, opted_out, attempted, placed, _cap(raw, run, persons, now), _reached(raw, run, persons),
        senders=_senders(raw, run, persons),
    )  # fmt: skip


def _senders(raw: sqlite3.Connection, run: Run, persons: Sequence[bytes]) -> dict[bytes, int]:
    """Find out through which member of a pool persons were attempted last."""
    members = run.rooms.members if run.rooms is not None else ()
    if not members:
        return {}
    attempts = select_in(
        raw,
        f"select person, sender_no, at from attempt where app = ? and sender_no in ({', '.join('?' * len(members))})"
        " and person",
        (run.app, *members),
        persons,
    )
    return {person: sender_no for person, sender_no, _ in sorted(attempts, key=lambda row: row[2])}


def _reached(raw: sqlite3.Connection, run: Run, persons: Sequence[bytes]) -> set[bytes]:
    """Find out whom earlier runs of the campaign reached, where this one is for those who were not."""
    if not run.launch.only_unreached:
        return set()
    earlier = select_in(
        raw,
        "select a.person, a.run_no, a.n, e.kind from attempt a left join event e on e.app = a.app"
        " and e.run_no = a.run_no and e.person = a.person and e.n = a.n where a.app = ? and a.run_no < ?"
        " and (select r.campaign_no from run r where r.no = a.run_no) = ? and a.person",
        (run.app, run.no, run.campaign_no),
        persons,
    )
    return find_reached(earlier)


def _events(raw: sqlite3.Connection, run: Run, candidates: Sequence[Candidate]) -> Iterable[tuple[Any, ...]]:
    """Return what happened to these persons in this run: person, try and kind.

    What was before a callback is left out: it makes the callback no less wanted.
    """
    persons = [candidate.person for candidate in candidates]
    head = (
        "select e.person, e.n, e.kind from event e where e.app = ? and e.run_no = ?"
        " and e.n >= coalesce((select max(k.n) from callback k where k.app = e.app and k.run_no = e.run_no"
        "  and k.person = e.person), 0) and e.person"
    )
    return select_in(raw, head, (run.app, run.no), persons)


def _cap(raw: sqlite3.Connection, run: Run, persons: Sequence[bytes], now: int) -> dict[bytes, datetime]:
    """Find out who had as many attempts lately as the app's cap allows."""
    cap = run.settings.cap
    if cap is None:
        return {}
    since = now - timedelta(hours=cap.hours) // timedelta(microseconds=1)
    recent = select_in(
        raw,
        # Tries that the carrier did not take reached nobody, so they do not count.
        "select a.person, a.at from attempt a join run r on r.no = a.run_no where a.app = ? and a.at > ?"
        " and r.channel = ? and not exists (select 1 from event e where e.app = a.app and e.run_no = a.run_no"
        f" and e.person = a.person and e.n = a.n and e.kind in ('{Kind.refused}', '{Kind.withdrawn}')) and a.person",
        (run.app, since, run.channel.value),
        persons,
    )
    return cap_persons(cap, ((person, at) for person, at in recent))


def _store(raw: sqlite3.Connection, run: Run, sifted: Sifted, lease: Lease, *, turn: Turn = Turn.fresh) -> None:
    insert_many(
        raw,
        "insert into attempt (app, run_no, person, n, used, list_no, pos, group_no, at, sender_no)",
        [
            (run.app, run.no, c.person, c.n, c.used + 1, c.list_no, c.pos, c.group_no, lease.now, c.sender_no)
            for c in sifted.send
        ],
    )
    if sifted.suppress:
        insert_many(
            raw,
            "insert into suppression (app, run_no, list_no, pos, person, reason, at)",
            [(run.app, run.no, c.list_no, c.pos, c.person, reason, lease.now) for c, reason in sifted.suppress],
            "on conflict do nothing",
        )
    if sifted.wait:
        insert_many(
            raw,
            "insert into retry (app, run_no, turn, due, list_no, pos, person, n, used, group_no, reason)",
            [(run.app, run.no, *retry) for retry in defer(sifted.wait, turn)],
            # A contact that was queued twice can be deferred to one instant.
            "on conflict do nothing",
        )
    _hold(raw, sifted.send, lease)
    count(raw, run.app, run.no, lease.key.node_no, sifted.counters)


def _hold(raw: sqlite3.Connection, send: Sequence[Candidate], lease: Lease) -> None:
    """Write down who holds these intents, and until when."""
    if send:
        raw.execute(
            "insert into arm (app, run_no, node_no, arm_no, lease_until, handed, members) values (?,?,?,?,?,0,?)",
            (*lease.key, lease.until, pack_members(send)),
        )


def _shrink(raw: sqlite3.Connection, chunk: Chunk, left: Chunk | None, until: int) -> None:
    """Move the chunk past what was looked at; every position behind has an attempt, a suppression or a retry."""
    where = " where app = ? and run_no = ? and list_no = ? and group_no = ? and first = ?"
    if left is None:
        raw.execute("delete from chunk" + where, chunk[:5])
    else:
        raw.execute("update chunk set lo = ?, hi = ?, lease_until = ?" + where, (left.lo, left.hi, until, *chunk[:5]))
