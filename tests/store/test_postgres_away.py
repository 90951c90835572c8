"""PostgreSQL that goes away: every operation says so, and may be repeated."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import asyncpg
import pytest
import sqlalchemy as sa

from callsheet.core.attempt import Intent, Kind
from callsheet.core.campaign import Move
from callsheet.core.errors import Unavailable
from callsheet.core.retrying import Turn
from callsheet.core.run import Run
from callsheet.core.walk import Chunk
from callsheet.store.apps import App
from callsheet.store.postgres.database import PostgresDatabase, Raw, _raw_of
from callsheet.store.postgres.hot import PostgresHot
from callsheet.store.protocol import ArmKey, Batch, Recorded
from callsheet.store.store import Store
from databases import Place, rows
from factories import (
    Node,
    StillClock,
    arms_of,
    contact,
    forbid,
    happening,
    make_campaign,
    make_list,
    number,
    opt_out,
    start,
    start_run,
    work_of,
)
from postgres import server_url

ROUNDS = [25, pytest.param(500, marks=pytest.mark.full)]
KINDS = (Kind.accepted, Kind.refused, Kind.uncertain, Kind.delivered, Kind.rejected)


@pytest.fixture
def database() -> str:
    return "postgres"


@pytest.fixture
async def keeper(store: Store) -> AsyncIterator[asyncpg.Connection]:
    """Connect to the server, not to the database of the test."""
    connection = await asyncpg.connect(server_url().format("postgres"))
    yield connection
    await connection.close()


def name_of(place: Place) -> str:
    return place.address.partition("?")[0].rpartition("/")[2]


async def cut(keeper: asyncpg.Connection, place: Place) -> None:
    """End all connections to the database of the test."""
    await keeper.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name_of(place))


async def insist(operation: Callable[[], Awaitable[Recorded]]) -> int:
    """Repeat an operation until the database answers, and return how often it was away."""
    for times_away in range(100):
        try:
            await operation()
        except Unavailable:
            continue
        return times_away
    raise AssertionError("it does not come back")


async def is_away(operation: Callable[[], Awaitable[object]]) -> bool:
    try:
        await operation()
    except Unavailable:
        return True
    return False


async def arm_few(node: Node, run: Run, chunk: Chunk) -> list[Intent]:
    """Arm five people, whatever happens to the connection."""
    while True:
        try:
            return list((await node.arm(run, chunk, 5)).intents)
        except Unavailable:
            continue


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_a_batch_whose_connection_was_cut_is_stored_once(
    place: Place, store: Store, app: App, clock: StillClock, node: Node, keeper: asyncpg.Connection, rounds: int
):
    dice = random.Random(rounds)
    within_seconds = 0.01
    run = await start_run(store, app, clock, 5 * rounds)
    twin = await start_run(store, app, clock, 5 * rounds)
    chunks = [await node.take(one, size=5 * rounds) for one in (run, twin)]
    times_away = 0
    for batch_no in range(1, rounds + 1):
        for one, chunk, is_cut in zip((run, twin), chunks, (True, False), strict=True):
            assert chunk is not None
            intents = await arm_few(node, one, chunk)
            happenings = tuple(happening(i, KINDS[i.pos % 5], clock.now(), segments=1) for i in intents)
            batch = Batch(node.no, 2 * batch_no - is_cut, happenings, (), tuple(arms_of(node, intents)))

            async def cut_soon(is_cut: bool = is_cut, within_seconds: float = within_seconds) -> None:
                await asyncio.sleep(dice.random() * within_seconds)
                if is_cut:
                    await cut(keeper, place)

            async def record(batch: Batch = batch, one: Run = one) -> Recorded:
                return await store.hot.record(batch, lambda: 0.5)

            away, _ = await asyncio.gather(insist(record), cut_soon())
            times_away += away
            if is_cut:
                # Who came too late comes sooner, however fast the machine is.
                within_seconds = 0.01 if away else within_seconds / 2

    assert times_away, "it was never cut in time: that proves nothing"
    assert await contents(store, app, run) == await contents(store, app, twin)
    assert not await store.hot.unhanded(app.no)


async def contents(store: Store, app: App, run: Run) -> tuple[object, ...]:
    """Return what a run has, apart from who it is and of which list."""
    tables = ("attempt", "event", "uncertain", "retry", "arm", "suppression")
    told = [
        await rows(store, f"select (to_jsonb(x) - '{{run_no,list_no}}'::text[])::text from {table} x"
                   f" where run_no = {run.no} order by 1")
        for table in tables
    ]  # fmt: skip
    return *told, await store.reports.counters(app.no, run.no)


async def test_every_operation_says_that_the_database_is_away_and_works_when_it_is_back(
    place: Place, store: Store, app: App, clock: StillClock, node: Node, keeper: asyncpg.Connection
):
    contact_list = await make_list(store, app, clock, 5)
    dnc = await store.dnc_lists.create(app.no, "Ours", clock.now())
    campaign = await make_campaign(store, app, clock, [contact_list])
    run = await start(store, app, clock, campaign)
    (group,) = (await work_of(store, run)).groups
    chunk = await node.take(run, [group])
    assert chunk is not None
    batches = iter(range(1, 100))
    arms = iter(range(1, 100))
    batch_no = next(batches)
    database = store._database
    assert isinstance(database, PostgresDatabase)

    operations: dict[str, Callable[[], Awaitable[object]]] = {
        "now": PostgresHot(database, store.vault).now,
        "enter": lambda: store.hot.enter("late"),
        "work": lambda: work_of(store, run),
        "take": lambda: node.take(run, [group]),
        "arm": lambda: store.hot.arm(run, chunk, group, limit=1, arm_no=next(arms), node_no=node.no, lease_seconds=30),
        "arm_again": lambda: store.hot.arm_again(
            run, Turn.fresh, limit=1, arm_no=next(arms), node_no=node.no, lease_seconds=30
        ),
        "record": lambda: store.hot.record(Batch(node.no, batch_no), lambda: 0.0),
        "renew": lambda: store.hot.renew(node.no, [chunk], 30),
        "reap": node.reap,
        "complete": lambda: store.hot.complete(run),
        "lease_rate": lambda: store.hot.lease_rate(app.no, "sender:1", 5.0, wanted=1, horizon_seconds=1),
        "members": lambda: store.hot.members(ArmKey(app.no, run.no, node.no, 1)),
        "unhanded": lambda: store.hot.unhanded(app.no),
        "recall": lambda: store.hot.recall([ArmKey(app.no, run.no, node.no, 1)]),
        "recalled": lambda: store.hot.recalled([ArmKey(app.no, run.no, node.no, 1)]),
        "append": lambda: store.hot.append(app.no, contact_list.no, [contact(store, app, number(70))]),
        "forbid": lambda: forbid(store, app, dnc.no, [number(71)]),
        "opt out": lambda: opt_out(store, app, clock, number(72)),
        "find a campaign": lambda: store.campaigns.find(app.no, campaign_id=campaign.id),
        "pause": lambda: store.campaigns.move(campaign, Move.pause, clock.now()),
        "counters": lambda: store.reports.counters(app.no, run.no),
        "release": lambda: store.hot.release(node.no, run.no),
    }

    await keeper.execute(f"alter database {name_of(place)} allow_connections false")
    await cut(keeper, place)
    for _ in range(2):
        assert {name for name, operation in operations.items() if not await is_away(operation)} == set()
    with pytest.raises(Unavailable, match="does not let us in"):
        await PostgresDatabase.open(place.address)

    await keeper.execute(f"alter database {name_of(place)} allow_connections true")
    for operation in operations.values():
        await operation()
    assert await store.reports.counters(app.no, run.no) == {"armed": 1}


async def test_a_connection_that_died_while_it_lay_there_is_replaced_unseen(
    place: Place, store: Store, app: App, clock: StillClock, keeper: asyncpg.Connection
):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)])
    database = store._database
    assert isinstance(database, PostgresDatabase)
    async with database.transaction() as raw, database._engine.connect() as core:
        lying = [cast("Any", raw)._con, await _raw_of(core)]
    await cut(keeper, place)
    async with asyncio.timeout(60):
        while not all(one.is_closed() for one in lying):
            await asyncio.sleep(0.01)

    assert await store.campaigns.find(app.no, campaign_id=campaign.id)
    assert not await store.hot.unhanded(app.no)


async def test_a_statement_that_the_server_ends_is_said_and_the_connection_goes_on(store: Store):
    database = store._database
    assert isinstance(database, PostgresDatabase)

    async def too_long(raw: Raw) -> None:
        await raw.execute("set local statement_timeout = 1")
        await raw.execute("select pg_sleep(60)")

    def too_large(conn: sa.Connection) -> None:
        conn.execute(sa.text("set local temp_file_limit = 1"))
        conn.execute(sa.text("set local work_mem = '64kB'"))
        conn.execute(sa.text("select count(*) from (select g from generate_series(1, 200000) g order by -g) s"))

    with pytest.raises(Unavailable):
        await database.write_raw(too_long)
    with pytest.raises(Unavailable):
        await database.write(too_large)

    assert await rows(store, "select 1") == [(1,)]
    assert await database.ask("select 1") == [(1,)]
