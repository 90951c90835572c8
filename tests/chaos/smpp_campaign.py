"""Drop the link, and kill the program, inside campaigns that go through an SMSC that others wrote.

What the SMSC took is its own count (node-smpp, in a process that nobody kills), laid beside the report of the run.

    python tests/chaos/smpp_campaign.py --contacts 30000 --kills 6
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from campaign import SENDER, Kill, Server, hasten, live, prepare

from callsheet.client import AsyncClient
from callsheet.client.v1.reports import Attempt
from phone_numbers import numbers
from strangers.node_smpp import NodeSmpp, running_smsc

PATIENCE = 240.0
AT_HOME = {"CALLSHEET_ALLOW_PRIVATE_ADDRESSES": "true"}


@dataclass
class Books:
    """What the SMSC took, and what the report says of each contact."""

    contacts: int
    taken: dict[str, int]
    attempts: list[Attempt]
    kills: list[str] = field(default_factory=list)

    @property
    def latest(self) -> dict[str, Attempt]:
        return {attempt.number: attempt for attempt in sorted(self.attempts, key=lambda one: one.n)}

    @property
    def twice(self) -> set[str]:
        return {number for number, times in self.taken.items() if times > 1}

    @property
    def uncertain(self) -> set[str]:
        return {number for number, attempt in self.latest.items() if attempt.state == "uncertain"}

    @property
    def lost(self) -> set[str]:
        """Those whom the SMSC never got, and who are not shown as uncertain."""
        return set(self.latest) - set(self.taken) - self.uncertain

    @property
    def states(self) -> Counter[str]:
        return Counter(attempt.state for attempt in self.latest.values())

    def faults(self) -> list[str]:
        """Say what breaks the promise; nothing: it holds."""
        said = []
        if self.twice:
            said.append(f"{len(self.twice)} texted twice")
        if self.lost or len(self.latest) != self.contacts:
            said.append(f"{len(self.lost)} lost, {self.contacts - len(self.latest)} without an attempt")
        return said


async def through_smpp(client: AsyncClient, port: int, everybody: Sequence[str], rate: float, window: int) -> str:
    """Make a campaign whose sender speaks through the SMSC, and return its id."""
    settings = {"host": "127.0.0.1", "port": port, "system_id": "us", "password": "secret", "window": window}
    trunk = await client.trunks.create("Carrier", "smpp", settings=settings)
    campaign_id = await prepare(client, everybody, rate)
    (sender,) = [one async for one in client.senders.list() if one.number == SENDER]
    await client.senders.change(sender.id, trunk_id=trunk.id)
    return campaign_id


async def attempts_of(client: AsyncClient) -> list[Attempt]:
    """Return the attempts of the newest run."""
    run_id = [run.id async for run in client.runs.list()].pop()
    return [attempt async for attempt in client.runs.attempts(run_id)]


async def until_told(
    client: AsyncClient, smsc: NodeSmpp, contacts: int, holds: Callable[[Books], bool], kills: Sequence[str] = ()
) -> Books:
    """Return the books as soon as they say something."""
    deadline = time.monotonic() + PATIENCE
    while True:
        attempts = await attempts_of(client)
        books = Books(contacts, {f"+{n}": times for n, times in smsc.destinations().items()}, attempts, list(kills))
        if holds(books):
            return books
        assert time.monotonic() < deadline, f"{books.states}, {len(books.taken)} taken"
        await asyncio.sleep(0.25)


async def until_completed(client: AsyncClient, campaign_id: str) -> None:
    """Wait for the end of a campaign."""
    deadline = time.monotonic() + PATIENCE
    while (await client.compat.campaigns.status(campaign_id)).data.status != "Completed":
        assert time.monotonic() < deadline, "the campaign does not come to its end"
        await asyncio.sleep(0.1)


def everybody_of(seed: int, contacts: int) -> list[str]:
    """Return the numbers of a campaign."""
    return numbers("US-Pacific", contacts, seed=seed)


async def kill_inside(contacts: int, kills: Sequence[Kill], rate: float, seed: int = 1, database: str = "") -> Books:
    """Run a campaign through kills, let every receipt come in, and return the books."""
    everybody = everybody_of(seed, contacts)
    inside = []
    with (
        tempfile.TemporaryDirectory(prefix="callsheet-smpp-") as name,
        running_smsc(answer_delay_ms=30, receipt_delay_ms=300, receipts_on="any", answer_ids="hex") as smsc,
    ):
        server = Server(Path(name) / "data", database, AT_HOME)
        try:
            await server.start()
            async with server.client() as client:
                campaign_id = await through_smpp(client, smsc.port, everybody, rate, window=500)
            server.stop()
            for i, kill in enumerate(kills):
                if await live(server, campaign_id, kill, first=i == 0):
                    inside.append(str(kill))
            await server.start()
            async with server.client() as client:
                await hasten(client)
                await until_completed(client, campaign_id)
                # Every receipt tells: whom the SMSC took is delivered, and nobody else is.
                return await until_told(client, smsc, contacts, _is_settled, inside)
        finally:
            server.stop()


def _is_settled(books: Books) -> bool:
    latest = books.latest
    return all(number in latest and latest[number].state == "delivered" for number in books.taken)


def plan(kills: int, seed: int) -> list[Kill]:
    """Plan kills: at failpoints and at random moments, in turn."""
    rng = random.Random(seed)
    points = ("after_arm", "after_hand", "before_record", "after_record")
    return [
        Kill(rng.choice(points), rng.randint(3, 12)) if i % 2 else Kill(seconds=rng.uniform(0.6, 2.0))
        for i in range(kills)
    ]


def main() -> None:
    """Run the exercise and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--contacts", type=int, default=30_000)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--rate", type=float, default=1_500)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    books = asyncio.run(kill_inside(asked.contacts, plan(asked.kills, asked.seed), asked.rate, asked.seed))
    print(f"kills inside the running campaign: {len(books.kills)} ({' '.join(books.kills)})")
    print(f"contacts: {books.contacts}, taken by the SMSC: {sum(books.taken.values())}, states: {dict(books.states)}")
    print(f"lost: {len(books.lost)}")
    print(f"duplicated: {len(books.twice)}")
    print(f"uncertain: {len(books.uncertain)}")
    sys.exit(bool(books.faults()))


if __name__ == "__main__":
    main()
