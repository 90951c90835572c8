"""Match on SQLite: remember the ids of what was taken, and find whose receipts are that do not name an attempt."""

from __future__ import annotations

import sqlite3
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
    Matched,
    Part,
    Search,
    Where,
    awaited_ids,
    carried_rows,
    keep_days,
    late_names,
    learned_rows,
    parked_rows,
    parts_of,
    taken_up,
    tell_parts,
    within_bounds,
)
from callsheet.store.protocol import Batch
from callsheet.store.sqlite.statements import gather_in, insert_many, marks, select_in

_SPAN_MICROS = REMEMBERED_DAYS * 86_400_000_000


def match(raw: sqlite3.Connection, batch: Batch) -> Matched:
    """Find the attempts of receipts, those that waited for what this batch brings included, and park the others."""
    late = [row for where, names in late_names(batch.carried).items() for row in _carried(raw, where, *names)]
    _remember(raw, keep_days(batch.carried, late) if late else batch.carried)
    receipts = [*batch.receipts, *_awaited(raw, batch)]
    if not receipts:
        return Matched()
    found, unknown, learned = _search(raw, receipts)
    _remember(raw, learned)
    happenings, parts = tell_parts(found, _states(raw, parts_of(found)))
    insert_many(
        raw, f"insert into carried (state, {PART}, at)", [(state, *part, 0) for part, state in parts.items()],
        "on conflict do update set state = excluded.state",
    )  # fmt: skip
    insert_many(raw, f"insert into carried ({CARRIED})", learned_rows(found), "on conflict do nothing")
    _release(raw, [one.receipt.parked_no for one in found if one.receipt.parked_no])
    return Matched(happenings, found, *_park(raw, unknown))


def _remember(raw: sqlite3.Connection, carried: Iterable[Carried]) -> None:
    insert_many(raw, f"insert into carried ({CARRIED})", carried_rows(carried), LEARN)


def _awaited(raw: sqlite3.Connection, batch: Batch) -> list[LooseReceipt]:
    """Return the receipts that wait for ids that a batch brings."""
    rows: list[tuple[Any, ...]] = []
    wanted: dict[Where, list[Carried]] = {}
    for one in batch.carried:
        wanted.setdefault((one.app, one.trunk_no), []).append(one)
    head = "from parked_receipt where app = ? and trunk_no = ?"
    for where, carried in wanted.items():
        # Mostly none waits, and then nobody need find out how it might spell the ids.
        if raw.execute(f"select 1 {head} limit 1", where).fetchone() is not None:
            ids = [carrier_id for *_, carrier_id in awaited_ids(carried)]
            rows += select_in(raw, f"select no, {PARKED} {head} and carrier_id", where, ids)
    return taken_up(rows, batch.carried)


def _search(
    raw: sqlite3.Connection, receipts: Sequence[LooseReceipt]
) -> tuple[list[Match], list[LooseReceipt], list[Carried]]:
    """Return what was found, the other receipts, and the ids to be remembered."""
    search = Search(receipts)
    for where, (days, ids) in search.recent().items():
        search.add(_carried(raw, where, days, ids))
    for where, (days, ids) in search.earlier().items():
        search.add(_carried(raw, where, days, ids))
    for where, (since, persons) in search.orphans().items():
        search.consider(where, _attempts(raw, where, since - _SPAN_MICROS, persons))
    matches, unknown = search.end()
    filling = Filling(matches)
    for where, (days, names) in filling.wanted().items():
        filling.add(_carried(raw, where, days, names))
    found, others, learned = filling.end()
    return found, [*unknown, *others], learned


def _carried(
    raw: sqlite3.Connection, where: Where, days: Collection[int], ids: Collection[str]
) -> Iterable[Sequence[Any]]:
    rest = f"from carried where app = ? and trunk_no = ? and day in ({marks(len(days))}) and carrier_id"
    return gather_in(raw, CARRIED, rest, (*where, *days), ids)


def _attempts(
    raw: sqlite3.Connection, where: Where, since: int, persons: Collection[bytes]
) -> Iterable[tuple[Any, ...]]:
    """Return the attempts of persons through a trunk, with each event that they have, and open answers to them."""
    app, trunk_no = where
    those = marks(len(persons))
    return raw.execute(
        "select a.run_no, a.person, a.n, a.at, e.kind"
        " from attempt a indexed by ix_attempt_app_person_at"
        " cross join run r on r.no = a.run_no"
        " cross join sender s on s.no = case a.sender_no when 0 then r.sender_no else a.sender_no end"
        " left join event e on e.app = a.app and e.run_no = a.run_no and e.person = a.person and e.n = a.n"
        f" where a.app = ? and a.at >= ? and {TRUNK_OF_THEN} = ? and a.person in ({those})"
        f" union all select {NO_RUN}, person, no, at, nullif(state, 'taken') from reply indexed by ix_reply_person"
        f" where app = ? and at >= ? and trunk_no = ? and person in ({those}) and {OPEN_ANSWERS}",
        (app, since, trunk_no, *persons) * 2,
    )


def _states(raw: sqlite3.Connection, keys: Collection[Part]) -> Mapping[Part, str]:
    """Return how parts stand."""
    wanted: dict[tuple[int, int, int], set[str]] = {}
    for app, trunk_no, day, carrier_id, *_ in keys:
        wanted.setdefault((app, trunk_no, day), set()).add(carrier_id)
    head = f"select state, {PART} from carried where app = ? and trunk_no = ? and day = ? and carrier_id"
    rows = (row for where, ids in wanted.items() for row in select_in(raw, head, where, ids))
    return {Part(*key): state for state, *key in rows}


def _park(raw: sqlite3.Connection, receipts: Iterable[LooseReceipt]) -> tuple[int, int]:
    """Let receipts wait; return how many are new, and for how many there is no room."""
    rows = parked_rows(receipts)
    if not rows:
        return 0, 0
    count = "select count(*) from (select 1 from parked_receipt where app = ? and trunk_no = ? limit ?)"
    waiting = {where: raw.execute(count, (*where, MOST_PARKED)).fetchone()[0] for where in {row[:2] for row in rows}}
    kept = within_bounds(rows, waiting)
    before = raw.total_changes
    insert_many(raw, f"insert into parked_receipt ({PARKED})", kept, "on conflict do nothing")
    return raw.total_changes - before, len(rows) - len(kept)


def _release(raw: sqlite3.Connection, nos: Sequence[int]) -> None:
    if nos:
        raw.execute(f"delete from parked_receipt where no in ({marks(len(nos))})", nos)
