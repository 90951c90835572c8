"""Record: events, doubts, retries and counters of a batch, in one transaction.

Locks are taken in one order: the node, arms, attempts by their keys, runs (shared), counters, and conversations last
(`store/flow_places.py`). Two nodes may tell something of one attempt at the same time (a result here, its receipt
there). What the second one counts depends on what the first one stored, so each locks the attempt before it looks at
its events: the lock is the attempt's own row, which nobody ever changes, and the look is a statement of its own, so
that it sees what the other committed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from callsheet.clock import from_micros, to_micros
from callsheet.core.attempt import Happening
from callsheet.core.campaign import Channel
from callsheet.core.ids import AttemptKey
from callsheet.core.retrying import RetryPolicy
from callsheet.store.arming import unpack_members
from callsheet.store.matching import Matched, parts_of, tell_parts
from callsheet.store.postgres import matching
from callsheet.store.postgres.database import Raw
from callsheet.store.postgres.flow_sessions import Talked, change_talks
from callsheet.store.postgres.quarantine import quarantine
from callsheet.store.postgres.statements import columns, now_or
from callsheet.store.protocol import ArmKey, Batch, Recorded
from callsheet.store.recording import (
    Changes,
    Key,
    Talking,
    Tried,
    by_run,
    leases_ran_out,
    may_come_again,
    plan_retries,
    read_policy,
    read_talking,
    weigh,
)

ARMS_AT_ONCE = 20
"""How many arms one transaction reaps."""
_UNKNOWN: Mapping[AttemptKey, bytes] = MappingProxyType({})


class _Held(NamedTuple):
    """The attempts of a run that this transaction locked, and the kinds of events that they have."""

    app: int
    attempts: set[Key]
    seen: dict[Key, list[str]]
    talking: Talking


_BEGIN_BATCH = (
    "with fresh as (update node set batch_no = $2 where no = $1 and batch_no < $2 returning no), handed as ("
    "  update arm a set handed = 1 from fresh,"
    "   unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) as u (app, run_no, node_no, arm_no)"
    "  where a.app = u.app and a.run_no = u.run_no and a.node_no = u.node_no and a.arm_no = u.arm_no"
    "), ended as ("
    "  delete from arm a using fresh,"
    "   unnest($7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[]) as u (app, run_no, node_no, arm_no)"
    "  where a.app = u.app and a.run_no = u.run_no and a.node_no = u.node_no and a.arm_no = u.arm_no"
    ") select no from fresh"
)


async def record(raw: Raw, batch: Batch, jitter: Callable[[], float], made_of: Mapping[AttemptKey, bytes]) -> Recorded:
    """Store a batch once: a second time it changes nothing. `made_of`: as `seal_columns` returns it."""
    handed = set(batch.handed).difference(batch.ended)
    is_new = await raw.fetchval(
        _BEGIN_BATCH, batch.node_no, batch.batch_no, *columns(sorted(handed), 4), *columns(sorted(batch.ended), 4)
    )
    if is_new is None:
        return Recorded(0, None, 0)
    if not batch.carried and not batch.receipts:
        return await _settle(raw, batch, await _hold(raw, _keys(batch.happenings)), batch.happenings, jitter, made_of)
    matches, unknown = await matching.look(raw, batch)
    held = await _hold(raw, _keys(batch.happenings) | {one.key for one in matches})
    found, others = await matching.fill(raw, matches)
    told, parts = tell_parts(found, await matching.states(raw, parts_of(found)))
    recorded = await _settle(raw, batch, held, [*batch.happenings, *told], jitter, made_of)
    parked, dropped = await matching.end(raw, found, [*unknown, *others], parts)
    return Matched(told, found, parked, dropped).counted(recorded)


def _keys(happenings: Iterable[Happening]) -> set[AttemptKey]:
    return {AttemptKey(h.run_no, h.person, h.n) for h in happenings}


async def _settle(
    raw: Raw,
    batch: Batch,
    held: Mapping[int, _Held],
    happenings: Sequence[Happening],
    jitter: Callable[[], float],
    made_of: Mapping[AttemptKey, bytes],
) -> Recorded:
    """Store what happened; attempts that a restored run has not recorded are written down first."""
    keys = _keys(happenings)
    if len(keys) > sum(len(run.attempts) for run in held.values()):
        known = {run_no: run.attempts for run_no, run in held.items()}
        doubts = await quarantine(raw, batch.node_no, happenings, known)
        if doubts:
            happenings = [*doubts, *happenings]
            held = await _hold(raw, _keys(happenings))
    return await _store(raw, batch.node_no, happenings, held, jitter, made_of)


async def _hold(raw: Raw, keys: Collection[tuple[int, bytes, int]]) -> Mapping[int, _Held]:
    """Lock attempts (run, person, try) in the order of their keys, then see what happened to them so far."""
    held: dict[int, _Held] = {}
    if not keys:
        return held
    attempts = await raw.fetch(
        "select a.* from unnest($1::bigint[], $2::bytea[], $3::bigint[]) as u (run_no, person, n)"
        " cross join lateral ("
        "  select a.app, a.run_no, a.person, a.n, r.channel, r.flow_no, r.flow_version, r.restored_at"
        "   from run r, attempt a where r.no = u.run_no"
        "   and a.app = r.app and a.run_no = u.run_no and a.person = u.person and a.n = u.n for update of a"
        " ) a",
        *columns(sorted(keys), 3),
    )
    for app, run_no, person, n, *of in attempts:
        if run_no not in held:
            held[run_no] = _Held(app, set(), {}, read_talking(*of))
        held[run_no].attempts.add((person, n))
    events = await raw.fetch(
        "select u.run_no, u.person, u.n, e.kind from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[])"
        "  as u (app, run_no, person, n) cross join lateral ("
        "  select kind from event e where e.app = u.app and e.run_no = u.run_no and e.person = u.person and e.n = u.n"
        "  offset 0) e",
        *columns([attempt[:4] for attempt in attempts], 4),
    )
    for run_no, person, n, kind in events:
        held[run_no].seen.setdefault((person, n), []).append(kind)
    return held


async def _store(
    raw: Raw,
    node_no: int,
    happenings: Iterable[Happening],
    held: Mapping[int, _Held],
    jitter: Callable[[], float],
    made_of: Mapping[AttemptKey, bytes] = _UNKNOWN,
) -> Recorded:
    """Store what happened to attempts that are locked."""
    unknown = 0
    changes: list[tuple[int, int, Changes]] = []
    for run_no, mine in by_run(happenings).items():
        run = held.get(run_no)
        if run is None:
            unknown += len(mine)
            continue
        weighed = weigh(mine, run.seen, run.attempts, run.talking.channel)
        unknown += weighed.unknown
        changes.append((run.app, run_no, weighed))
    retries = await _bring_back(raw, changes, jitter)
    await _write(raw, node_no, changes, retries)
    await _talk(raw, changes, held, made_of)
    events = sum(len(mine.events) for _, _, mine in changes)
    dues = [row[3] for row in retries]
    return Recorded(events, from_micros(min(dues)) if dues else None, unknown)


async def _talk(
    raw: Raw,
    changes: Sequence[tuple[int, int, Changes]],
    held: Mapping[int, _Held],
    made_of: Mapping[AttemptKey, bytes],
) -> None:
    """Open and end the conversations of runs that have any: of an app all at once, in one order."""
    apps: dict[int, list[Talked]] = {}
    for app, run_no, changed in sorted(changes, key=lambda change: change[:2]):
        talking = held[run_no].talking
        if talking.flow_no and (changed.taken or changed.lost):
            apps.setdefault(app, []).append(Talked(run_no, talking, changed.taken, changed.lost))
    for app, runs in apps.items():
        await change_talks(raw, app, runs, made_of)


_WRITE = (
    "with doubted as ("
    "  insert into uncertain (app, run_no, person, n, at)"
    "  select * from unnest($11::bigint[], $12::bigint[], $13::bytea[], $14::bigint[], $15::bigint[])"
    "  on conflict do nothing"
    "), settled as ("
    "  delete from uncertain where ctid = any(array("
    "   select d.ctid from unnest($16::bigint[], $17::bigint[], $18::bytea[], $19::bigint[])"
    "    as u (app, run_no, person, n) cross join lateral ("
    "    select d.ctid from uncertain d"
    "    where d.app = u.app and d.run_no = u.run_no and d.person = u.person and d.n = u.n for update) d))"
    "), back as ("
    "  insert into retry (app, run_no, turn, due, list_no, pos, person, n, used, group_no, reason)"
    "  select * from unnest($20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[],"
    "   $26::bytea[], $27::bigint[], $28::bigint[], $29::bigint[], $30::text[]) on conflict do nothing"
    "), counted as ("
    "  insert into counter as c (app, run_no, node_no, name, value)"
    "  select u.app, u.run_no, $1, u.name, u.value"
    "  from unnest($31::bigint[], $32::bigint[], $33::text[], $34::bigint[]) as u (app, run_no, name, value)"
    "  on conflict (app, run_no, node_no, name) do update set value = c.value + excluded.value"
    # Without a clause for conflicts: under the lock of the attempt there is none, and one would tell of a fault.
    ") insert into event (app, run_no, person, n, kind, at, code, ref, segments)"
    " select * from unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::text[], $7::bigint[],"
    "  $8::text[], $9::text[], $10::bigint[])"
)


async def _write(
    raw: Raw, node_no: int, changes: Sequence[tuple[int, int, Changes]], retries: Sequence[tuple[Any, ...]]
) -> None:
    events = [
        (app, run_no, h.person, h.n, h.kind.value, to_micros(h.at), h.code, h.ref, h.segments)
        for app, run_no, mine in changes
        for h in mine.events
    ]
    if not events:
        return
    settled = {(app, no, h.person, h.n) for app, no, mine in changes for h in mine.settled}
    # A doubt that the same batch settles is none: the statement would not see what it inserts itself.
    doubts = [
        (app, no, h.person, h.n, to_micros(h.at))
        for app, no, mine in changes
        for h in mine.doubts
        if (app, no, h.person, h.n) not in settled
    ]
    counters = [(app, no, name, value) for app, no, mine in changes for name, value in mine.counters.items() if value]
    await raw.execute(
        _WRITE,
        node_no,
        *columns(events, 9),
        *columns(doubts, 5),
        *columns(settled, 4),
        *columns(retries, 11),
        # By name: two transactions of one node wait for each other here, in one order.
        *columns(sorted(counters), 4),
    )


async def _bring_back(
    raw: Raw, changes: Sequence[tuple[int, int, Changes]], jitter: Callable[[], float]
) -> list[tuple[Any, ...]]:
    """Ask core who comes again, and return the rows of `retry`."""
    rows: list[tuple[Any, ...]] = []
    for app, run_no, mine in changes:
        ended = may_come_again(mine.moved)
        if ended:
            policy, tried = await _policy(raw, run_no), await _tried(raw, app, run_no, ended)
            rows += [(app, run_no, *retry) for retry in plan_retries(ended, tried, policy, jitter)]
    return rows


async def _policy(raw: Raw, run_no: int) -> RetryPolicy:
    """Keep a run from ending until those who come again are written down, and return its policy."""
    row = await raw.fetchrow(
        "select r.status, v.definition, a.settings from run r join app a on a.no = r.app join campaign_version v"
        "  on v.app = r.app and v.campaign_no = r.campaign_no and v.version = r.version"
        " where r.no = $1 for share of r",
        run_no,
    )
    assert row is not None, "a run with attempts is there"
    return read_policy(*row)


async def _tried(raw: Raw, app: int, run_no: int, ended: Sequence[Happening]) -> dict[Key, Tried]:
    rows = await raw.fetch(
        "select u.person, u.n, a.* from unnest($3::bytea[], $4::bigint[]) as u (person, n) cross join lateral ("
        "  select used, list_no, pos, group_no from attempt a"
        "  where a.app = $1 and a.run_no = $2 and a.person = u.person and a.n = u.n offset 0) a",
        app,
        run_no,
        *columns([(happening.person, happening.n) for happening in ended], 2),
    )
    return {(person, n): Tried._make(rest) for person, n, *rest in rows}


class Reaped(NamedTuple):
    """How many attempts became uncertain, and whether there may be more arms to reap."""

    doubtful: int
    more: bool


async def reap(
    raw: Raw,
    node_no: int,
    jitter: Callable[[], float],
    *,
    all_arms: bool,
    present: int | None,
) -> Reaped:
    """Make attempts uncertain whose lease ran out without a result. Arms that somebody records just now are his."""
    arms: Sequence[Any] = await raw.fetch(
        f"select app, run_no, node_no, arm_no, members, {now_or(1)} as now from arm"
        f" where ($2 and (select r.channel from run r where r.no = arm.run_no limit 1) <> $4)"
        f" or lease_until <= {now_or(1)} order by app, run_no, node_no, arm_no limit $3 for update skip locked",
        present,
        all_arms,
        ARMS_AT_ONCE,
        Channel.voice.value,
    )
    if not arms:
        return Reaped(0, more=False)
    tries = {(arm["run_no"], *attempt) for arm in arms for attempt in unpack_members(arm["members"])}
    held = await _hold(raw, tries)
    doubts = [
        doubt
        for run_no, mine in held.items()
        for doubt in leases_ran_out(run_no, sorted(mine.attempts), mine.seen, from_micros(arms[0]["now"]))
    ]
    await _store(raw, node_no, doubts, held, jitter)
    await raw.execute(
        "delete from arm a using unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"
        "  as u (app, run_no, node_no, arm_no)"
        " where a.app = u.app and a.run_no = u.run_no and a.node_no = u.node_no and a.arm_no = u.arm_no",
        *columns([ArmKey._make(arm[:4]) for arm in arms], 4),
    )
    return Reaped(len(doubts), more=len(arms) == ARMS_AT_ONCE)
