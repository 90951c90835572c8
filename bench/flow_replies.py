"""A thousand replies a second through inbound, step and answer on SQLite, beside a campaign of 300 segments a second.

`callsheet serve` and a trunk to node-smpp, whose handsets write at the offered rate to a sender with a flow of its own:
the first reply of a number begins a conversation and gets its question, the second is an answer to it and gets the end.
Beside it a campaign goes through another sender of the same trunk at 300 segments a second; its rate is measured
without the replies first, and then with them, in the same process. A reply is answered when the SMSC has taken what the
flow says. CPU is that of the program while the replies come, without what the campaign alone took.

The yardstick is what a plain insert of one row takes of the same core, a thousand in a transaction: a slow machine, or
one that does other work, is slow with it too.

`CALLSHEET_BENCH_SECONDS` is how long replies are offered (20), `CALLSHEET_BENCH_REPLIES` how many a second (1000).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
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

SECONDS = float(os.environ.get("CALLSHEET_BENCH_SECONDS", "20"))
REPLIES = float(os.environ.get("CALLSHEET_BENCH_REPLIES", "1000"))
SEGMENTS = 300.0
CAMPAIGN_SENDER, FLOW_SENDER = "+12125550100", "+12125550101"
WARM_SECONDS = 2.0
PATIENCE_SECONDS = 40.0


class Spent(NamedTuple):
    """What was seen in a stretch of time."""

    seconds: float
    messages: int
    """Of the campaign."""
    cpu: float


class Flooded(NamedTuple):
    """Both stretches, and what the handsets saw."""

    alone: Spent
    beside: Spent
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


async def _make(client: AsyncClient, smsc: NodeSmpp) -> Sequence[str]:
    """Make a trunk, both senders, the flow, and two campaigns; return the ids of the campaigns."""
    account = {"host": "127.0.0.1", "port": smsc.port, "system_id": "us", "password": "secret", "window": 500}
    trunk = await client.trunks.create("Carrier", "smpp", settings=account)
    flow = await client.flows.create(NAME, document=document())
    await client.senders.create(CAMPAIGN_SENDER, segments_per_second=SEGMENTS, trunk_id=trunk.id)
    sender = await client.senders.create(FLOW_SENDER, trunk_id=trunk.id)
    await client.senders.change(sender.id, flow_id=flow.id)
    people = int(SEGMENTS * (SECONDS + PATIENCE_SECONDS))
    return [await _campaign(client, f"{name} {i}", i * people, people) for i, name in enumerate(("Alone", "Beside"))]


async def _campaign(client: AsyncClient, name: str, first: int, people: int) -> str:
    target = (await client.compat.contact_lists.create(name)).data
    rows = "".join(f"{number_of(first + i)},Ann\n" for i in range(people))
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


async def _watch(smsc: NodeSmpp, pid: int, seconds: float) -> Spent:
    """Look for so long how fast the campaign is, and what the program takes."""
    began, cpu, taken = time.monotonic(), cpu_seconds(pid), smsc.sources().get(CAMPAIGN_SENDER[1:], 0)
    await asyncio.sleep(seconds)
    now = smsc.sources().get(CAMPAIGN_SENDER[1:], 0)
    return Spent(time.monotonic() - began, now - taken, cpu_seconds(pid) - cpu)


async def _flood(folder: Path, smsc: NodeSmpp) -> Flooded:
    server = Server(folder / "data", "", AT_HOME)
    await server.start()
    try:
        async with server.client() as client:
            alone_id, beside_id = await _make(client, smsc)
            pid = server.pid
            await client.compat.campaigns.start(alone_id)
            await asyncio.sleep(WARM_SECONDS)
            alone = await _watch(smsc, pid, SECONDS)
            await client.compat.campaigns.stop(alone_id)
            await client.compat.campaigns.start(beside_id)
            await asyncio.sleep(WARM_SECONDS)
            handsets = [number_of(10_000_000 + i)[1:] for i in range(int(REPLIES * SECONDS / 2))]
            lines = [(handset, text) for text in ("hello", "4") for handset in handsets]
            smsc.begin_flood(lines, FLOW_SENDER[1:], REPLIES)
            beside = await _watch(smsc, pid, SECONDS)
            during = beside.cpu
            deadline = time.monotonic() + PATIENCE_SECONDS
            after = cpu_seconds(pid)
            while (told := smsc.flood())["answered"] < len(lines) and time.monotonic() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(0.25)
            late = cpu_seconds(pid) - after
            return Flooded(alone, beside._replace(cpu=during + late), told)
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
        seen = asyncio.run(_flood(Path(name), smsc))
    told = seen.handsets
    answered = told["answered"] / max(told["seconds"], SECONDS)
    yield Row("replies answered a second", f"{answered:,.0f}", f"{REPLIES:,.0f} offered", answered / REPLIES)
    alone, beside = (one.messages / one.seconds for one in (seen.alone, seen.beside))
    yield Row("campaign beside them, segments a second", f"{beside:,.0f}", f"{alone:,.0f} alone", beside / alone)
    of_campaign = seen.alone.cpu / seen.alone.seconds * max(told["seconds"], SECONDS)
    each = max(0.0, seen.beside.cpu - of_campaign) / max(told["answered"], 1)
    yield Row("CPU of a reply, answer included", f"{each * 1e6:,.0f} us", f"{insert * 1e6:.1f} us a row", each / insert)
    p50, p95 = told["p50_ms"], told["p95_ms"]
    yield Row("from a reply to its answer, p95", f"{p95:,.0f} ms", f"{p50:,.0f} ms p50", p95 / max(p50, 1.0))
