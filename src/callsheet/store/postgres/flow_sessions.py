"""Open conversations where attempts are recorded, by hand: a campaign of a flow opens one for each that is taken.

What two nodes write of one person they write one after the other: the attempts are locked, then the places of all whose
conversations begin or end in a batch, in the order that `store/flow_places.py` tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from callsheet.clock import to_micros
from callsheet.core.attempt import Happening
from callsheet.core.flow.session import Ending
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.store.consequences import bare
from callsheet.store.flow_ends import END, ended_notice
from callsheet.store.flow_openings import OPENED, UNCLAIMED, Unclaimed, claim, opened_values
from callsheet.store.flow_places import RESERVE, Held, Standing, name_place, place
from callsheet.store.postgres.database import Raw
from callsheet.store.postgres.statements import columns
from callsheet.store.recording import Talking

_SPOKE = (
    "select u.person, u.n, s.label, s.trunk_no, a.at from unnest($4::bytea[], $5::bigint[]) as u (person, n)"
    " cross join lateral (select sender_no, at from attempt a where a.app = $1 and a.run_no = $2"
    "  and a.person = u.person and a.n = u.n and a.at > $3 offset 0) a, run r, sender s"
    " where r.no = $2 and s.no = case when a.sender_no > 0 then a.sender_no else r.sender_no end"
)
_OPEN = (
    f"insert into flow_session ({OPENED}) select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[],"
    " $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::bytea[],"
    " $13::bytea[], $14::bytea[], $15::text[], $16::bigint[], $17::bigint[], $18::bigint[])"
    " on conflict (app, cause) do nothing returning no, person, n"
)
_OPENED = (
    "select f.no, f.person, f.channel, f.sender, u.cause, a.at"
    " from unnest($2::text[]) as u (cause) cross join lateral ("
    " select no, person, channel, sender, run_no, n from flow_session f where f.app = $1 and f.cause = u.cause"
    "  and f.ended_at = 0 offset 0) f cross join lateral ("
    " select at from attempt a where a.app = $1 and a.run_no = f.run_no and a.person = f.person and a.n = f.n"
    "  offset 0) a"
    " order by f.person, f.no"
)
_SILENT = (
    "select f.no from flow_session f where f.no = any($2::bigint[]) and not exists (select 1 from inbound i"
    " where i.app = $1 and i.person = f.person and i.session_no = f.no)"
)
_UNCLAIMED = f"{UNCLAIMED} and i.app = $1 and i.at >= $2 and i.person = any($3::bytea[])"
# Held by their ids, as by whoever settles them.
_CLAIM = (
    "with held as materialized ("
    "  select i.trunk_no, i.inbound_id, u.no from unnest($2::bigint[], $3::bigint[], $4::text[])"
    "  as u (no, trunk_no, inbound_id) join inbound i"
    "  on i.app = $1 and i.trunk_no = u.trunk_no and i.inbound_id = u.inbound_id order by i.id for update of i"
    ") update inbound set session_no = held.no from held"
    " where inbound.app = $1 and inbound.trunk_no = held.trunk_no and inbound.inbound_id = held.inbound_id"
)
_SPOKE_AT = (
    "select f.no, a.at from unnest($2::bigint[]) as u (no) cross join lateral ("
    " select no, run_no, person, n from flow_session f where f.no = u.no offset 0) f cross join lateral ("
    " select at from attempt a where a.app = $1 and a.run_no = f.run_no and a.person = f.person and a.n = f.n"
    "  offset 0) a"
)
_PLACES = (
    "select $1, * from unnest($2::bytea[], $3::text[], $4::bigint[]) as u (person, sender, no)"
    " order by u.person, u.sender"
)
_RESERVE = f"{RESERVE.format(_PLACES)} open_session.session_no returning session_no, person, sender"
_PLACE = f"{RESERVE.format(_PLACES)} excluded.session_no"
_LEAVE = (
    "delete from open_session o using flow_session f where o.app = $1 and o.person = any($2::bytea[])"
    " and o.session_no = any($3::bigint[]) and f.no = o.session_no and f.ended_at > 0"
)
_END = END.format("$2", "$3") + " where no = any($1::bigint[]) and ended_at = 0 returning no, id, person"


class Talked(NamedTuple):
    """What a batch changes in the conversations of a run."""

    run_no: int
    talking: Talking
    taken: Sequence[Happening]
    """Attempts that were taken: of each there is a conversation then."""
    lost: Sequence[Happening]
    """Attempts that were not delivered: their conversations end, but for those in which somebody replied."""


async def change_talks(raw: Raw, app: int, runs: Sequence[Talked], made_of: Mapping[AttemptKey, bytes]) -> None:
    """Open and end the conversations of runs, in their order; what a reply has opened already has its place."""
    opened: list[Standing] = []
    before: list[Standing] = []
    for run in runs:
        if run.taken:
            fresh, known = await _open(raw, app, run, made_of)
            opened += fresh
            before += known
    lost = [encode_attempt(run.run_no, one.person, one.n) for run in runs for one in run.lost]
    losing = await _opened(raw, app, lost) if lost else []
    if opened or losing:
        held = await _hold_places(raw, app, opened, losing)
        await _take_places(raw, app, opened, held, _latest(one for run in runs for one in run.taken))
    if opened or before:
        await _claim_replies(raw, app, [*opened, *before])
    if losing:
        await _close(raw, app, losing, _latest(one for run in runs for one in run.lost))


async def _open(
    raw: Raw, app: int, run: Talked, made_of: Mapping[AttemptKey, bytes]
) -> tuple[list[Standing], list[Standing]]:
    """Open a conversation for each attempt that was taken; return those, and the open ones that were there before."""
    at = {(happening.person, happening.n): to_micros(happening.at) for happening in run.taken}
    spoke = sorted(await raw.fetch(_SPOKE, app, run.run_no, run.talking.restored_at, *columns(sorted(at), 2)))
    if not spoke:
        return [], []
    rows = [
        opened_values(app, AttemptKey(run.run_no, person, n), label, trunk_no, run.talking, at[person, n], made_of)
        for person, n, label, trunk_no, _ in spoke
    ]
    nos = {(person, n): no for no, person, n in await raw.fetch(_OPEN, *columns(rows, 18))}
    fresh = [
        Standing(nos[person, n], person, name_place(run.talking.channel, bare(label), cause), spoke_at)
        for person, n, label, _, spoke_at in map(tuple, spoke)
        if (person, n) in nos and (cause := encode_attempt(run.run_no, person, n))
    ]
    there = [encode_attempt(run.run_no, person, n) for person, n, *_ in spoke if (person, n) not in nos]
    return fresh, await _opened(raw, app, there) if there else []


async def _opened(raw: Raw, app: int, causes: Sequence[str]) -> list[Standing]:
    """Return the open conversations that attempts began."""
    found = await raw.fetch(_OPENED, app, causes)
    return [
        Standing(no, person, name_place(channel, bare(sender), cause), spoke_at)
        for no, person, channel, sender, cause, spoke_at in found
    ]


async def _hold_places(raw: Raw, app: int, opened: Sequence[Standing], losing: Sequence[Standing]) -> list[Held]:
    """Hold the places of all whose conversations begin or end, and return who has them."""
    keys = {(one.person, one.sender): one.no for one in (*losing, *opened)}
    rows = [(person, sender, no) for (person, sender), no in keys.items()]
    return [Held(*row) for row in await raw.fetch(_RESERVE, app, *columns(rows, 3))]


async def _take_places(raw: Raw, app: int, opened: Sequence[Standing], held: Sequence[Held], at: int) -> None:
    """Let conversations take the place of those before."""
    own, wanted = {standing.no for standing in opened}, {(standing.person, standing.sender) for standing in opened}
    others = [one for one in held if one.no not in own and (one.person, one.sender) in wanted]
    # Asked when the places are held: what somebody else has placed meanwhile is seen.
    spoke = dict(await raw.fetch(_SPOKE_AT, app, [one.no for one in others])) if others else {}
    placed, replaced = place((Standing(*one, spoke.get(one.no, 0)) for one in others), opened)
    if replaced:
        await end_talks(raw, app, replaced, Ending.replaced, at)
    reserved = {one.no for one in held if one.no in own}
    rows = sorted((one.person, one.sender, one.no) for one in placed if one.no not in reserved)
    if rows:
        await raw.execute(_PLACE, app, *columns(rows, 3))


async def _close(raw: Raw, app: int, losing: Sequence[Standing], at: int) -> None:
    """End conversations, but for those in which somebody replied; one that has ended meanwhile has no place again."""
    nos = [one.no for one in losing]
    if silent := [row[0] for row in await raw.fetch(_SILENT, app, nos)]:
        await end_talks(raw, app, silent, Ending.silent, at)
    await raw.execute(_LEAVE, app, sorted({one.person for one in losing}), nos)


async def _claim_replies(raw: Raw, app: int, opened: Sequence[Standing]) -> None:
    """Let conversations have the replies that came before they were opened."""
    since = min(standing.spoke_at for standing in opened)
    found = await raw.fetch(_UNCLAIMED, app, since, sorted({standing.person for standing in opened}))
    if claimed := sorted(claim(opened, (Unclaimed(*row) for row in found))):
        await raw.execute(_CLAIM, app, *columns(claimed, 3))


def _latest(happenings: Iterable[Happening]) -> int:
    return max((to_micros(one.at) for one in happenings), default=0)


async def end_talks(raw: Raw, app: int, nos: Sequence[int], ending: Ending, at: int) -> None:
    """End conversations, those that are open."""
    ended = await raw.fetch(_END, sorted(nos), ending.value, at)
    told = [(app, *ended_notice(talk_id, person, ending), at) for _, talk_id, person in ended]
    gone = [no for no, _, _ in ended]
    await raw.execute("delete from errand where app = $1 and session_no = any($2::bigint[])", app, gone)
    persons = sorted({person for _, _, person in ended})
    await raw.execute(
        "delete from open_session where app = $1 and person = any($2::bytea[]) and session_no = any($3::bigint[])",
        app,
        persons,
        gone,
    )
    await raw.execute(
        "update inbound i set lease_until = 0 from (select trunk_no, inbound_id from inbound where app = $1"
        "  and person = any($2::bytea[]) and waits_since > 0 and lease_until > 0 for update skip locked) w"
        " where i.app = $1 and i.trunk_no = w.trunk_no and i.inbound_id = w.inbound_id",
        app,
        persons,
    )
    await raw.execute(
        "insert into outbox (app, kind, payload, at)"
        " select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])",
        *columns(told, 4),
    )
