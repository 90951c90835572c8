"""Open conversations where attempts are recorded, by hand: a campaign of a flow opens one for each that is taken.

What two nodes write of one person they write one after the other: the attempts are locked, and places are taken in the
order of persons. Who meets somebody else all the same does it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callsheet.clock import to_micros
from callsheet.core.attempt import Happening
from callsheet.core.flow.session import Ending
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.store.consequences import bare
from callsheet.store.flow_ends import END, ended_notice
from callsheet.store.flow_openings import OPENED, UNCLAIMED, Standing, Unclaimed, claim, opened_values, place
from callsheet.store.postgres.database import Raw
from callsheet.store.postgres.statements import columns
from callsheet.store.recording import Talking

_SPOKE = (
    "select u.person, u.n, s.label, s.trunk_no from unnest($4::bytea[], $5::bigint[]) as u (person, n)"
    " cross join lateral (select sender_no from attempt a where a.app = $1 and a.run_no = $2 and a.person = u.person"
    "  and a.n = u.n and a.at > $3 offset 0) a, run r, sender s"
    " where r.no = $2 and s.no = case when a.sender_no > 0 then a.sender_no else r.sender_no end"
)
_OPEN = (
    f"insert into flow_session ({OPENED}) select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[],"
    " $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::bytea[],"
    " $13::bytea[], $14::bytea[], $15::text[], $16::bigint[], $17::bigint[], $18::bigint[])"
    " on conflict (app, cause) do nothing"
)
_OPENED = (
    "select f.no, f.person, f.sender, a.at from unnest($2::text[]) as u (cause) cross join lateral ("
    " select no, person, sender, run_no, n from flow_session f where f.app = $1 and f.cause = u.cause"
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
_CLAIM = (
    "update inbound set session_no = u.no from unnest($2::bigint[], $3::bigint[], $4::text[])"
    " as u (no, trunk_no, inbound_id)"
    " where inbound.app = $1 and inbound.trunk_no = u.trunk_no and inbound.inbound_id = u.inbound_id"
)
_BEFORE = (
    "select o.session_no, o.person, o.sender, coalesce((select a.at from flow_session f, attempt a"
    "  where f.no = o.session_no and a.app = $1 and a.run_no = f.run_no and a.person = f.person and a.n = f.n), 0)"
    " from unnest($2::bytea[]) as u (person) cross join lateral ("
    " select * from open_session o where o.app = $1 and o.person = u.person for update) o"
)
_RESERVE = (
    "insert into open_session (app, person, sender, session_no)"
    " select $1, * from unnest($2::bytea[], $3::text[], $4::bigint[]) on conflict (app, person, sender) do nothing"
)
_PLACE = (
    "insert into open_session (app, person, sender, session_no)"
    " select $1, * from unnest($2::bytea[], $3::text[], $4::bigint[])"
    " on conflict (app, person, sender) do update set session_no = excluded.session_no"
)
_END = END.format("$2", "$3") + " where no = any($1::bigint[]) and ended_at = 0 returning no, id, person"


async def open_talks(
    raw: Raw,
    app: int,
    run_no: int,
    talking: Talking,
    taken: Sequence[Happening],
    made_of: Mapping[AttemptKey, bytes],
) -> None:
    """Open a conversation for each attempt that was taken, those that a reply has opened already left as they are."""
    at = {(happening.person, happening.n): to_micros(happening.at) for happening in taken}
    spoke = await raw.fetch(_SPOKE, app, run_no, talking.restored_at, *columns(sorted(at), 2))
    if not spoke:
        return
    rows = [
        opened_values(app, AttemptKey(run_no, person, n), label, trunk_no, talking, at[person, n], made_of)
        for person, n, label, trunk_no in spoke
    ]
    await raw.execute(_OPEN, *columns(rows, 18))
    causes = [encode_attempt(run_no, person, n) for person, n, *_ in spoke]
    opened = await raw.fetch(_OPENED, app, causes)
    taking = [Standing(no, person, bare(sender), spoke_at) for no, person, sender, spoke_at in opened]
    if taking:
        await _claim_replies(raw, app, taking)
        await _take_places(raw, app, taking, max(at.values()))


async def _claim_replies(raw: Raw, app: int, opened: Sequence[Standing]) -> None:
    """Let conversations have the replies that came before they were opened."""
    since = min(standing.spoke_at for standing in opened)
    found = await raw.fetch(_UNCLAIMED, app, since, sorted({standing.person for standing in opened}))
    if claimed := sorted(claim(opened, (Unclaimed(*row) for row in found))):
        await raw.execute(_CLAIM, app, *columns(claimed, 3))


async def _take_places(raw: Raw, app: int, taking: Sequence[Standing], at: int) -> None:
    """Let conversations take the place of those before."""
    # Where there is none yet, two nodes would both find none: the second one waits here for the first.
    own = sorted((standing.person, standing.sender, standing.no) for standing in taking)
    await raw.execute(_RESERVE, app, *columns(own, 3))
    before = await raw.fetch(_BEFORE, app, sorted({standing.person for standing in taking}))
    placed, replaced = place((Standing(*row) for row in before), taking)
    if replaced:
        await end_talks(raw, app, replaced, Ending.replaced, at)
    rows = sorted((one.person, one.sender, one.no) for one in placed)
    await raw.execute(_PLACE, app, *columns(rows, 3))


async def close_talks(raw: Raw, app: int, run_no: int, lost: Sequence[Happening]) -> None:
    """End the conversations of attempts that were not delivered: but for those in which somebody replied."""
    causes = [encode_attempt(run_no, happening.person, happening.n) for happening in lost]
    found = [row[0] for row in await raw.fetch(_OPENED, app, causes)]
    if silent := [row[0] for row in await raw.fetch(_SILENT, app, found)]:
        await end_talks(raw, app, silent, Ending.silent, max(to_micros(one.at) for one in lost))


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
        "update inbound set lease_until = 0 where app = $1 and person = any($2::bytea[]) and waits_since > 0",
        app,
        persons,
    )
    await raw.execute(
        "insert into outbox (app, kind, payload, at)"
        " select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])",
        *columns(told, 4),
    )
