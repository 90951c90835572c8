"""Does a long list cost more than a short one? Take and arm, the first message, and memory, at both sizes.

`beside` is the short list in the same run. Memory is what the process holds while a campaign runs through a null line.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import resource
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from typing import TypeVar

import structlog
from row import Row

from callsheet.clock import SystemClock
from callsheet.core.campaign import Campaign
from callsheet.engine.conductor import Conductor, Surroundings
from callsheet.engine.dispatcher import Tuning
from callsheet.store.store import Store
from store import NullLine, folder, make_campaign, make_store, start

SHORT, LONG = 10_000, int(os.environ.get("CALLSHEET_BENCH_LONG", "1000000"))
STEPS = 150

T = TypeVar("T")


async def step_seconds(store: Store, campaign: Campaign) -> list[float]:
    """Time take + arm of 50, as one step, on a run that has only begun."""
    await start(store, campaign)
    run = (await store.runs.active())[0]
    hot = store.hot
    node_no = await hot.enter("bench")
    groups = {(group.list_no, group.group_no): group for group in (await hot.work(run)).groups}
    found = []
    for arm_no in range(STEPS):
        began = time.perf_counter()
        chunk = await hot.take(run, groups.values(), node_no=node_no, size=50, lease_seconds=30)
        assert chunk is not None
        group = groups[chunk.list_no, chunk.group_no]
        armed = await hot.arm(run, chunk, group, limit=50, arm_no=arm_no, node_no=node_no, lease_seconds=30)
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
        store = await make_store(where)
        found = await step_seconds(store, await make_campaign(store, contacts))
        await store.close()
        return found


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
