"""A whole campaign of calls: the program, its database, its own Asterisk, and a flow that speaks and takes a key.

Each phone is answered at once and presses 1 a second later, which stops the prompt; it is thanked and hung up on. What
the network was asked for says how fast calls were set up, what the program shows says what came of them.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from processes import cpu_seconds
from row import Row

from callsheet.client import AsyncClient

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests/chaos"))

from campaign import Server
from survey_of_calls import document
from voice_campaign import Plan, asterisks_of, open_books, prepare

from strangers.asterisk import asterisk
from strangers.packages import CACHE
from strangers.phone_network import PhoneNetwork

CALLS = int(os.environ.get("CALLSHEET_BENCH_CAMPAIGN_CALLS", "400"))
AIM = 40
MOST_CALLS = 700
PRESSES_ONE = "0008"
PATIENCE_SECONDS = 600.0
LOOK_SECONDS = 0.5
SECOND = timedelta(seconds=1)


class Cost(NamedTuple):
    """CPU of a number of calls, in seconds."""

    ours: float
    theirs: float
    """Asterisk's."""
    calls: int

    @property
    def of_a_call(self) -> tuple[float, float]:
        """Ours and Asterisk's, in milliseconds."""
        return 1000 * self.ours / self.calls, 1000 * self.theirs / self.calls


def rows(network: PhoneNetwork, driver: Cost) -> Iterator[Row]:
    """Run one, and lay it beside what the driver alone cost in the same run."""
    cost, rate, failed = asyncio.run(_call_through(network))
    (ours, theirs), (own, other) = cost.of_a_call, driver.of_a_call
    at = f"campaign of {CALLS:,} calls"
    yield Row(f"{at}: set-ups a second", f"{rate:.1f}", f"aim {AIM}", rate / AIM)
    yield Row(f"{at}: failed", f"{failed}", f"of {CALLS} calls", failed / CALLS)
    yield Row(f"{at}: our CPU of a call", f"{ours:.2f} ms", f"driver alone {own:.2f} ms", ours / own)
    yield Row(f"{at}: Asterisk's CPU of a call", f"{theirs:.2f} ms", f"driver alone {other:.2f} ms", theirs / other)


async def _call_through(network: PhoneNetwork) -> tuple[Cost, float, int]:
    """Return what the campaign cost, how many calls a second it set up, and how many failed."""
    everybody = [network.number(PRESSES_ONE) for _ in range(CALLS)]
    asterisk()
    settings = {"CALLSHEET_ASTERISK_TREE": str(CACHE / "asterisk" / "tree"), "CALLSHEET_SIP_ADDRESS": "127.0.0.1"}
    with TemporaryDirectory(prefix="callsheet-bench-") as name:
        server = Server(Path(name) / "data", settings=settings)
        await server.start()
        try:
            async with server.client() as client:
                plan = Plan(document(), "FIFO", "no")
                campaign_id = await prepare(client, network, everybody, MOST_CALLS, plan)
                await _until_open(client)
                before = _spent(server)
                await client.compat.campaigns.start(campaign_id)
                await _until_completed(client, campaign_id)
                ours, theirs = (now - then for now, then in zip(_spent(server), before, strict=True))
                books = await open_books(client, network, everybody)
        finally:
            server.stop()
    mine = set(everybody)
    calls = [call for call in books.calls if f"+{call.number.lstrip('+')}" in mine]
    rate = (len(calls) - 1) / ((calls[-1].at - calls[0].at) / SECOND)
    return Cost(ours, theirs, len(calls)), rate, CALLS - books.pressed.get("1", 0)


def _spent(server: Server) -> tuple[float, float]:
    """Return the CPU of the program, with all that it starts, and that of its Asterisk."""
    theirs = cpu_seconds(*asterisks_of(server.folder))
    return cpu_seconds(server.pid) - theirs, theirs


async def _until_open(client: AsyncClient) -> None:
    """Wait until the trunk takes calls."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "open" not in [one.condition.state async for one in client.trunks.list() if one.carrier == "sip"]:
        assert time.monotonic() < deadline, "the trunk does not open"
        await asyncio.sleep(LOOK_SECONDS)


async def _until_completed(client: AsyncClient, campaign_id: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (await client.compat.campaigns.status(campaign_id)).data.status != "Completed":
        assert time.monotonic() < deadline, "the campaign does not come to its end"
        await asyncio.sleep(LOOK_SECONDS)
