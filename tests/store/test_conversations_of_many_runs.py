"""A report of thousands of single messages, between campaigns, is told like any other and costs hardly more."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from callsheet.clock import to_micros
from callsheet.core.attempt import Kind
from callsheet.core.campaign import Channel
from callsheet.core.ids import Prefix, encode_attempt
from callsheet.core.run import Run
from callsheet.store import tables as t
from callsheet.store.apps import App
from callsheet.store.conversations import Wanted
from callsheet.store.rows import all_of, insert, new_id
from callsheet.store.store import Store
from databases import rows
from factories import MONDAY_NOON, Node, StillClock, start_run

SMALL = 24


@pytest.fixture
async def mixed(store: Store, app: App, clock: StillClock, node: Node) -> None:
    """Run small campaigns before, during and after large ones, of which some do not end."""
    large = await start_run(store, app, clock, 1300)
    chunk = await node.take(large, size=2000)
    assert chunk is not None
    for serial in range(SMALL):
        clock.advance(seconds=30 if serial % 3 else 0)
        # The large one goes on between the small ones.
        if chunk is not None:
            armed = await node.arm(large, chunk, limit=100)
            await node.tell(armed.intents, Kind.delivered)
            chunk = armed.left
        small = await start_run(store, app, clock, 1 + 40 * (serial % 10 == 0))
        await node.tell(await node.walk_all(small), Kind.accepted)
        if serial % 7:
            assert await store.hot.complete(small)
    assert await store.hot.complete(large)


async def naive(store: Store, start: int, end: int) -> list[str]:
    """Look at every attempt there is."""
    everything = await rows(store, "select run_no, person, n, at from attempt")
    meant = sorted((-row.at, -row.run_no, bytes(row.person), row.n) for row in everything if start <= row.at < end)
    return [encode_attempt(-run_no, person, n) for _, run_no, person, n in meant]


async def test_pages_are_those_of_who_looks_at_every_attempt(store: Store, app: App, mixed: None):
    for first, last in ((-60, 3600), (30, 3600), (0, 240), (95, 200), (300, 3600)):
        start, end = (MONDAY_NOON + timedelta(seconds=seconds) for seconds in (first, last))
        wanted = Wanted(start, end, outbound=True, inbound=True, channels=frozenset(Channel))
        expected = await naive(store, to_micros(start), to_micros(end))
        for offset, limit in ((0, 10), (0, 100), (37, 30), (1000, 20)):
            total, page = await store.conversations.page(app.no, wanted, offset=offset, limit=limit)
            assert total == len(expected)
            assert [one.id for one in page] == expected[offset : offset + limit]


@contextmanager
def counted() -> Iterator[list[str]]:
    """Count statements."""
    told: list[str] = []

    def tell(*what: object) -> None:
        told.append(str(what[2]))

    sa.event.listen(sa.Engine, "before_cursor_execute", tell)
    try:
        yield told
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", tell)


async def multiply(store: Store, run: Run, times: int) -> None:
    """Run a campaign of one contact again and again; some of its runs go on."""

    def copy(conn: sa.Connection) -> None:
        tables = t.attempt, t.counter
        mine = {table: all_of(conn, sa.select(table).where(table.c.run_no == run.no)) for table in tables}
        (row,) = all_of(conn, sa.select(t.run).where(t.run.c.no == run.no))
        for serial in range(times):
            # Those that go on have their attempts counted, not their counters.
            ended_at = row["started_at"] if serial % 3 else 0
            copied = {**row, "id": new_id(Prefix.run), "ended_at": ended_at}
            del copied["no"]
            run_no = insert(conn, t.run, **copied)
            for table, found in mine.items():
                conn.execute(sa.insert(table), [{**one, "run_no": run_no} for one in found])

    await store._database.write(copy)


async def test_hundreds_of_runs_are_asked_for_in_a_few_statements(
    store: Store, app: App, clock: StillClock, node: Node
):
    day = timedelta(days=1)
    wanted = Wanted(MONDAY_NOON - day, MONDAY_NOON + day, outbound=True, inbound=True, channels=frozenset(Channel))
    run = await start_run(store, app, clock, 1)
    await node.tell(await node.walk_all(run), Kind.delivered)
    counts = []
    for times in (100, 300):
        await multiply(store, run, times)
        with counted() as told:
            total, _ = await store.conversations.page(app.no, wanted, offset=0, limit=10)
        counts.append(len(told))

    assert total == 401
    assert counts[0] == counts[1] < 50
