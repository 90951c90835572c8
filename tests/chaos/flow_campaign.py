"""Kill the program inside an advanced campaign whose contacts write back, through an SMSC that others wrote.

What the SMSC took, and what its handsets wrote, is its own log (node-smpp, in a process that nobody kills), laid beside
the conversations, and the counts of the flow, that the program shows.

    python tests/chaos/flow_campaign.py --contacts 500
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
import aiohttp
from campaign import SENDER, Kill, Server
from smpp_campaign import AT_HOME, attempts_of, everybody_of, until_completed
from support_flow import NAME, PERSON, TALKS, Talk, Way, counted, document

from callsheet.client import AsyncClient, Kind
from callsheet.client.v1.conversations import WholeConversation
from callsheet.client.v1.reports import Attempt
from callsheet.core.errors import Unavailable
from strangers.node_smpp import NodeSmpp, running_smsc

REQUEST = Path(__file__).parents[1] / "api" / "pages" / "create_advanced_v2.json"
PATIENCE = 300.0
LIFE_SECONDS = 90.0
QUIET_SECONDS = 3.0
ALWAYS = [{"day": day, "start": "12:00 AM", "end": "11:59 PM"} for day in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")]
DISPOSITION = "parcel_found"
AGENT_SAYS = "We found your parcel."
ONE_KEY = {"CALLSHEET_MASTER_KEY": "5a" * 32}
"""What two nodes of a cluster share."""


@dataclass
class Books:
    """What the SMSC knows, and what the program shows."""

    talks: dict[str, Talk]
    """By number."""
    submits: list[dict[str, Any]]
    replies: list[dict[str, Any]]
    conversations: dict[str, WholeConversation]
    attempts: list[Attempt]
    results: dict[str, tuple[int, dict[str, int]]] = field(default_factory=dict)
    kills: list[str] = field(default_factory=list)
    in_doubt: set[str] = field(default_factory=set)
    """In whose history an answer is uncertain that no flow said: the confirmation of a STOP."""

    @property
    def taken(self) -> Counter[str]:
        """How many messages each handset got."""
        return Counter(f"+{one['destination_addr']}" for one in self.submits)

    @property
    def wrote(self) -> Counter[str]:
        """How many replies of each handset the program has acknowledged."""
        return Counter(f"+{one['number']}" for one in self.replies if one["acknowledged"])

    @property
    def twice(self) -> list[tuple[str, str]]:
        """Whom the SMSC took the same message for again."""
        seen = Counter((one["destination_addr"], one["text"]) for one in self.submits)
        return [what for what, times in seen.items() if times > 1]

    @property
    def uncertain(self) -> set[str]:
        """In whose conversation something is shown of which nobody knows whether it left."""
        of_answers = {
            number
            for number, one in self.conversations.items()
            if any(line.direction == "out" and line.state == "uncertain" for line in one.messages)
        }
        return self.in_doubt | of_answers | {one.number for one in self.attempts if one.state == "uncertain"}

    @property
    def short(self) -> set[str]:
        """Whose handset got fewer messages than its conversation has."""
        taken = self.taken
        return {number for number, talk in self.talks.items() if taken[number] < talk.messages}

    @property
    def ways(self) -> list[Way]:
        """Which ways the conversations went, by what the handsets wrote."""
        wrote = self.wrote
        return [
            [step for reply in talk.ways[: wrote[number]] for step in reply]
            + ([("person", "closed"), ("thanks", "next")] if talk is PERSON and number in self.closed else [])
            for number, talk in self.talks.items()
            if number in self.conversations and self._has_begun(number)
        ]

    def _has_begun(self, number: str) -> bool:
        """Tell whether a conversation came to its first block: whose STOP was faster than the record, has none."""
        one = self.conversations[number]
        return bool(one.visits) or one.ending != "opted_out" or self.talks[number].writes[0] != "STOP"

    @property
    def closed(self) -> set[str]:
        return {number for number, one in self.conversations.items() if one.disposition == DISPOSITION}

    def faults(self) -> list[str]:
        """Say what breaks the promise; nothing: it holds."""
        said = []
        if self.twice:
            said.append(f"said twice: {Counter(text for _, text in self.twice)}")
        if hidden := self.short - self.uncertain:
            said.append(f"lost and not shown: {len(hidden)}")
        if untaken := [one for one in self.replies if not one["acknowledged"]]:
            said.append(f"replies that were not taken: {len(untaken)}")
        if unheard := [number for number in self.wrote if self._is_unheard(number)]:
            said.append(f"replies that no conversation has: {len(unheard)}")
        if wrong := self._ended_wrong():
            said.append(f"ended wrong: {wrong}")
        if (expected := counted(self.ways)) != self.results:
            said.append(f"counted wrong: {self.results} and not {expected}")
        return said

    def _is_unheard(self, number: str) -> bool:
        """Tell whether a conversation misses something that its handset wrote; a STOP is none of its replies."""
        written = [text for text in self.talks[number].writes[: self.wrote[number]] if text != "STOP"]
        one = self.conversations.get(number)
        heard = [] if one is None else [line.text for line in one.messages if line.direction == "in"]
        return [text for text in heard if text != "STOP"] != written

    def _ended_wrong(self) -> Counter[tuple[str | None, str | None]]:
        """Return how conversations ended whose handset wrote all that it had to, and how they should have."""
        wrong: Counter[tuple[str | None, str | None]] = Counter()
        wrote = self.wrote
        for number, talk in self.talks.items():
            one = self.conversations.get(number)
            if one is not None and wrote[number] == len(talk.writes) and one.ending != talk.ending:
                wrong[one.ending, talk.ending] += 1
        return wrong


def talks_of(everybody: Sequence[str]) -> dict[str, Talk]:
    """Give everybody a conversation by the last digit; one asks for a person."""
    talks = {number: TALKS[number[-1]] for number in everybody}
    return talks | {next(number for number in everybody if number.endswith("5")): PERSON}


async def prepare(client: AsyncClient, port: int, everybody: Sequence[str], rate: float) -> str:
    """Make the campaign by the documented request, whose sender speaks through the SMSC; return its id."""
    settings = {"host": "127.0.0.1", "port": port, "system_id": "us", "password": "secret", "window": 100}
    trunk = await client.trunks.create("Carrier", "smpp", settings=settings)
    await client.flows.create(NAME, document=document())
    body = json.loads(REQUEST.read_text())["request"]["body"]
    strategy = body["dialingStrategy"]
    strategy["callerId"]["phoneNumber"] = SENDER
    # Whenever the exercise runs.
    strategy["callingHours"]["days"] = ALWAYS
    await client.senders.create(SENDER, segments_per_second=rate, trunk_id=trunk.id)
    await client.dnc_lists.create(body["dncLists"]["name"])
    target = (await client.compat.contact_lists.create(body["contactLists"][0])).data
    rows = "phoneNumber,First Name\n" + "".join(f"{number},Ada\n" for number in everybody)
    job = await client.imports.start(Kind.contact_lists, target.id, rows.encode())
    while not (found := await client.imports.get(Kind.contact_lists, target.id, job.id)).is_over:
        await asyncio.sleep(0.05)
    assert found.accepted == len(everybody), found
    return (await client.compat.campaigns.create(body)).data.id


async def live(server: Server, campaign_id: str, kill: Kill, *, first: bool) -> bool:
    """Give the process one life, ended by `kill`; say whether it came to that."""
    await server.start(f"{kill.failpoint}:{kill.reach}" if kill.failpoint else "")
    deadline = time.monotonic() + (LIFE_SECONDS if kill.failpoint else kill.seconds)
    try:
        async with server.client() as client:
            if first:
                await client.compat.campaigns.start(campaign_id)
            while not await server.dead(0.2):
                await _help(client)
                if time.monotonic() > deadline:
                    server.kill()
                    return not kill.failpoint
    except (aiohttp.ClientError, TimeoutError, Unavailable):
        assert await server.dead(60), "the process answers no more, but lives"
    server.kill()
    return True


async def _help(client: AsyncClient) -> None:
    """Be somebody of the queue: take what waits, answer it, and close it when the contact has written."""
    for one in [each async for each in client.conversations.list(awaits="person")]:
        whole = await client.conversations.get(one.id)
        if not one.agent:
            await client.conversations.take(one.id)
        if AGENT_SAYS not in [line.text for line in whole.messages]:
            await client.conversations.reply(one.id, AGENT_SAYS)
        elif PERSON.writes[-1] in [line.text for line in whole.messages]:
            await client.conversations.close(one.id, DISPOSITION)


async def open_books(client: AsyncClient, smsc: NodeSmpp, talks: dict[str, Talk]) -> Books:
    """Read everything."""
    listed = [one async for one in client.conversations.list()]
    whole = {one.number: await client.conversations.get(one.id) for one in listed}
    books = Books(talks, smsc.submits(), smsc.replies(), whole, await attempts_of(client))
    (flow,) = [one async for one in client.flows.list() if one.name == NAME]
    blocks = (await client.flows.results(flow.id)).blocks
    books.results = {
        one.name: (one.came, {way.name: way.count for way in one.exits if way.count}) for one in blocks if one.came
    }
    for number in books.short - books.uncertain:
        history = await client.contacts.history(number)
        if any(item.state == "uncertain" for item in history.items):
            books.in_doubt.add(number)
    return books


async def until_settled(client: AsyncClient, smsc: NodeSmpp, talks: dict[str, Talk]) -> Books:
    """Return the books when every handset got all, or what it did not get is shown as uncertain."""
    deadline = time.monotonic() + PATIENCE
    taken, since = -1, 0.0
    while True:
        await _help(client)
        now = len(smsc.submits())
        if now != taken:
            taken, since = now, time.monotonic()
        elif time.monotonic() > since + QUIET_SECONDS:
            # Nothing more comes, or nothing for a while: reading everything takes long.
            books = await open_books(client, smsc, talks)
            # What was said meanwhile may stand in one of them and not in the other.
            is_told = len(books.submits) == now and all(one["acknowledged"] for one in books.replies)
            if is_told and not books.short - books.uncertain and counted(books.ways) == books.results:
                return books
            assert time.monotonic() < deadline, books.faults()
        await asyncio.sleep(0.5)


@dataclass(frozen=True)
class Stage:
    """Where an exercise plays: a folder, an SMSC, and who writes back what."""

    folder: Path
    smsc: NodeSmpp
    talks: dict[str, Talk]


@contextmanager
def staged(contacts: int, seed: int) -> Iterator[Stage]:
    """Run an SMSC whose handsets write back what their conversations say."""
    talks = talks_of(everybody_of(seed, contacts))
    with (
        tempfile.TemporaryDirectory(prefix="callsheet-flow-") as name,
        running_smsc(answer_delay_ms=30, receipt_delay_ms=300, receipts_on="any", record=True) as smsc,
    ):
        smsc.set(script={number.removeprefix("+"): talk.writes for number, talk in talks.items()}, reply_delay_ms=150)
        yield Stage(Path(name), smsc, talks)


async def talk_through(contacts: int, kills: Sequence[Kill], rate: float, seed: int = 1) -> Books:
    """Run a campaign and all its conversations through kills, and return the books."""
    inside = []
    with staged(contacts, seed) as stage:
        server = Server(stage.folder / "data", "", AT_HOME)
        try:
            await server.start()
            async with server.client() as client:
                campaign_id = await prepare(client, stage.smsc.port, list(stage.talks), rate)
            server.stop()
            for i, kill in enumerate(kills):
                if await live(server, campaign_id, kill, first=i == 0):
                    inside.append(str(kill))
            await server.start()
            async with server.client() as client:
                if not kills:
                    await client.compat.campaigns.start(campaign_id)
                await until_completed(client, campaign_id)
                books = await until_settled(client, stage.smsc, stage.talks)
                books.kills = inside
                return books
        finally:
            server.stop()


async def talk_through_two(contacts: int, kill: Kill, rate: float, database: str, seed: int = 1) -> Books:
    """Run a campaign and all its conversations on two nodes, one of which dies in the middle, and return the books."""
    with staged(contacts, seed) as stage:
        left, dying = (Server(stage.folder / name, database, AT_HOME | ONE_KEY) for name in ("left", "dying"))
        try:
            await left.start()
            async with left.client() as client:
                campaign_id = await prepare(client, stage.smsc.port, list(stage.talks), rate)
                await dying.start(f"{kill.failpoint}:{kill.reach}")
                await client.compat.campaigns.start(campaign_id)
                deadline = time.monotonic() + LIFE_SECONDS
                while not await dying.dead(0.2) and time.monotonic() < deadline:
                    await _help(client)
                inside = [] if dying.lives else [str(kill)]
                dying.kill()
                await until_completed(client, campaign_id)
                books = await until_settled(client, stage.smsc, stage.talks)
                books.kills = inside
                return books
        finally:
            left.stop()
            if dying.lives:
                dying.kill()


KILLS = (Kill("after_turn", 6), Kill("before_hand", 30))


def main() -> None:
    """Run the exercise and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--contacts", type=int, default=500)
    parser.add_argument("--kills", type=int, default=len(KILLS))
    parser.add_argument("--rate", type=float, default=25)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    books = asyncio.run(talk_through(asked.contacts, KILLS[: asked.kills], asked.rate, asked.seed))
    print(f"kills inside the conversations: {len(books.kills)} ({' '.join(books.kills)})")
    print(f"contacts: {len(books.talks)}, messages: {len(books.submits)}, replies: {len(books.replies)}")
    print(f"endings: {dict(Counter(one.ending for one in books.conversations.values()))}")
    print(f"said twice: {len(books.twice)}")
    print(f"lost and not shown: {len(books.short - books.uncertain)}")
    print(f"uncertain: {len(books.uncertain)}")
    print(f"faults: {books.faults()}")
    sys.exit(bool(books.faults()))


if __name__ == "__main__":
    main()
