"""Quarantine on SQLite: write down what a restored run did after its backup, once something is heard of it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

from callsheet.core.attempt import Happening
from callsheet.store.arming import ARMED
from callsheet.store.quarantine import Place, doubts, missing_rows, strangers
from callsheet.store.sqlite.statements import count, insert_many, select_in


def quarantine(
    raw: sqlite3.Connection, app: int, run_no: int, node_no: int, happenings: Sequence[Happening]
) -> list[Happening]:
    """Insert attempts that are not recorded, and return the doubts that go before what was heard of them."""
    persons = {happening.person for happening in happenings}
    attempts = set(
        select_in(raw, "select person, n from attempt where app = ? and run_no = ? and person", (app, run_no), persons)
    )
    unknown = strangers(happenings, attempts)
    if not unknown:
        return []
    last_tries: dict[bytes, int] = {}
    for person, n in attempts:
        last_tries[person] = max(n, last_tries.get(person, 0))
    rows = missing_rows(unknown, last_tries, _places(raw, app, run_no, list(unknown)))
    insert_many(
        raw,
        "insert into attempt (app, run_no, person, n, used, list_no, pos, group_no, at)",
        [(app, run_no, *row) for row in rows],
        "on conflict do nothing",
    )
    count(raw, app, run_no, node_no, Counter({ARMED: len(rows)}))
    return doubts(rows, unknown)


def _places(raw: sqlite3.Connection, app: int, run_no: int, persons: Sequence[bytes]) -> dict[bytes, Place]:
    """Find where persons stand: the first place in the first list, as the run would meet them."""
    found: dict[bytes, Place] = {}
    for person, *place in select_in(
        raw,
        "select c.person, c.list_no, c.pos, c.group_no from run_list l join contact c on c.app = l.app"
        " and c.list_no = l.list_no where l.app = ? and l.run_no = ? and c.person",
        (app, run_no),
        persons,
    ):
        candidate = Place._make(place)
        found[person] = min(found.get(person, candidate), candidate)
    return found
