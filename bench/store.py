"""The full cycle of a contact (take, arm, hand to a null line, record, receipt) beside a plain insert of its rows.

`beside` is `executemany` of the very rows that the cycle leaves behind, into the same keyed tables, 500 a transaction,
in a fresh file with the same settings. CPU is that of the whole process, rendering included.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from callsheet.carriers.base import Outbound
from callsheet.clock import SystemClock
from callsheet.core.attempt import Happening, Kind
from callsheet.core.campaign import Campaign, Channel, Definition, MessagePlan, Named, Status
from callsheet.core.hours import parse_hours
from callsheet.core.ids import AttemptKey
from callsheet.engine.conductor import Conductor, Surroundings
from callsheet.engine.dispatcher import Tuning
from callsheet.engine.recorder import Recorder
from callsheet.store import tables
from callsheet.store.protocol import NewContact
from callsheet.store.sqlite.database import SqliteDatabase, connect
from callsheet.store.sqlite.hot import SqliteHot
from callsheet.store.store import Store
from callsheet.store.vault import Vault

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

    def free(self) -> int:
        return 10_000

    def hand(self, key: AttemptKey, message: Outbound, leave: Callable[[], None]) -> None:
        now = self._clock.now()
        leave()
        self._recorder.note(Happening(*key, Kind.accepted, now, "", message.reference, message.segments))
        self._recorder.note(Happening(*key, Kind.delivered, now))

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return


async def make_store(folder: Path) -> Store:
    """Open a fresh store on SQLite."""
    vault = Vault(os.urandom(32))
    database = SqliteDatabase(folder / "callsheet.db")
    await database.write(tables.metadata.create_all)
    return Store(database, SqliteHot(database, vault, SystemClock()), vault)


async def make_campaign(store: Store, contacts: int) -> Campaign:
    """Make a list of so many contacts, and a campaign for it."""
    now = SystemClock().now()
    app = await store.apps.create(await store.apps.create_account("bench", now), "bench", now)
    await store.apps.create_trunk(app.no, name="null", carrier="null", takes_any_sender=True, now=now)
    contact_list = await store.lists.create(
        app.no, name="list", description="", source="passiveApi", allow_duplicates=True, now=now
    )
    key = store.vault.app(app.no)
    assert key is not None
    numbers = (f"+1212{i:09d}" for i in itertools.count())
    for size in _blocks(contacts, 10_000):
        block = []
        for number in itertools.islice(numbers, size):
            person = key.person(number)
            attributes = f'{{"firstName":"Ann","parcel":"{number[-8:]}","day":"Monday","city":"Springfield"}}'
            block.append(
                NewContact("", "America/New_York", 0, person, key.close_number(number, person), attributes)
            )
        await store.hot.append(app.no, contact_list.no, block)
    definition = Definition(
        name="bench",
        description="",
        channel=Channel.sms,
        contact_lists=(Named(contact_list.no, contact_list.id, "list"),),
        dnc_list=None,
        priority=5,
        sender="+15550100001",
        hours=parse_hours(ALL_DAY),
        hours_document=ALL_DAY,
        message=MessagePlan(TEXT),
    )
    return await store.campaigns.create(app.no, definition, now, unique_names=True)


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


async def _measure(contacts: int, arm_size: int, where: Path) -> Cycle:
    store = await make_store(where)
    try:
        return await cycle(store, await make_campaign(store, contacts), arm_size)
    finally:
        await store.close()


def main() -> None:
    """Print the rows."""
    contacts = int(os.environ.get("CALLSHEET_BENCH_CONTACTS", "200000"))
    for arm_size in (500, 50):
        with folder() as where:
            spent = asyncio.run(_measure(contacts, arm_size, where))
            beside = plain(where / "callsheet.db", contacts)
        ours, theirs = contacts / spent.seconds, contacts / beside
        print(f"full cycle, arm {arm_size}, SQLite | {ours:.0f}/s | executemany {theirs:.0f}/s | {ours / theirs:.2f}")
        print(f"CPU per contact, arm {arm_size} | {spent.cpu_seconds / contacts * 1e6:.0f} µs | limit 150 µs |"
              f" {spent.cpu_seconds / contacts * 1e6 / 150:.2f}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
