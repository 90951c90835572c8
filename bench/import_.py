"""The import of a file of contacts, from the upload to the last commit, beside plain csv parsing plus bulk insert.

`beside` is the csv module and `executemany` of the same columns into the same keyed tables, 2,000 rows a transaction,
in a fresh database with the same settings: no check of a number, no encryption, no look for duplicates, no resumption.
CPU is that of this process and of the one that reads the file.

`CALLSHEET_BENCH_ROWS` sets the rows of the file (1,000,000); the comparisons that follow take at most 200,000.
"""

from __future__ import annotations

import asyncio
import csv
import os
import resource
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import asyncpg
import msgspec
from row import Row

from callsheet.clock import SystemClock
from callsheet.core.contacts import Contact, guess_columns, read_contact
from callsheet.core.phone import Number, candidate_zones
from callsheet.engine.importer import Importer
from callsheet.engine.importing.blocks import BLOCK_ROWS, Block, Source, read_blocks
from callsheet.engine.importing.layout import read_layout
from callsheet.engine.importing.opening import open_table
from callsheet.engine.importing.reader import Reader
from callsheet.engine.importing.rows import Lines, Rows
from callsheet.engine.sealing import seal
from callsheet.store import tables
from callsheet.store.sqlite.database import connect
from callsheet.store.store import Store
from callsheet.store.vault import KEY_BYTES, AppKey
from store import cycle, folder, fresh_database, make_campaign, make_postgres_store, make_store, postgres

ROWS = int(os.environ.get("CALLSHEET_BENCH_ROWS", "1000000"))
FEW_ROWS = min(ROWS, 200_000)
CAMPAIGN_CONTACTS = 4_000
ROUNDS = 3
GOING = ("waiting", "running")
MOST_MEGABYTES = 300
"""What an import may hold, whatever the size of its file."""

NAMES = ("First Name", "Last Name", "phoneNumber", "timeZone", "City", "Balance")
PREFIXES = (("+9198", 8), ("+49151", 8), ("+91987", 7), ("+1212", 7), ("+1415", 7), ("+447400", 6))
INSERT = "insert into contact (app, list_no, group_no, pos, person, sealed, attributes, created_at) values "


class Spent(NamedTuple):
    """What an import cost."""

    rows: int
    seconds: float
    cpu_seconds: float
    megabytes: int
    reader_megabytes: int
    waits: Sequence[float]
    """How much later than asked the event loop came back to somebody else, in seconds."""


class ThreadReader(Reader):
    """Reads in a thread instead of a process: what we chose not to do."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = ThreadPoolExecutor(1)

    async def open(self, source: Source) -> Sequence[str]:
        file = Path(source.path).open("rb", buffering=0)  # noqa: ASYNC230, SIM115
        layout, rows = open_table(Path(source.path), file, numbers_only=False)
        self._blocks = read_blocks(source, rows, layout)
        return layout.kept

    def ask(self) -> None:
        self._next = asyncio.get_running_loop().run_in_executor(self._thread, next, self._blocks)

    async def take(self) -> Block:
        return await self._next

    async def close(self) -> None:
        self._thread.shutdown(wait=False)


def write_file(path: Path, rows: int) -> None:
    """Write contacts of six places, each once and in no order, without holding them."""
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(NAMES) + "\n")
        for row in range(rows):
            prefix, digits = PREFIXES[row % len(PREFIXES)]
            tenth = 10 ** (digits - 1)
            # A prime that divides no power of ten goes through all of them.
            number = 2 * tenth + row // len(PREFIXES) * 104_729 % (8 * tenth)
            file.write(f"Ada,Lovelace {row},{prefix}{number},,London,{row % 977}.50\n")


async def chunks(path: Path) -> AsyncIterator[bytes]:
    """Give a file as a client sends it."""
    with path.open("rb") as file:
        while data := file.read(65_536):
            yield data


def peak_megabytes(pid: int | str = "self") -> int:
    """Return the most memory that a process has held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def cpu_seconds() -> float:
    """Return what this process and its children that have ended have used."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


async def bring(store: Store, where: Path, file: Path, reader: Reader) -> Spent:
    """Import a file through the importer itself."""
    clock = SystemClock()
    app = await store.apps.create(await store.apps.create_account("bench", clock.now()), "bench", clock.now())
    target = await store.lists.create(
        app.no, name="list", description="", source="localDrive", allow_duplicates=False, now=clock.now()
    )
    reader_peak, done = 0, asyncio.Event()

    def on_rows() -> None:
        nonlocal reader_peak
        if reader.pid is not None:
            reader_peak = max(reader_peak, peak_megabytes(reader.pid))

    importer = Importer(store, clock, where / "imports", on_rows=on_rows)
    importer._reader = reader  # noqa: SLF001
    waits: list[float] = []
    Path("/proc/self/clear_refs").write_text("5")  # noqa: ASYNC240 - begins the peak anew
    began, cpu = time.perf_counter(), cpu_seconds()
    job = await importer.submit(app, target, chunks(file), "bench.csv")
    working, probing = asyncio.create_task(importer.run()), asyncio.create_task(probe(waits, done))
    while (found := await store.imports.find(app.no, job.id)) is None or found.state in GOING:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    seconds = time.perf_counter() - began
    importer.stop()
    done.set()
    await asyncio.gather(working, probing)
    assert (found.state, found.accepted) == ("done", found.rows), found
    return Spent(found.rows, seconds, cpu_seconds() - cpu, peak_megabytes(), reader_peak, waits)


async def probe(waits: list[float], done: asyncio.Event) -> None:
    """Be somebody else on the event loop."""
    while not done.is_set():
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        waits.append(time.perf_counter() - began - 0.005)


def plain_rows(file: Path) -> Iterator[list[tuple[object, ...]]]:
    """Parse a file and make the rows of the table, block by block."""
    encoder = msgspec.json.Encoder()
    with file.open(newline="") as opened:
        reader = csv.reader(opened)
        names = next(reader)
        pos = 0
        while block := list(islice(reader, BLOCK_ROWS)):
            rows = []
            for cells in block:
                attributes = dict(zip(names, cells, strict=True))
                number = attributes.pop("phoneNumber").encode()
                rows.append((1, 1, 0, pos, number, number, encoder.encode(attributes).decode(), 0))
                pos += 1
            yield rows


def plain(file: Path) -> tuple[float, float]:
    """Parse and insert plainly into SQLite; return seconds and CPU seconds."""
    with folder() as where:
        session = connect(where / "plain.db")
        tables.metadata.create_all(session.core)
        began, cpu = time.perf_counter(), cpu_seconds()
        for rows in plain_rows(file):
            session.raw.execute("begin immediate")
            session.raw.executemany(f"{INSERT} (?,?,?,?,?,?,?,?)", rows)
            session.raw.execute("commit")
        spent = time.perf_counter() - began, cpu_seconds() - cpu
        session.close()
        return spent


async def plain_postgres(url: str, file: Path) -> float:
    """Parse and insert plainly into PostgreSQL; return seconds."""
    raw = await asyncpg.connect(url)
    began = time.perf_counter()
    for rows in plain_rows(file):
        async with raw.transaction():
            await raw.executemany(f"{INSERT} ($1,$2,$3,$4,$5,$6,$7,$8)", rows)
    spent = time.perf_counter() - began
    await raw.close()
    return spent


async def on_sqlite(file: Path, reader: Reader) -> Spent:
    """Import into a fresh SQLite file."""
    with folder() as where:
        store = await make_store(where)
        try:
            return await bring(store, where, file, reader)
        finally:
            await store.close()


async def on_postgres(url: str, file: Path) -> Spent:
    """Import into a fresh PostgreSQL database."""
    with folder() as where:
        store = await make_postgres_store(url)
        try:
            return await bring(store, where, file, Reader())
        finally:
            await store.close()


async def campaign_beside(file: Path, reader: Reader | None) -> float:
    """Run a campaign while a file is imported; return the contacts that it reaches in a second."""
    with folder() as where:
        store = await make_store(where)
        campaign = await make_campaign(store, CAMPAIGN_CONTACTS)
        clock = SystemClock()
        importer = Importer(store, clock, where / "imports", on_rows=lambda: None)
        importing = None
        if reader is not None:
            importer._reader = reader  # noqa: SLF001
            app = await store.apps.by_no(campaign.app)
            assert app is not None
            target = await store.lists.create(
                app.no, name="other", description="", source="localDrive", allow_duplicates=False, now=clock.now()
            )
            await importer.submit(app, target, chunks(file), "bench.csv")
            importing = asyncio.create_task(importer.run())
            while (await store.imports.unfinished())[0].rows == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        spent = await cycle(store, campaign, 50)
        if importing is not None:
            # A reader that starves the campaign may come to its end first: that only flatters its figure.
            importer.stop()
            await importing
        await store.close()
        return spent.contacts / spent.seconds


def micros(what: Callable[[], object], rows: int) -> float:
    """Return the microseconds of CPU that something takes for a row."""
    began = time.process_time()
    what()
    return (time.process_time() - began) / rows * 1e6


def parts(file: Path) -> Iterator[Row]:
    """Measure what the reading of one row is made of."""
    key = AppKey(bytes(KEY_BYTES))
    with file.open("rb", buffering=0) as opened:
        layout = read_layout(opened, numbers_only=False)
        reading = Rows(Lines(opened, layout.rows_begin), layout.delimiter, len(NAMES))
        cells: list[list[str]] = []

        def read_cells() -> None:
            cells.extend(row.cells for row in iter(reading.take, None) if row is not None)

        ours = micros(read_cells, FEW_ROWS)
    with file.open(newline="") as text:
        beside = micros(lambda: [0 for _ in csv.reader(text)], FEW_ROWS)
    yield Row("a row: cells, any encoding, exact place", f"{ours:.1f} µs", f"csv module {beside:.1f} µs", ours / beside)
    columns = guess_columns(NAMES)
    mappings = [dict(zip(NAMES, each, strict=True)) for each in cells]
    numbers: list[Number] = []
    phone = micros(lambda: numbers.extend(Number.parse(each[2]) for each in cells), len(cells))
    zones = micros(lambda: [candidate_zones(number) for number in numbers], len(cells))
    contacts: list[Contact] = []

    def read_contacts() -> None:
        found = (read_contact(each, columns, None) for each in mappings)
        contacts.extend(each for each in found if isinstance(each, Contact))

    whole = micros(read_contacts, len(cells))
    sealing = micros(lambda: [seal(key, each) for each in contacts], len(cells))
    total = ours + whole + sealing
    share = f"of {total:.1f} µs for reading a row"
    yield Row("a row: phone validation", f"{phone:.1f} µs", share, phone / total)
    yield Row("a row: candidate zones", f"{zones:.1f} µs", share, zones / total)
    yield Row(
        "a row: limits, zone, priority", f"{whole - phone - zones:.1f} µs", share, (whole - phone - zones) / total
    )
    yield Row("a row: person key, encryption, attributes", f"{sealing:.1f} µs", share, sealing / total)


def wait(spent: Spent) -> float:
    """Return the 99th percentile of what others waited for the event loop, in milliseconds."""
    return quantiles(spent.waits, n=100)[98] * 1e3


def rows() -> Iterator[Row]:
    """Measure both databases, and what was chosen beside what was not."""
    with folder() as where:
        yield from _large(where / "large.csv")
        few = where / "few.csv"
        write_file(few, FEW_ROWS)
        yield from _few(few)
        yield from parts(few)
        yield from _campaigns(few)
        with postgres() as server:
            spent, beside = asyncio.run(_postgres(server, few))
            yield _speed("PostgreSQL", spent, beside)


def _campaigns(file: Path) -> Iterator[Row]:
    """Run campaigns in turns beside each way to read, and take the median: threads share by chance."""
    speeds: dict[str, list[float]] = {"nothing": [], "a process": [], "a thread": []}
    for _ in range(ROUNDS):
        for name, reader in zip(speeds, (None, Reader(), ThreadReader()), strict=True):
            speeds[name].append(asyncio.run(campaign_beside(file, reader)))
    alone, *others = map(median, speeds.values())
    for name, meanwhile in zip(("a process", "a thread"), others, strict=True):
        title = f"campaign while {name} reads an import"
        yield Row(title, f"{meanwhile:.0f}/s", f"without an import {alone:.0f}/s", meanwhile / alone)


def _speed(database: str, spent: Spent, beside: float) -> Row:
    ours, theirs = spent.rows / spent.seconds, spent.rows / beside
    title = f"import, {database}, {spent.rows} rows"
    return Row(title, f"{ours:.0f}/s", f"csv, executemany {theirs:.0f}/s", ours / theirs)


def _few(file: Path) -> Iterator[Row]:
    """Measure in turns and take the best of each, because other work on the machine only ever adds."""
    process, thread, beside = [], [], []
    for _ in range(ROUNDS):
        process.append(asyncio.run(on_sqlite(file, Reader())))
        beside.append(plain(file)[0])
        thread.append(asyncio.run(on_sqlite(file, ThreadReader())))
    ours, theirs = (min(spent, key=lambda each: each.seconds) for spent in (process, thread))
    yield _speed("SQLite", ours, min(beside))
    title, speeds = "reading in a process", [each.rows / each.seconds for each in (ours, theirs)]
    yield Row(title, f"{speeds[0]:.0f}/s", f"in a thread {speeds[1]:.0f}/s", speeds[0] / speeds[1])
    title, waits = "others wait for the event loop, p99", [min(map(wait, spent)) for spent in (process, thread)]
    yield Row(title, f"{waits[0]:.1f} ms", f"in a thread {waits[1]:.1f} ms", waits[0] / waits[1])


async def _postgres(server: str, file: Path) -> tuple[Spent, float]:
    url = await fresh_database(server)
    spent = await on_postgres(url, file)
    raw = await asyncpg.connect(url)
    await raw.execute("truncate contact")
    await raw.close()
    return spent, await plain_postgres(url, file)


def _large(file: Path) -> Iterator[Row]:
    write_file(file, ROWS)
    before = peak_megabytes()
    spent = asyncio.run(on_sqlite(file, Reader()))
    seconds, cpu = plain(file)
    yield _speed("SQLite", spent, seconds)
    ours, theirs = spent.cpu_seconds / ROWS * 1e6, cpu / ROWS * 1e6
    yield Row("CPU a row, both processes", f"{ours:.1f} µs", f"csv, executemany {theirs:.1f} µs", ours / theirs)
    for name, megabytes in (
        ("memory of the server", spent.megabytes),
        ("memory of the reader", spent.reader_megabytes),
    ):
        beside = f"limit {MOST_MEGABYTES} MB" + (f", {before} before" if name.endswith("server") else "")
        yield Row(f"{name}, at most", f"{megabytes} MB", beside, megabytes / MOST_MEGABYTES)
