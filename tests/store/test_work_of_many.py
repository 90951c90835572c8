"""What is left of many runs is asked for at once: nobody's answer is another's, and no question walks what is long."""

from itertools import count

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.run import Run
from callsheet.store.apps import App
from callsheet.store.postgres.database import PostgresDatabase
from callsheet.store.postgres.taking import GROWN
from callsheet.store.postgres.upkeep import GROUPS, WAITING
from callsheet.store.sqlite.database import SqliteDatabase
from callsheet.store.store import Store
from databases import change
from factories import (
    LEASE_SECONDS,
    Node,
    StillClock,
    contact,
    grow_list,
    make_app,
    make_campaign,
    make_list,
    number,
    start,
    start_run,
    work_of,
)


@pytest.fixture
async def runs(store: Store, app: App, clock: StillClock, node: Node) -> list[Run]:
    """Leave runs, of two apps, at all the places where one may stand."""
    untouched = await start_run(store, app, clock, [contact(store, app, number(i), priority=i) for i in range(3)])
    refused = await start_run(store, app, clock, 3)
    await node.tell(await node.walk_all(refused), Kind.refused)
    lost = await start_run(store, app, clock, 3)
    await node.take(lost)
    clock.advance(LEASE_SECONDS + 1)
    held = await start_run(store, app, clock, 3)
    await node.take(held)
    in_flight = await start_run(store, app, clock, 3)
    await node.walk_all(in_flight)
    done = await start_run(store, app, clock, 3)
    await node.tell(await node.walk_all(done), Kind.delivered)
    growing = await make_list(store, app, clock, 1)
    grown = await start(store, app, clock, await make_campaign(store, app, clock, [growing]))
    await node.tell(await node.walk_all(grown), Kind.delivered)
    await grow_list(store, app, growing, range(5, 8))
    rival = await make_app(store, clock, name="Rival")
    others = await start_run(store, rival, clock, 2)
    return [untouched, refused, lost, held, in_flight, done, grown, others]


async def test_each_run_is_told_its_own(store: Store, runs: list[Run]):
    found = await store.hot.work(runs)

    assert [len(work.groups) for work in found] == [3, 0, 1, 0, 0, 0, 1, 1]
    assert [bool(work.due) for work in found] == [False, True, False, False, False, False, False, False]
    assert [work.in_flight for work in found] == [False, False, False, False, True, False, False, False]
    assert list(found) == [await work_of(store, run) for run in runs]
    assert list(await store.hot.work(runs[::-1])) == list(found)[::-1]
    assert list(await store.hot.work([])) == []


@pytest.mark.parametrize("database", ["sqlite"])
async def test_sqlite_asks_for_many_runs_in_as_many_statements_as_for_one_and_by_their_keys(
    store: Store, runs: list[Run]
):
    assert isinstance(store._database, SqliteDatabase)
    await store.hot.work(runs)
    told: list[str] = []
    raw = store._database._writer.raw
    counts = []
    for some in (runs[:1], runs):
        told.clear()
        raw.set_trace_callback(told.append)
        await store.hot.work(some)
        raw.set_trace_callback(None)
        counts.append(len(told))
    assert counts[0] == counts[1]
    for query in (one for one in told if one.startswith("select")):
        steps = [row[3] for row in raw.execute(f"explain query plan {query}")]
        # Nothing is walked but what the question itself has put together, and indexes are searched by all they have.
        assert not [step for step in steps if step.startswith("SCAN") and step != "SCAN h"], steps
        long = [step for step in steps if "SEARCH" in step and step.split()[1] in {"retry", "arm", "c", "g", "l"}]
        assert all("app=? AND" in step or "INTEGER PRIMARY KEY" in step for step in long), steps


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_run_of_many_is_asked_for_as_fast_as_a_run_of_few(store: Store, app: App, clock: StillClock):
    assert isinstance(store._database, SqliteDatabase)
    few = await start_run(store, app, clock, 10)
    many = await start_run(store, app, clock, 2000)
    raw, steps = store._database._writer.raw, []
    for run in (few, many):
        await change(
            store,
            "insert into retry (app, run_no, turn, due, list_no, pos, person, n, used, group_no, reason)"
            " select app, :no, pos % 3, 7 * pos, list_no, pos, person, 1, 0, group_no, '' from contact"
            " where list_no = :list_no",
            no=run.no,
            list_no=run.lists[0],
        )
        await store.hot.work([run])
        ticks = count()
        raw.set_progress_handler(lambda ticks=ticks: next(ticks) * 0, 1)
        await store.hot.work([run])
        raw.set_progress_handler(None, 0)
        steps.append(next(ticks))

    assert steps[1] <= steps[0] + 10


@pytest.mark.parametrize("database", ["postgres"])
async def test_postgres_asks_for_many_runs_by_their_keys(store: Store):
    assert isinstance(store._database, PostgresDatabase)
    for query, parameters in ((GROWN, 2), (GROUPS, 3), (WAITING, 2)):
        async with store._database.transaction() as raw:
            await raw.execute(f"prepare asked as {query}")
            values = ", ".join(["'{1}'", "'{1}'", "null"][:parameters])
            steps = [row[0] for row in await raw.fetch(f"explain execute asked ({values})")]
            await raw.execute("deallocate asked")
        assert not [step for step in steps if "Seq Scan" in step or "Hash Join" in step or "Merge Join" in step], steps
        assert not [step for step in steps if "Index Cond" in step and "app =" not in step and "no =" not in step]
