"""A thousand replies a second through inbound, step and answer on SQLite, beside a campaign of 300 segments a second.

`callsheet serve` and a trunk to node-smpp, whose handsets write at the offered rates, one after the other, to a sender
with a flow of its own: the first reply of a number begins a conversation and gets its question, the second is an answer
to it and gets the end. Beside it one campaign goes through another sender of the same trunk at 300 segments a second:
once its rate is steady, it is watched alone before each flood, and then with it. Rates are medians of what was seen
second by second. A reply is answered when the SMSC has taken what the flow says. CPU is that of the program until the
last answer, without what the campaign alone takes of it in that time.

The yardstick is what a plain insert of one row takes of the same core, a thousand in a transaction: a slow machine, or
one that does other work, is slow with it too.

`CALLSHEET_BENCH_SECONDS` is how long replies are offered at each rate (10), `CALLSHEET_BENCH_REPLIES` the rates
(`250,500,1000`).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from processes import cpu_seconds
from row import Row

from store import ALL_DAY, TEXT, number_of

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "chaos")]

from campaign import Server  # noqa: E402
from smpp_campaign import AT_HOME  # noqa: E402
from support_flow import NAME, document  # noqa: E402

from callsheet.client import AsyncClient, Kind  # noqa: E402
from strangers.node_smpp import NodeSmpp, running_smsc  # noqa: E402

SECONDS = float(os.environ.get("CALLSHEET_BENCH_SECONDS", "10"))
OFFERED = [float(rate) for rate in os.environ.get("CALLSHEET_BENCH_REPLIES", "250,500,1000").split(",")]
SEGMENTS = 300.0
CAMPAIGN_SENDER, FLOW_SENDER = "+12125550100", "+12125550101"
STEADY, LONGEST_WARM_SECONDS = 0.9, 20.0
"""The campaign is steady when it has this part of its rate for three seconds; a slow machine may never come so far."""
PATIENCE_SECONDS = 30.0


class Spent(NamedTuple):
    """What was seen in a stretch of time."""

    rate: float
    """Of the campaign, in the median second."""
    cpu: float
    """Seconds of CPU in a second."""


class Flooded(NamedTuple):
    """What was seen of a flood, and before it."""

    offered: float
    alone: Spent
    beside: Spent
    cpu: float
    """Seconds of CPU until the last answer."""
    seconds: float
    handsets: dict[str, float]


def yardstick() -> float:
    """Return the CPU seconds of inserting a row."""
    rows = 200_000
    with sqlite3.connect(":memory:") as plain:
        plain.execute("create table one (no integer primary key, text text, at integer)")
        began = time.process_time()
        for first in range(0, rows, 1000):
            plain.execute("begin")
            plain.executemany("insert into one values (?, ?, ?)", ((first + i, "row", i) for i in range(1000)))
            plain.execute("commit")
        return (time.process_time() - began) / rows


async def _make(client: AsyncClient, smsc: NodeSmpp) -> str:
    """Make a trunk, both senders, the flow, and a campaign; return its id."""
    account = {"host": "127.0.0.1", "port": smsc.port, "system_id": "us", "password": "secret", "window": 500}
    trunk = await client.trunks.create("Carrier", "smpp", settings=account)
    flow = await client.flows.create(NAME, document=document())
    await client.senders.create(CAMPAIGN_SENDER, segments_per_second=SEGMENTS, trunk_id=trunk.id)
    sender = await client.senders.create(FLOW_SENDER, trunk_id=trunk.id)
    await client.senders.change(sender.id, flow_id=flow.id)
    seconds = LONGEST_WARM_SECONDS + len(OFFERED) * (2 * SECONDS + PATIENCE_SECONDS)
    return await _campaign(client, "Beside", int(SEGMENTS * seconds))


async def _campaign(client: AsyncClient, name: str, people: int) -> str:
    target = (await client.compat.contact_lists.create(name)).data
    rows = "".join(f"{number_of(i)},Ann\n" for i in range(people))
    job = await client.imports.start(Kind.contact_lists, target.id, f"phoneNumber,First Name\n{rows}".encode())
    while not (await client.imports.get(Kind.contact_lists, target.id, job.id)).is_over:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    made = await client.compat.campaigns.create(
        {
            "name": name, "contactLists": [name], "campaignType": "sms", "priority": "5", "format": "simple",
            "message": {"message": TEXT.partition(",")[0]},
            "dialingStrategy": {"callerId": {"phoneNumber": CAMPAIGN_SENDER}, "callingHours": ALL_DAY},
        }
    )  # fmt: skip
    return made.data.id


class _Watch:
    """Looks second by second how fast the campaign is, and what the program takes."""

    def __init__(self, smsc: NodeSmpp, pid: int) -> None:
        self._smsc = smsc
        self._pid = pid

    async def second(self) -> Spent:
        began, cpu, taken = time.monotonic(), cpu_seconds(self._pid), self._taken()
        await asyncio.sleep(1.0)
        rate, cpu = self._taken() - taken, cpu_seconds(self._pid) - cpu
        seconds = time.monotonic() - began
        return Spent(rate / seconds, cpu / seconds)

    async def look(self, seconds: float) -> Spent:
        """Return the median second."""
        seen = [await self.second() for _ in range(max(1, round(seconds)))]
        return Spent(median(one.rate for one in seen), median(one.cpu for one in seen))

    async def until_steady(self) -> None:
        """Wait until the campaign has its rate."""
        deadline, steady = time.monotonic() + LONGEST_WARM_SECONDS, 0
        while steady < 3 and time.monotonic() < deadline:
            steady = steady + 1 if (await self.second()).rate >= STEADY * SEGMENTS else 0

    def _taken(self) -> int:
        return self._smsc.sources().get(CAMPAIGN_SENDER[1:], 0)


async def _flood(watch: _Watch, smsc: NodeSmpp, pid: int, offered: float, first: int) -> Flooded:
    """Let handsets write, from this one on."""
    await watch.until_steady()
    alone = await watch.look(SECONDS)
    handsets = [number_of(first + i)[1:] for i in range(int(offered * SECONDS / 2))]
    lines = [(handset, text) for text in ("hello", "4") for handset in handsets]
    cpu, began = cpu_seconds(pid), time.monotonic()
    smsc.begin_flood(lines, FLOW_SENDER[1:], offered)
    beside = await watch.look(SECONDS)
    deadline = began + SECONDS + PATIENCE_SECONDS
    while (told := smsc.flood())["answered"] < len(lines) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return Flooded(offered, alone, beside, cpu_seconds(pid) - cpu, time.monotonic() - began, told)


async def _floods(folder: Path, smsc: NodeSmpp) -> list[Flooded]:
    server = Server(folder / "data", "", AT_HOME)
    await server.start()
    try:
        async with server.client() as client:
            campaign_id = await _make(client, smsc)
            await client.compat.campaigns.start(campaign_id)
            watch = _Watch(smsc, server.pid)
            first = 10_000_000
            seen = []
            for offered in OFFERED:
                seen.append(await _flood(watch, smsc, server.pid, offered, first))
                first += int(offered * SECONDS)
            return seen
    finally:
        server.stop()


def rows() -> Iterator[Row]:
    """Print how replies are answered, and what becomes of a campaign beside them."""
    insert = yardstick()
    yield Row("yardstick: insert of a row", f"{insert * 1e6:.1f} us CPU", "-", 1.0)
    with (
        tempfile.TemporaryDirectory(prefix="callsheet-bench-") as name,
        running_smsc(receipt_delay_ms=300, receipts_on="any") as smsc,
    ):
        floods = asyncio.run(_floods(Path(name), smsc))
    for seen in floods:
        yield from _rows_of(seen, insert)


def _rows_of(seen: Flooded, insert: float) -> Iterator[Row]:
    told, at = seen.handsets, f"at {seen.offered:,.0f}/s"
    answered = told["answered"] / max(told["seconds"], SECONDS)
    yield Row(f"{at}: replies answered a second", f"{answered:,.0f}", "offered", answered / seen.offered)
    alone, beside = seen.alone.rate, seen.beside.rate
    yield Row(f"{at}: campaign, segments a second", f"{beside:,.0f}", f"{alone:,.0f} alone", beside / max(alone, 1.0))
    each = max(0.0, seen.cpu - seen.alone.cpu * seen.seconds) / max(told["answered"], 1)
    beside_it = f"{insert * 1e6:.1f} us a row"
    yield Row(f"{at}: CPU of a reply, answer included", f"{each * 1e6:,.0f} us", beside_it, each / insert)
    p50, p95 = told["p50_ms"], told["p95_ms"]
    yield Row(f"{at}: from a reply to its answer, p95", f"{p95:,.0f} ms", f"{p50:,.0f} ms p50", p95 / max(p50, 1.0))
