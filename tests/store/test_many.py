"""Many rows in one statement, on both databases."""

import pytest
import sqlalchemy as sa

from callsheet.store import tables as t
from callsheet.store.many import insert_rows, update_rows
from callsheet.store.rows import all_of
from databases import Place


def notice(i: int) -> dict[str, object]:
    return {"app": 1, "kind": f"kind {i}", "payload": "{}", "at": i}


@pytest.mark.parametrize("count", [0, 1, 3, 17, 700])
async def test_rows_are_inserted_in_their_order(place: Place, count: int) -> None:
    store = await place.open()
    await store._database.write(lambda conn: insert_rows(conn, t.outbox, [notice(i) for i in range(count)]))
    query = sa.select(t.outbox.c.kind).order_by(t.outbox.c.seq)
    rows = await store._database.read(lambda conn: all_of(conn, query))
    assert [row["kind"] for row in rows] == [f"kind {i}" for i in range(count)]


async def test_each_row_gets_its_own_values_and_no_other_is_touched(place: Place) -> None:
    store = await place.open()
    await store._database.write(lambda conn: insert_rows(conn, t.outbox, [notice(i) for i in range(700)]))
    changed = [{"app": 1, "at": i, "kind": "new", "payload": f'"{i}"'} for i in range(0, 700, 2)]
    strange = [{"app": 2, "at": 1, "kind": "stranger", "payload": "{}"}]
    await store._database.write(lambda conn: update_rows(conn, t.outbox, ("app", "at"), [*changed, *strange]))
    rows = await store._database.read(lambda conn: all_of(conn, sa.select(t.outbox).order_by(t.outbox.c.seq)))
    assert [row["payload"] for row in rows] == [f'"{i}"' if i % 2 == 0 else "{}" for i in range(700)]
    assert [row["kind"] for row in rows] == ["new" if i % 2 == 0 else f"kind {i}" for i in range(700)]


async def test_octets_and_nothing_at_all_are_stored_as_they_are(place: Place) -> None:
    store = await place.open()
    rows = [
        {"app": 1, "person": bytes([i, 0, 255 - i]), "sender": "", "session_no": 2**53 + i} for i in range(20)
    ]  # fmt: skip
    await store._database.write(lambda conn: insert_rows(conn, t.open_session, rows))
    talking = t.open_session
    found = await store._database.read(lambda conn: all_of(conn, sa.select(talking).order_by(talking.c.session_no)))
    assert [{name: row[name] for name in rows[0]} for row in found] == rows
