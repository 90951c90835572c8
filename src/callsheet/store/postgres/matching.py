"""Match on PostgreSQL: remember the ids of what was taken, and find whose receipts are that do not name an attempt.

Two nodes may hear an answer and its receipt at the same time, and neither sees what the other has not committed: the
receipt is parked then, and found when it is looked at again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from callsheet.core.ids import NO_RUN
from callsheet.core.matching import MOST_PARKED, REMEMBERED_DAYS, Carried, LooseReceipt, Match
from callsheet.store.matching import (
    CARRIED,
    LEARN,
    OPEN_ANSWERS,
    PARKED,
    PART,
    TRUNK_OF_THEN,
    Filling,
    Part,
    Search,
    Wanted,
    Where,
    awaited_ids,
    carried_rows,
    keep_days,
    late_names,
    learned_rows,
    parked_rows,
    taken_up,
    within_bounds,
)
from callsheet.store.postgres.database import Raw
from callsheet.store.postgres.statements import columns, rows_of
from callsheet.store.protocol import Batch

_SPAN_MICROS = REMEMBERED_DAYS * 86_400_000_000

_REMEMBER = (
    "with remembered as ("
    f"  insert into carried ({CARRIED}) select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[],"
    f"   $5::bigint[], $6::bytea[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[]) {LEARN}"
    ") select p.* from unnest($11::bigint[], $12::bigint[], $13::text[]) as u (app, trunk_no, carrier_id)"
    " cross join lateral ("
    f"  select no, {PARKED} from parked_receipt p where p.app = u.app and p.trunk_no = u.trunk_no"
    "   and p.carrier_id = u.carrier_id offset 0"
    " ) p"
)

_FIND = (
    "select c.* from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[])"
    "  as u (app, trunk_no, day, carrier_id) cross join lateral ("
    f"  select {CARRIED} from carried c where c.app = u.app and c.trunk_no = u.trunk_no and c.day = u.day"
    "   and c.carrier_id = u.carrier_id offset 0"
    " ) c"
)

_FIND_PERSONS = (
    "select u.app, u.trunk_no, a.run_no, a.person, a.n, a.at, e.kind"
    " from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) as u (app, trunk_no, since, person)"
    " cross join lateral ("
    "  select a.app, a.run_no, a.person, a.n, a.at, a.sender_no from attempt a"
    "  where a.app = u.app and a.person = u.person and a.at >= u.since order by a.app, a.person, a.at"
    " ) a cross join lateral ("
    "  select s.no from run r cross join lateral ("
    "   select no, trunk_no from sender"
    "   where no = case a.sender_no when 0 then r.sender_no else a.sender_no end offset 0"
    f"  ) s where r.no = a.run_no and {TRUNK_OF_THEN} = u.trunk_no offset 0"
    " ) s left join lateral ("
    "  select kind from event e where e.app = a.app and e.run_no = a.run_no and e.person = a.person and e.n = a.n"
    "  offset 0"
    " ) e on true"
    f" union all select u.app, u.trunk_no, {NO_RUN}, r.person, r.no, r.at, nullif(r.state, 'taken')"
    " from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) as u (app, trunk_no, since, person)"
    " cross join lateral ("
    "  select person, no, at, state from reply r where r.app = u.app and r.person = u.person and r.at >= u.since"
    f"   and r.trunk_no = u.trunk_no and {OPEN_ANSWERS} order by r.app, r.person, r.at"
    " ) r"
)

_STATES = (
    "select c.* from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bytea[],"
    f"  $7::bigint[]) as u ({PART}) cross join lateral ("
    f"  select state, {PART} from carried c where c.app = u.app and c.trunk_no = u.trunk_no and c.day = u.day"
    "   and c.carrier_id = u.carrier_id and c.run_no = u.run_no and c.person = u.person and c.n = u.n offset 0"
    " ) c"
)

_TELL_PARTS = (
    "update carried set state = $1 where ctid = any(array("
    "  select c.ctid from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bytea[],"
    f"   $8::bigint[]) as u ({PART}) cross join lateral ("
    "   select c.ctid from carried c where c.app = u.app and c.trunk_no = u.trunk_no and c.day = u.day"
    "    and c.carrier_id = u.carrier_id and c.run_no = u.run_no and c.person = u.person and c.n = u.n for update"
    "  ) c))"
)

_END = (
    "with learned as ("
    f"  insert into carried ({CARRIED}) select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[],"
    "   $5::bigint[], $6::bytea[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[]) on conflict do nothing"
    "), released as (delete from parked_receipt where no = any($11::bigint[]))"
    f" insert into parked_receipt ({PARKED}) select * from unnest($12::bigint[], $13::bigint[], $14::text[],"
    "  $15::text[], $16::bytea[], $17::text[], $18::bigint[], $19::text[], $20::text[], $21::bigint[], $22::bigint[],"
    "  $23::bigint[]) on conflict do nothing"
)

_COUNT = (
    "select u.app, u.trunk_no, (select count(*) from (select 1 from parked_receipt p where p.app = u.app"
    "  and p.trunk_no = u.trunk_no limit $3::bigint) few) from unnest($1::bigint[], $2::bigint[]) as u (app, trunk_no)"
)


async def look(raw: Raw, batch: Batch) -> tuple[list[Match], list[LooseReceipt]]:
    """Return the attempts of receipts, those that waited for what this batch brings included, and the other receipts.

    Nothing is locked: what is done with it looks again under the locks of the attempts.
    """
    late = late_names(batch.carried)
    carried = keep_days(batch.carried, await _find(raw, late)) if late else batch.carried
    receipts = [*batch.receipts, *await _remember(raw, carried)]
    if not receipts:
        return [], []
    search = Search(receipts)
    search.add(await _find(raw, search.recent()))
    earlier = search.earlier()
    if earlier:
        search.add(await _find(raw, earlier))
    orphans = search.orphans()
    if orphans:
        await _consider(raw, search, orphans)
    return search.end()


async def fill(raw: Raw, matches: Sequence[Match]) -> tuple[list[Match], list[LooseReceipt]]:
    """Return of what was found what stands, and the receipts that nothing is known of; whoever asks holds the attempts.

    The carrier did not answer to all parts of some texts: two nodes that hear of others wait for each other here.
    """
    filling = Filling(matches)
    wanted = filling.wanted()
    if wanted:
        filling.add(await _find(raw, wanted))
    found, others, learned = filling.end()
    await _remember(raw, learned)
    return found, others


async def states(raw: Raw, parts: Collection[Part]) -> Mapping[Part, str]:
    """Return how parts of texts stand; whoever asks holds their attempts."""
    rows = await raw.fetch(_STATES, *columns(parts, 7)) if parts else ()
    return {Part(*key): state for state, *key in rows}


async def end(
    raw: Raw, found: Collection[Match], unknown: Iterable[LooseReceipt], parts: Mapping[Part, str]
) -> tuple[int, int]:
    """Write down how parts stand and what was learned, and let receipts wait.

    Return how many of those are new, and for how many there is no room.
    """
    for state in set(parts.values()):
        await raw.execute(_TELL_PARTS, state, *columns([part for part in parts if parts[part] == state], 7))
    learned, parked = learned_rows(found), parked_rows(unknown)
    released = sorted(one.receipt.parked_no for one in found if one.receipt.parked_no)
    if not learned and not parked and not released:
        return 0, 0
    wheres = sorted({row[:2] for row in parked})
    counted = await raw.fetch(_COUNT, *columns(wheres, 2), MOST_PARKED) if wheres else ()
    waiting = {(app, no): count for app, no, count in counted}
    kept = within_bounds(parked, waiting)
    new = rows_of(await raw.execute(_END, *columns(learned, 10), released, *columns(kept, 12)))
    return new, len(parked) - len(kept)


async def _remember(raw: Raw, carried: Sequence[Carried]) -> list[LooseReceipt]:
    """Remember ids, and return the receipts that wait for them."""
    if not carried:
        return []
    awaited = sorted(awaited_ids(carried))
    rows = await raw.fetch(_REMEMBER, *columns(carried_rows(carried), 10), *columns(awaited, 3))
    return taken_up(rows, carried)


async def _find(raw: Raw, wanted: Wanted) -> Sequence[Any]:
    keys = [(*where, day, one) for where, (days, ids) in wanted.items() for day in days for one in ids]
    return await raw.fetch(_FIND, *columns(keys, 4))


async def _consider(raw: Raw, search: Search, orphans: Mapping[Where, tuple[int, set[bytes]]]) -> None:
    keys = [(*where, since - _SPAN_MICROS, person) for where, (since, persons) in orphans.items() for person in persons]
    attempts: dict[Where, list[Sequence[Any]]] = {}
    for app, trunk_no, *attempt in await raw.fetch(_FIND_PERSONS, *columns(keys, 4)):
        attempts.setdefault((app, trunk_no), []).append(attempt)
    for where, rows in attempts.items():
        search.consider(where, rows)
