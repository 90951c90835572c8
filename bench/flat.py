"""Does a long list cost more than a short one? Take and arm, the first message, and memory, at both sizes.

`beside` is the short list in the same run. Memory is what the process holds while a campaign runs through a null line.

Take and arm are measured on both databases in turns, on lists of ten million contacts and of a hundredth of that.
`CALLSHEET_BENCH_SIZE` sets another size. A list of ten million takes about 4 GB in the folder for temporary files, or
8 GB with PostgreSQL's log, one database after the other; to fill both takes about a quarter of an hour. Everything else
is measured on SQLite with `CALLSHEET_BENCH_LONG` contacts (1,000,000) beside 10,000, and takes ten minutes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import resource
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from typing import TypeVar

import structlog
from row import Row

from callsheet.clock import SystemClock
from callsheet.core.campaign import Campaign
from callsheet.core.run import Run
from callsheet.core.walk import Group
from callsheet.engine.conductor import Conductor
from callsheet.engine.surroundings import Surroundings
from callsheet.engine.tuning import Tuning
from callsheet.store.store import Store
from store import (
    NullLine,
    folder,
    fresh_database,
    make_campaign,
    make_postgres_store,
    make_store,
    postgres,
    start,
    vacuum,
)

SHORT, LONG = 10_000, int(os.environ.get("CALLSHEET_BENCH_LONG", "1000000"))
SIZE = int(os.environ.get("CALLSHEET_BENCH_SIZE", "10000000"))
FRACTION = 100
STEPS = 150
TURNS = 5
AIM = 1.5

T = TypeVar("T")


class Stepping:
    """Take + arm of 50, as one step, on a run that has only begun."""

    def __init__(self, store: Store, run: Run, node_no: int, groups: Sequence[Group]) -> None:
        self.store = store
        self._run = run
        self._node_no = node_no
        self._groups = {(group.list_no, group.group_no): group for group in groups}
        self._arm_no = 0

    @classmethod
    async def begin(cls, store: Store, contacts: int) -> Stepping:
        """Fill a store, and start a run in it."""
        await start(store, await make_campaign(store, contacts))
        run = (await store.runs.active())[0]
        return cls(store, run, await store.hot.enter("bench"), (await store.hot.work([run]))[0].groups)

    async def seconds(self, steps: int) -> list[float]:
        """Time some steps."""
        found = []
        hot, node_no = self.store.hot, self._node_no
        for _ in range(steps):
            self._arm_no += 1
            began = time.perf_counter()
            chunk = await hot.take(self._run, self._groups.values(), node_no=node_no, size=50, lease_seconds=30)
            assert chunk is not None
            armed = await hot.arm(
                self._run,
                chunk,
                self._groups[chunk.list_no, chunk.group_no],
                limit=50,
                arm_no=self._arm_no,
                node_no=node_no,
                lease_seconds=30,
            )
            found.append(time.perf_counter() - began)
            assert len(armed.intents) == 50
        return found


async def first_message_seconds(store: Store, campaign: Campaign) -> tuple[float, list[int]]:
    """Time from the start call to the first message, and sample the memory until the campaign has ended."""
    clock = SystemClock()
    lines: list[NullLine] = []

    def make_line(_: object, recorder: object) -> NullLine:
        lines.append(NullLine(recorder, clock))  # type: ignore[arg-type]
        return lines[-1]

    conductor = Conductor(Surroundings(store, clock, random.Random(1), make_line, tuning=Tuning()))
    await conductor.start()
    began = time.perf_counter()
    await start(store, campaign)
    conductor.wake()
    await lines[0].first
    first = time.perf_counter() - began
    memory = []
    while await store.runs.active():
        await asyncio.sleep(0.5)
        memory.append(resident_bytes())
    await conductor.stop()
    return first, memory


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def _steps(contacts: int) -> list[float]:
    with folder() as where:
        stepping = await Stepping.begin(await make_store(where), contacts)
        found = await stepping.seconds(STEPS)
        await stepping.store.close()
        return found


async def _in_turns(
    short: Store, long_: Store, settle: Callable[[], Awaitable[None]] | None = None
) -> tuple[list[float], list[float]]:
    """Time steps on a list of `SIZE` and on one of its hundredth, in turns: other work falls on both alike."""
    sizes = (SIZE // FRACTION, SIZE)
    both = [await Stepping.begin(store, size) for store, size in zip((short, long_), sizes, strict=True)]
    if settle is not None:
        await settle()
    found: tuple[list[float], list[float]] = [], []
    for _ in range(TURNS):
        for stepping, times in zip(both, found, strict=True):
            # Half of the short list at most.
            times.extend(await stepping.seconds(min(STEPS, sizes[0] // 100 // TURNS)))
    await short.close()
    await long_.close()
    return found


async def _on_sqlite() -> tuple[list[float], list[float]]:
    with folder() as short, folder() as long_:
        return await _in_turns(await make_store(short), await make_store(long_))


async def _on_postgres(server: str) -> tuple[list[float], list[float]]:
    urls = [await fresh_database(server) for _ in range(2)]

    async def settle() -> None:
        for url in urls:
            await vacuum(url)

    short, long_ = [await make_postgres_store(url) for url in urls]
    return await _in_turns(short, long_, settle)


def _largest(database: str, short: list[float], long_: list[float]) -> Iterator[Row]:
    ours, beside = p99_ms(long_), p99_ms(short)
    title = f"take + arm 50, p99, {database}, {SIZE:,}"
    yield Row(title, f"{ours:.2f} ms", f"{SIZE // FRACTION:,}: {beside:.2f} ms", ours / beside)
    yield Row("the same ratio beside the aim", f"{ours / beside:.2f}", f"aim: {AIM}", ours / beside / AIM)


async def _make(where: Path, contacts: int) -> Campaign:
    store = await make_store(where)
    campaign = await make_campaign(store, contacts)
    await store.close()
    return campaign


async def _run(where: Path, campaign: Campaign) -> tuple[float, list[int]]:
    store = await make_store(where)
    found = await first_message_seconds(store, campaign)
    await store.close()
    return found


def _alone(work: Callable[..., Coroutine[None, None, T]], *given: object) -> T:
    """Do something in a process of its own: its memory is nobody else's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_until_done, work, *given).result()


def _until_done(work: Callable[..., Coroutine[None, None, T]], *given: object) -> T:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    return asyncio.run(work(*given))


def _first(contacts: int) -> tuple[float, list[int]]:
    with folder() as where:
        return _alone(_run, where, _alone(_make, where, contacts))


def p99_ms(found: list[float]) -> float:
    """Return the 99th percentile in milliseconds."""
    return quantiles(found, n=100)[98] * 1000


def rows() -> Iterator[Row]:
    """Measure."""
    short, long_ = p99_ms(asyncio.run(_steps(SHORT))), p99_ms(asyncio.run(_steps(LONG)))
    yield Row(f"take + arm 50, p99, {LONG:,} contacts", f"{long_:.2f} ms", f"{SHORT:,}: {short:.2f} ms", long_ / short)
    few, small = _first(SHORT)
    many, memory = _first(LONG)
    yield Row(f"start call to first message, {LONG:,}", f"{many:.3f} s", f"{SHORT:,}: {few:.3f} s", many / few)
    yield Row("the same beside the aim", f"{many:.3f} s", "aim: 1 s", many)
    most, half = max(memory) / 1e6, max(memory[len(memory) // 4 : len(memory) // 2]) / 1e6
    last = max(memory[-len(memory) // 4 :]) / 1e6
    yield Row("resident memory while it runs", f"{most:.0f} MB", "aim: 200 MB", most / 200)
    least = max(small) / 1e6
    yield Row("the same beside the short list", f"{most:.0f} MB", f"{SHORT:,}: {least:.0f} MB", most / least)
    yield Row("resident memory, last quarter of the run", f"{last:.0f} MB", f"second: {half:.0f} MB", last / half)
    yield from _largest("SQLite", *asyncio.run(_on_sqlite()))
    with postgres() as server:
        yield from _largest("PostgreSQL", *asyncio.run(_on_postgres(server)))
