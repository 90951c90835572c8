"""Who waits for whom on PostgreSQL, shown by holding a transaction open at the moment that matters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Status
from callsheet.store import tables as t
from callsheet.store.apps import App
from callsheet.store.postgres.arming import _hold_run
from callsheet.store.postgres.database import CORE_CONNECTIONS, PostgresDatabase, Raw
from callsheet.store.postgres.importing import append
from callsheet.store.postgres.recording import record
from callsheet.store.protocol import Batch
from callsheet.store.store import Store
from databases import rows, waiters
from factories import Node, StillClock, contact, forbid, happening, number, refreshed, start_run, work_of


@pytest.fixture
def database() -> str:
    return "postgres"


@pytest.fixture
def postgres(store: Store) -> PostgresDatabase:
    assert isinstance(store._database, PostgresDatabase)
    return store._database


@asynccontextmanager
async def holding(postgres: PostgresDatabase) -> AsyncIterator[Raw]:
    """Begin a transaction that may stand still for as long as a busy machine takes to do the rest."""
    async with postgres.transaction() as raw:
        await raw.execute("set local idle_in_transaction_session_timeout = 0")
        yield raw


async def test_a_call_that_forbids_has_its_turn_before_arms_that_come_later(
    store: Store, app: App, clock: StillClock, other: Node, postgres: PostgresDatabase
):
    run = await start_run(store, app, clock, 2)
    dnc = await store.dnc_lists.create(app.no, "Ours", clock.now(), is_global=True)
    chunk = await other.take(run)
    assert chunk is not None

    async with holding(postgres) as raw:
        # A node that is arming at this moment, and takes its time.
        await _hold_run(raw, run, None)
        forbidding = asyncio.create_task(forbid(store, app, dnc.no, [number(0)]))
        await waiters(store, 1)
        arming = asyncio.create_task(other.arm(run, chunk))
        await waiters(store, 2)
        assert not forbidding.done()
    await forbidding

    assert [intent.number for intent in (await arming).intents] == [number(1)]


async def test_a_pause_that_is_under_way_is_seen_by_who_takes(
    store: Store, app: App, clock: StillClock, other: Node, postgres: PostgresDatabase
):
    run = await start_run(store, app, clock, 1)
    groups = (await work_of(store, run)).groups

    async with holding(postgres) as raw:
        await raw.execute("update run set status = $2 where no = $1", run.no, Status.paused.value)
        taking = asyncio.create_task(other.take(run, groups))
        await waiters(store, 1)

    assert await taking is None
    assert await rows(store, "select count(*) from chunk") == [(0,)]


async def test_a_run_does_not_complete_over_a_list_that_is_growing(
    store: Store, app: App, clock: StillClock, node: Node, other: Node, postgres: PostgresDatabase
):
    run = await start_run(store, app, clock, 1)
    await node.tell(await node.walk_all(run), Kind.delivered)
    (list_no,) = run.lists

    async with holding(postgres) as raw:
        await append(raw, app.no, list_no, [contact(store, app, number(1))], None, None)
        completing = asyncio.create_task(other.store.hot.complete(run))
        await waiters(store, 1)

    assert not await completing
    assert (await refreshed(store, run)).status is Status.active
    assert [intent.number for intent in await node.walk_all(run)] == [number(1)]


async def test_a_run_does_not_complete_over_a_contact_that_is_coming_back(
    store: Store, app: App, clock: StillClock, node: Node, other: Node, postgres: PostgresDatabase
):
    run = await start_run(store, app, clock, 1)
    (intent,) = await node.walk_all(run)
    await node.tell([intent], Kind.uncertain)

    async with holding(postgres) as raw:
        refusal = Batch(node.no, 100, [happening(intent, Kind.refused, clock.now())])
        assert (await record(raw, refusal, lambda: 0.0, {})).again_at is not None
        completing = asyncio.create_task(other.store.hot.complete(run))
        await waiters(store, 1)

    assert not await completing
    assert (await refreshed(store, run)).status is Status.active


async def test_a_list_grows_while_a_node_looks_for_work_in_it(
    store: Store, app: App, clock: StillClock, node: Node, postgres: PostgresDatabase
):
    run = await start_run(store, app, clock, 2)
    (list_no,) = run.lists

    async with holding(postgres) as raw:
        await append(raw, app.no, list_no, [contact(store, app, number(2))], None, None)
        assert len(await node.walk_all(run)) == 2, "nobody waits for an import, and nothing of it is seen"

    assert [intent.pos for intent in await node.walk_all(run)] == [2]


async def test_nodes_that_wait_for_each_other_both_come_through(store: Store, postgres: PostgresDatabase):
    await postgres.write(lambda conn: [conn.execute(_account(name)) for name in ("one", "two")])
    met = asyncio.Barrier(2)
    tries = []

    async def rename(raw: Raw, first: str, second: str) -> None:
        tries.append(first)
        await raw.execute("update account set name = name || $2 where id = $1", first, "+")
        if len(tries) <= 2:
            await met.wait()
        await raw.execute("update account set name = name || $2 where id = $1", second, "+")

    await asyncio.gather(
        postgres.write_raw(lambda raw: rename(raw, "one", "two")),
        postgres.write_raw(lambda raw: rename(raw, "two", "one")),
    )

    # Whoever tries again may come before the other has woken up, and meet it once more.
    assert len(tries) > 2, "one was the victim, and tried again"
    assert await rows(store, "select name from account order by id") == [("++",), ("++",)]


async def test_a_fault_of_ours_is_not_repeated_and_leaves_the_connection_as_it_was(postgres: PostgresDatabase):
    tries = []

    def fail(conn: sa.Connection) -> None:
        tries.append(conn)
        conn.execute(_account("lost"))
        conn.execute(sa.text("select 1 / 0"))

    with pytest.raises(sa.exc.DBAPIError):
        await postgres.write(fail)

    assert len(tries) == 1
    assert await postgres.read(lambda conn: conn.execute(sa.select(t.account.c.id)).all()) == []


def _account(name: str) -> sa.Insert:
    return sa.insert(t.account).values(id=name, name="", created_at=0)


async def test_what_goes_on_side_by_side_keeps_its_connections(store: Store):
    at_once = [rows(store, "select pg_backend_pid() as pid, pg_sleep(0.01)") for _ in range(CORE_CONNECTIONS * 20)]
    served = set[int]()
    for start in range(0, len(at_once), CORE_CONNECTIONS):
        found = await asyncio.gather(*at_once[start : start + CORE_CONNECTIONS])
        served |= {row.pid for some in found for row in some}

    assert len(served) <= CORE_CONNECTIONS
