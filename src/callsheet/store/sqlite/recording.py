"""Record: events, doubts, retries and counters of a batch, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from callsheet.clock import from_micros, to_micros
from callsheet.core.attempt import Happening
from callsheet.core.campaign import Channel
from callsheet.core.ids import AttemptKey
from callsheet.core.retrying import RetryPolicy
from callsheet.store.arming import unpack_members
from callsheet.store.protocol import ArmKey, Batch, Recorded
from callsheet.store.recording import (
    Changes,
    Key,
    Tried,
    by_run,
    leases_ran_out,
    may_come_again,
    plan_retries,
    read_policy,
    read_talking,
    weigh,
)
from callsheet.store.sqlite.flow_sessions import close_talks, open_talks
from callsheet.store.sqlite.matching import match
from callsheet.store.sqlite.quarantine import quarantine
from callsheet.store.sqlite.statements import WHERE_ARM, count, gather_in, insert_many, marks

_UNKNOWN: Mapping[AttemptKey, bytes] = MappingProxyType({})


def record(
    raw: sqlite3.Connection,
    batch: Batch,
    jitter: Callable[[], float],
    made_of: Mapping[AttemptKey, bytes],
) -> Recorded:
    """Store a batch once: a second time it changes nothing. `made_of`: as `seal_columns` returns it."""
    (last_batch_no,) = raw.execute("select batch_no from node where no = ?", (batch.node_no,)).fetchone()
    if batch.batch_no <= last_batch_no:
        return Recorded(0, None, 0)
    raw.execute("update node set batch_no = ? where no = ?", (batch.batch_no, batch.node_no))
    if batch.carried or batch.receipts:
        matched = match(raw, batch)
        happenings = [*batch.happenings, *matched.happenings]
        recorded = matched.counted(store(raw, batch.node_no, happenings, jitter, made_of))
    else:
        recorded = store(raw, batch.node_no, batch.happenings, jitter, made_of)
    raw.executemany("update arm set handed = 1" + WHERE_ARM, batch.handed)
    raw.executemany("delete from arm" + WHERE_ARM, batch.ended)
    return recorded


_RUN = "select app, channel, flow_no, flow_version, restored_at from run where no = ?"


def store(
    raw: sqlite3.Connection,
    node_no: int,
    happenings: Iterable[Happening],
    jitter: Callable[[], float],
    made_of: Mapping[AttemptKey, bytes] = _UNKNOWN,
) -> Recorded:
    """Store what happened, run by run."""
    events, unknown, again = 0, 0, []
    for run_no, mine in by_run(happenings).items():
        row = raw.execute(_RUN, (run_no,)).fetchone()
        if row is None:
            unknown += len(mine)
            continue
        app, talking = row[0], read_talking(*row[1:])
        doubts = quarantine(raw, app, run_no, node_no, mine) if talking.restored_at else []
        changes = _weigh(raw, app, run_no, talking.channel, [*doubts, *mine])
        _write(raw, app, run_no, node_no, changes)
        if talking.flow_no:
            if changes.taken:
                open_talks(raw, app, run_no, talking, changes.taken, made_of)
            if changes.lost:
                close_talks(raw, app, run_no, changes.lost)
        again += _bring_back(raw, app, run_no, changes.moved, jitter)
        events += len(changes.events)
        unknown += changes.unknown
    return Recorded(events, from_micros(min(again)) if again else None, unknown)


def _weigh(
    raw: sqlite3.Connection, app: int, run_no: int, channel: Channel, happenings: Sequence[Happening]
) -> Changes:
    persons = {happening.person for happening in happenings}
    seen: dict[Key, list[str]] = {}
    where = "where app = ? and run_no = ? and person"
    for person, n, kind in gather_in(raw, "person, n, kind", f"from event {where}", (app, run_no), persons):
        seen.setdefault((person, n), []).append(kind)
    new = [h.person for h in happenings if (h.person, h.n) not in seen]
    known = gather_in(raw, "person, n", f"from attempt {where}", (app, run_no), new) if new else ()
    attempts = {(person, n) for person, n in known}
    return weigh(happenings, seen, attempts, channel)


def _write(raw: sqlite3.Connection, app: int, run_no: int, node_no: int, changes: Changes) -> None:
    insert_many(
        raw,
        "insert into event (app, run_no, person, n, kind, at, code, ref, segments)",
        [(app, run_no, h.person, h.n, h.kind, to_micros(h.at), h.code, h.ref, h.segments) for h in changes.events],
    )
    if changes.doubts:
        insert_many(
            raw,
            "insert into uncertain (app, run_no, person, n, at)",
            [(app, run_no, h.person, h.n, to_micros(h.at)) for h in changes.doubts],
            "on conflict do nothing",
        )
    if changes.settled:
        raw.executemany(
            "delete from uncertain where app = ? and run_no = ? and person = ? and n = ?",
            [(app, run_no, h.person, h.n) for h in changes.settled],
        )
    count(raw, app, run_no, node_no, changes.counters)


def _bring_back(
    raw: sqlite3.Connection,
    app: int,
    run_no: int,
    moved: Sequence[Happening],
    jitter: Callable[[], float],
) -> list[int]:
    """Write the retries that core decides on, and return when they are due."""
    ended = may_come_again(moved)
    if not ended:
        return []
    tried = {
        (happening.person, happening.n): Tried._make(
            raw.execute(
                "select used, list_no, pos, group_no from attempt"
                " where app = ? and run_no = ? and person = ? and n = ?",
                (app, run_no, happening.person, happening.n),
            ).fetchone()
        )
        for happening in ended
    }
    retries = plan_retries(ended, tried, _policy(raw, run_no), jitter)
    insert_many(
        raw,
        "insert into retry (app, run_no, turn, due, list_no, pos, person, n, used, group_no, reason)",
        [(app, run_no, *retry) for retry in retries],
        "on conflict do nothing",
    )
    return [retry.due for retry in retries]


def _policy(raw: sqlite3.Connection, run_no: int) -> RetryPolicy:
    row = raw.execute(
        "select r.status, v.definition, a.settings from run r join app a on a.no = r.app join campaign_version v"
        "  on v.app = r.app and v.campaign_no = r.campaign_no and v.version = r.version where r.no = ?",
        (run_no,),
    ).fetchone()
    return read_policy(*row)


def reap(raw: sqlite3.Connection, node_no: int, now: int, jitter: Callable[[], float], *, all_arms: bool) -> int:
    """Make attempts uncertain whose lease ran out without a result."""
    arms = raw.execute(
        "select app, run_no, node_no, arm_no, members from arm a where lease_until <= ?"
        " or (? and (select channel from run where no = a.run_no) <> ?)",
        (now, all_arms, Channel.voice),
    ).fetchall()
    doubtful = 0
    for *key, members in arms:
        run_no = key[1]
        tries = unpack_members(members)
        ended = set(
            raw.execute(
                f"select person, n from event where app = ? and run_no = ? and person in ({marks(len(tries))})",
                (key[0], run_no, *(person for person, _ in tries)),
            )
        )
        doubts = leases_ran_out(run_no, tries, ended, from_micros(now))
        store(raw, node_no, doubts, jitter)
        raw.execute("delete from arm" + WHERE_ARM, ArmKey._make(key))
        doubtful += len(doubts)
    return doubtful
