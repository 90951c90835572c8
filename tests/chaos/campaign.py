"""Kill the program inside running campaigns, and compare the carrier's ledger with the report.

A campaign of some thousand contacts runs through `callsheet serve`, at a rate that makes it last over all its kills.
Again and again the process dies by SIGKILL: at a failpoint of its own, or at a random moment from outside. It is
started again, the campaign runs to its end, and then two books are laid side by side: the sandbox carrier's ledger,
which the program cannot touch, and the report of the run.

    python tests/chaos/campaign.py --runs 20
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp

from callsheet.carriers.sandbox.ledger import LedgerReader, Message
from callsheet.client import AsyncClient, Kind
from callsheet.client.v1.reports import Attempt
from callsheet.core.errors import Unavailable
from callsheet.engine.failpoints import FAILPOINTS, Failpoint
from callsheet.folder import DataFolder

sys.path.insert(0, str(Path(__file__).parents[1]))
from e2e.starting import Running, start
from phone_numbers import numbers
from ports import free_port

KILLS_PER_CAMPAIGN = 5
CONTACTS = 2000
SEGMENTS_PER_SECOND = 150
REST_PER_SECOND = 2000
START_SECONDS = 120.0
HOURS = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "11:59 PM"}]}
ENDINGS = ("9901", "9902", "9903", "9904", "9906", "9907", "9908")
SENDER = "+12125550100"
POINTS: Sequence[Failpoint] = [one for one in FAILPOINTS if not one.endswith("_turn")]
"""Those that a campaign without a flow comes by."""
IN_DOUBT_ANYWAY = ("9907", "9908")
"""The carrier tells nothing more of these once its answer was lost."""


@dataclass(frozen=True)
class Kill:
    """How one life of the process ends: at the n-th reach of a failpoint, or after a time."""

    failpoint: str = ""
    reach: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.failpoint}:{self.reach}" if self.failpoint else f"after {self.seconds:.2f} s"


@dataclass
class Verdict:
    """What the two books say of one campaign."""

    kills: list[str] = field(default_factory=list)
    contacts: int = 0
    accepted: int = 0
    lost: set[str] = field(default_factory=set)
    duplicated: set[str] = field(default_factory=set)
    uncertain: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    """In doubt, and not reported."""
    padded: set[str] = field(default_factory=set)
    """Reported as uncertain, although the carrier has told how it went."""
    states: Counter[str] = field(default_factory=Counter)

    @property
    def holds(self) -> bool:
        return not (self.lost or self.duplicated or self.silent or self.padded)


class Server:
    """The program, as a process that dies now and then."""

    def __init__(self, folder: Path, database: str = "", settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._settings = settings or {}
        self._database = database
        self._port = free_port()
        self._process: Running | None = None

    async def start(self, failpoint: str = "") -> None:
        """Start it, and return when it serves."""
        env = {**os.environ, "CALLSHEET_FAILPOINT": failpoint, "CALLSHEET_DATABASE_URL": self._database}
        env |= self._settings
        env = {name: value for name, value in env.items() if value or not name.startswith("CALLSHEET_")}
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            arguments = ["serve", "--data", str(self.folder), "--port", str(self._port)]
            self._process = start(arguments, stdout=log, stderr=log, env=env)
        deadline = time.monotonic() + START_SECONDS
        async with aiohttp.ClientSession() as session:
            while self.lives and time.monotonic() < deadline:
                try:
                    async with session.get(f"http://127.0.0.1:{self._port}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.02)
        assert not self.lives, "the server does not serve"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def dead(self, seconds: float) -> bool:
        """Wait for its death, and say whether it died in time."""
        deadline = time.monotonic() + seconds
        while self.lives and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        return not self.lives

    def kill(self) -> None:
        """Kill it: no handler runs, nothing is flushed."""
        assert self._process is not None
        if self.lives:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stop it kindly."""
        assert self._process is not None
        if self.lives:
            self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncClient]:
        credentials = DataFolder(self.folder).credentials()
        assert credentials is not None
        # One try: a server that dies is what the exercise waits for.
        async with AsyncClient(**asdict(credentials), tries=1) as client:
            yield client


def people(seed: int, count: int) -> list[str]:
    """Return the numbers of a campaign: some misbehave, most do not."""
    odd = [number for ending in ENDINGS for number in numbers("US-Eastern", 6, seed=seed, ending=ending)]
    plain = [n for n in numbers("US-Pacific", count + 300, seed=seed) if not n[-4:].startswith("99")]
    mixed = odd + plain[: count - len(odd)]
    random.Random(seed).shuffle(mixed)
    return mixed


async def prepare(client: AsyncClient, everybody: Sequence[str], rate: float) -> str:
    """Import the list, create the campaign by the documented call, and return its id."""
    await client.senders.create(SENDER, segments_per_second=rate)
    target = (await client.compat.contact_lists.create("Everybody")).data
    body = "phoneNumber,First Name\n" + "".join(f"{number},Ada\n" for number in everybody)
    job = await client.imports.start(Kind.contact_lists, target.id, body.encode())
    while not (found := await client.imports.get(Kind.contact_lists, target.id, job.id)).is_over:
        await asyncio.sleep(0.05)
    assert (found.state, found.accepted) == ("done", len(everybody)), found
    campaign = await client.compat.campaigns.create(
        {
            "name": "Crash", "description": "", "contactLists": ["Everybody"], "campaignType": "sms",
            "priority": "5", "format": "simple", "message": {"message": "Hello <First Name>"},
            "dialingStrategy": {"callerId": {"phoneNumber": SENDER}, "callingHours": HOURS},
        }
    )  # fmt: skip
    return campaign.data.id


async def live(server: Server, campaign_id: str, kill: Kill, *, first: bool) -> bool:
    """Give the process one life, ended by `kill`; say whether it fell inside the running campaign."""
    await server.start(f"{kill.failpoint}:{kill.reach}" if kill.failpoint else "")
    try:
        async with server.client() as client:
            if first:
                await client.compat.campaigns.start(campaign_id)
            if not kill.failpoint:
                await asyncio.sleep(kill.seconds)
                inside = (await client.compat.campaigns.status(campaign_id)).data.status == "Active"
                server.kill()
                return inside
            while not await server.dead(0.2):
                if (await client.compat.campaigns.status(campaign_id)).data.status != "Active":
                    server.kill()
                    return False
    except (aiohttp.ClientError, TimeoutError, Unavailable):
        assert await server.dead(60), "the process answers no more, but lives"
    server.kill()
    return True


async def hasten(client: AsyncClient) -> None:
    """Let the rest go fast: every kill has fallen."""
    (sender,) = [one async for one in client.senders.list() if one.number == SENDER]
    await client.senders.change(sender.id, segments_per_second=REST_PER_SECOND)


async def finish(server: Server, campaign_id: str) -> tuple[str, list[Attempt]]:
    """Let the campaign run to its end and every receipt come in; return the run and its attempts."""
    await server.start()
    async with server.client() as client:
        await hasten(client)
        deadline = time.monotonic() + 240
        while (await client.compat.campaigns.status(campaign_id)).data.status != "Completed":
            assert time.monotonic() < deadline, "the campaign does not come to its end"
            await asyncio.sleep(0.1)
        run_id = [run.id async for run in client.runs.list()].pop()
        while True:
            attempts = [attempt async for attempt in client.runs.attempts(run_id)]
            open_ones = [a for a in attempts if a.state == "accepted" and not a.number.endswith("9908")]
            if not open_ones:
                return run_id, attempts
            assert time.monotonic() < deadline, f"{len(open_ones)} receipts never come"
            await asyncio.sleep(0.25)


def read_ledger(folder: Path) -> list[Message]:
    """Return everything that the carrier ever took."""
    found: list[Message] = []
    for path in (folder / "sandbox").glob("*.db"):
        with LedgerReader(path) as ledger:
            while page := ledger.outbox(found[-1].id if found else 0, 1000):
                found += page
    return found


def compare(everybody: Sequence[str], ledger: Sequence[Message], attempts: Sequence[Attempt]) -> Verdict:
    """Lay the two books side by side."""
    taken = Counter(message.to for message in ledger)
    latest = {attempt.number: attempt for attempt in sorted(attempts, key=lambda one: one.n)}
    verdict = Verdict(contacts=len(everybody), accepted=len(ledger))
    verdict.duplicated = {number for number, times in taken.items() if times > 1}
    verdict.states = Counter(attempt.state for attempt in latest.values())
    settled = ("delivered", "undelivered", "accepted", "rejected", "uncertain")
    verdict.lost = {n for n in everybody if n not in latest or latest[n].state not in settled}
    verdict.uncertain = {number for number, attempt in latest.items() if attempt.state == "uncertain"}
    unknown = {number for number in latest if number not in taken and latest[number].state != "rejected"}
    unheard = {n for n in taken if n.endswith(IN_DOUBT_ANYWAY) and latest[n].state in ("uncertain", "pending")}
    verdict.silent = (unknown | unheard) - verdict.uncertain
    verdict.padded = verdict.uncertain - (unknown | unheard)
    return verdict


async def exercise(seed: int, kills: Sequence[Kill], contacts: int = CONTACTS, database: str = "") -> Verdict:
    """Run one campaign through these kills."""
    with tempfile.TemporaryDirectory(prefix="callsheet-chaos-") as name:
        server = Server(Path(name) / "data", database)
        everybody = people(seed, contacts)
        inside = []
        try:
            await server.start()
            async with server.client() as client:
                campaign_id = await prepare(client, everybody, SEGMENTS_PER_SECOND)
            server.stop()
            for i, kill in enumerate(kills):
                if await live(server, campaign_id, kill, first=i == 0):
                    inside.append(str(kill))
            _, attempts = await finish(server, campaign_id)
            verdict = compare(everybody, read_ledger(server.folder), attempts)
        finally:
            server.stop()
    verdict.kills = inside
    return verdict


def plan(runs: int, seed: int) -> list[list[Kill]]:
    """Plan at least so many kills: every failpoint in turn, a random moment after every two of them."""
    rng = random.Random(seed)
    failpoints = itertools.cycle(POINTS)
    kills: list[Kill] = []
    while len(kills) < runs:
        if len(kills) % 3 == 2:
            kills.append(Kill(seconds=rng.uniform(0.3, 2.0)))
            continue
        failpoint = next(failpoints)
        # A life takes a chunk once or twice, and arms, hands and records several times a second.
        kills.append(Kill(failpoint, 1 if failpoint.endswith("take") else rng.randint(2, 8)))
    return [kills[i : i + KILLS_PER_CAMPAIGN] for i in range(0, len(kills), KILLS_PER_CAMPAIGN)]


def main() -> None:
    """Run the exercise and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=20, help="how many kills, at least")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    total = Verdict()
    heads = ("kills inside", "contacts", "accepted", "lost", "twice", "uncertain")
    print(f"{'campaign':>8} {'{:>12} {:>9} {:>9} {:>5} {:>6} {:>10}'.format(*heads)}")
    for i, kills in enumerate(plan(asked.runs, asked.seed)):
        verdict = asyncio.run(exercise(asked.seed + i, kills))
        total.kills += verdict.kills
        total.lost |= verdict.lost | verdict.silent | verdict.padded
        total.duplicated |= verdict.duplicated
        total.uncertain |= verdict.uncertain
        print(
            f"{i + 1:>8} {len(verdict.kills):>12} {verdict.contacts:>9} {verdict.accepted:>9} {len(verdict.lost):>5}"
            f" {len(verdict.duplicated):>6} {len(verdict.uncertain):>10}  {' '.join(verdict.kills)}",
            flush=True,
        )
        if not verdict.holds:
            print(
                f"         silent: {len(verdict.silent)}, padded: {len(verdict.padded)}, states: {dict(verdict.states)}"
            )
    print(f"kills inside running campaigns: {len(total.kills)}")
    print(f"lost: {len(total.lost)}")
    print(f"duplicated: {len(total.duplicated)}")
    print(f"uncertain: {len(total.uncertain)}")
    sys.exit(bool(total.lost or total.duplicated))


if __name__ == "__main__":
    main()
