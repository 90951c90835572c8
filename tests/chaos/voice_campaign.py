"""Kill the program, and the Asterisk that it runs, inside a voice campaign through a phone network of its own.

Whom the network was asked to call, when and how often, is its own ledger (`strangers/phone_network.py`, a second
Asterisk that nobody kills), laid beside the attempts, and the results of the flow, that the program shows.

    python tests/chaos/voice_campaign.py --contacts 300
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
import aiohttp
from campaign import HOURS, SENDER, START_SECONDS, Server
from survey_of_calls import NAME, document
from voice_books import DICTATED, RETRY_MINUTES, SHARES, Books, told

from callsheet.client import AsyncClient, Kind
from callsheet.core.errors import Unavailable
from e2e.starting import start
from strangers.asterisk import asterisk
from strangers.packages import CACHE
from strangers.phone_network import PhoneCall, PhoneNetwork, running_phone_network

RING_SECONDS = 5
MOST_ATTEMPTS = 2
PATIENCE_SECONDS = 900.0


class LaterServer(Server):
    """The program, with a clock that can be set forward (`later.py`)."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        super().__init__(folder, settings=settings)
        self._later = folder.parent / "later"
        self._later.write_text("0")

    def leap(self, seconds: float) -> None:
        """Set its clock forward."""
        said = self._later.with_suffix(".new")
        said.write_text(str(float(self._later.read_text()) + seconds))
        said.replace(self._later)

    async def start(self, failpoint: str = "") -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("CALLSHEET_")}
        env |= {**self._settings, "CALLSHEET_FAILPOINT": failpoint}
        arguments = [str(self.folder), str(self._port), str(self._later)]
        with (self.folder.parent / "server.log").open("ab") as log:
            later = Path(__file__).with_name("later.py")
            self._process = start(arguments, stdout=log, stderr=log, env=env, script=later)
        deadline = time.monotonic() + START_SECONDS
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < deadline:
                assert self.lives, "the server died"
                try:
                    async with session.get(f"http://127.0.0.1:{self._port}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError("the server does not serve")

    def kill_asterisk(self) -> None:
        """Kill the Asterisk of this server: no handler runs."""
        for pid in asterisks_of(self.folder):
            os.kill(pid, signal.SIGKILL)


def asterisks_of(folder: Path) -> list[int]:
    """Return the processes of Asterisk that run in a data folder."""
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = status.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"asterisk" in words and any(word.startswith(str(folder).encode()) for word in words):
            found.append(int(status.parent.name))
    return found


def people(network: PhoneNetwork, count: int) -> list[str]:
    """Return the numbers of a campaign, the outcomes mixed; of as many as there are outcomes, one of each."""
    if count == len(SHARES):
        return [network.number(ending) for ending in SHARES]
    of_thirty = [ending for ending, share in SHARES.items() for _ in range(share)]
    # A stride that meets each place once mixes them, and the same way each time.
    endings = [of_thirty[i * 7 % len(of_thirty)] for i in range(count)]
    return [network.number(ending) for ending in endings]


class Plan(NamedTuple):
    """What of a campaign differs from kind to kind."""

    document: Mapping[str, Any]
    dialing_order: str
    machine_detection: str


SURVEY = Plan(document(), "FIFO", "disconnect")


async def prepare(
    client: AsyncClient, network: PhoneNetwork, everybody: Sequence[str], most_calls: int, plan: Plan = SURVEY
) -> str:
    """Make trunk, flow, list and campaign, the campaign by the documented request; return its id."""
    settings = {"host": network.host, "port": network.port, "most_calls": most_calls}
    trunk = await client.trunks.create("Phones", "sip", settings=settings, segments_per_second=50)
    await client.senders.create(SENDER, trunk_id=trunk.id)
    await client.flows.create(NAME, document=plan.document)
    await client.settings.change(agentless_concurrent_calls=most_calls)
    await client.dnc_lists.create("Company DNC")
    target = (await client.compat.contact_lists.create("March buyers")).data
    rows = "phoneNumber,First Name\n" + "".join(f"{number},Ada\n" for number in everybody)
    job = await client.imports.start(Kind.contact_lists, target.id, rows.encode())
    while not (found := await client.imports.get(Kind.contact_lists, target.id, job.id)).is_over:
        await asyncio.sleep(0.05)
    assert found.accepted == len(everybody), found
    body = {
        "name": "Spring survey", "description": "One question after delivery", "contactLists": ["March buyers"],
        "dncLists": {"name": "Company DNC"}, "priority": "5", "campaignType": "voice", "dialingMode": "Agentless",
        "dialingStrategy": {
            "callerId": {"phoneNumber": SENDER}, "callingHours": HOURS, "dialingOrder": plan.dialing_order,
            "maxAttemptsPerRecord": MOST_ATTEMPTS, "defaultRetryPeriod": RETRY_MINUTES, "maxRingTime": RING_SECONDS,
        },
        "schedule": {"isSchedulingEnabled": False}, "experienceFlowName": NAME,
        "enableMachineDetect": plan.machine_detection,
    }  # fmt: skip
    campaign_id = (await client.compat.campaigns.create(body)).data.id
    await until_ready(client, campaign_id)
    return campaign_id


async def until_ready(client: AsyncClient, campaign_id: str) -> None:
    """Wait until a voice campaign is prepared."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (await client.compat.campaigns.status(campaign_id)).data.status == "Preparing":
        assert time.monotonic() < deadline, "the campaign is not prepared"
        await asyncio.sleep(0.1)


async def until_called(network: PhoneNetwork, count: int) -> None:
    """Wait until the network was asked for so many calls."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(network.calls()) < count:
        assert time.monotonic() < deadline, f"the network was asked for {len(network.calls())} calls, not {count}"
        await asyncio.sleep(0.2)


async def until_completed(
    server: LaterServer, client: AsyncClient, network: PhoneNetwork, campaign_id: str
) -> Mapping[str, datetime]:
    """Wait for the end of the campaign; while nobody is on the line, time goes fast.

    Return when those who were called once, and come again, were to come: the program says it as long as they wait.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    due: dict[str, datetime] = {}
    while (await client.compat.campaigns.status(campaign_id)).data.status != "Completed":
        assert time.monotonic() < deadline, "the campaign does not come to its end"
        calls = network.calls()
        await _ask_when(client, calls, due)
        is_calm = all(call.ended_at is not None for call in calls)
        await asyncio.sleep(3 if is_calm else 0.5)
        if is_calm and len(network.calls()) == len(calls):
            server.leap(20)
    return due


async def _ask_when(client: AsyncClient, calls: Sequence[PhoneCall], due: dict[str, datetime]) -> None:
    """Ask of those who were called once, and are to come again, when."""
    often = Counter(call.number for call in calls)
    for call in calls:
        number = f"+{call.number.lstrip('+')}"
        comes_again = any(len(wanted) > 1 for wanted in DICTATED.get(number[-4:], ()))
        if comes_again and number not in due and often[call.number] == 1 and call.ended_at is not None:
            for waiting in (await client.contacts.history(number)).waiting:
                due[number] = waiting.due_at


async def open_books(client: AsyncClient, network: PhoneNetwork, everybody: Sequence[str]) -> Books:
    """Read everything."""
    run_id = [run.id async for run in client.runs.list()].pop()
    attempts = [attempt async for attempt in client.runs.attempts(run_id)]
    (flow,) = [one async for one in client.flows.list() if one.name == NAME]
    blocks = (await client.flows.results(flow.id)).blocks
    pressed = {value.value: value.count for block in blocks if block.name == "answer" for value in block.values}
    late = frozenset([one.attempt_id async for one in client.calls.list() if one.detection.get("reason") == "late"])
    return Books(everybody, network.calls(), attempts, pressed, late=late)


async def call_through(contacts: int, kills: int, most_calls: int = 20) -> Books:
    """Run a campaign through kills of the program and of its Asterisk, in turn; return the books."""
    with running_phone_network() as network, tempfile.TemporaryDirectory(prefix="callsheet-voice-") as name:
        everybody, struck = people(network, contacts), list[datetime]()
        asterisk()
        settings = {"CALLSHEET_ASTERISK_TREE": str(CACHE / "asterisk" / "tree"), "CALLSHEET_SIP_ADDRESS": "127.0.0.1"}
        server = LaterServer(Path(name) / "data", settings)
        try:
            await server.start()
            async with server.client() as client:
                campaign_id = await prepare(client, network, everybody, most_calls)
                await client.compat.campaigns.start(campaign_id)
            for i in range(kills):
                await until_called(network, (i + 1) * contacts // (kills + 1))
                struck.append(datetime.now(network.calls()[0].at.tzinfo))
                if i % 2:
                    server.kill_asterisk()
                else:
                    server.kill()
                    await server.start()
            async with server.client() as client:
                due = await until_completed(server, client, network, campaign_id)
                books = await open_books(client, network, everybody)
                books.kills, books.due = struck, due
                return books
        except (AssertionError, Unavailable):
            print((Path(name) / "server.log").read_text()[-20_000:])
            raise
        finally:
            server.stop()
            for pid in asterisks_of(server.folder):
                os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Run the exercise and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--contacts", type=int, default=300)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--most-calls", type=int, default=20)
    asked = parser.parse_args()
    books = asyncio.run(call_through(asked.contacts, asked.kills, asked.most_calls))
    endings = Counter((n[-4:], told(tries)) for n, tries in books.tries.items())
    for (ending, outcomes), count in sorted(endings.items()):
        print(f"{count:>5} of {ending}: {' then '.join(outcomes)}")
    print(f"contacts: {len(books.numbers)}, calls: {len(books.calls)}")
    print(f"struck by a kill: {len(books.struck)}, at most {books.most_struck(asked.most_calls)}")
    print(f"pressed: {dict(books.pressed)}")
    print(f"faults: {books.faults()}")
    sys.exit(bool(books.faults()))


if __name__ == "__main__":
    main()
