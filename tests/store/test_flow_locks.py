"""Conversations on PostgreSQL while several nodes record, talk and forbid at once: nobody waits in a circle."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import asyncpg
import pytest

from callsheet.core.attempt import Intent, Kind
from callsheet.core.campaign import Channel
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.talker import Talker
from callsheet.store.apps import App
from callsheet.store.store import Store
from conversing import QUESTION, make_flow
from databases import Place, rows
from factories import SENDER, Node, StillClock, happening, heard, make_campaign, make_list, number, person_of, trunk_of

WAYS = (
    ((Kind.accepted, Kind.delivered),),
    ((Kind.accepted,), (Kind.delivered,)),
    ((Kind.uncertain,), (Kind.delivered,)),
    ((Kind.accepted,), (Kind.undelivered,)),
    ((Kind.accepted, Kind.undelivered),),
)
"""What is told of attempts, in one batch or in several."""


@pytest.fixture
def database() -> str:
    return "postgres"


async def armed(store: Store, app: App, clock: StillClock, node: Node, people: int, runs: int) -> list[Intent]:
    """Arm the same people for several campaigns of a flow, one after the other."""
    contacts, flow = await make_list(store, app, clock, people), await make_flow(store, app)
    intents: list[Intent] = []
    for _ in range(runs):
        clock.advance(1)
        campaign = await make_campaign(store, app, clock, [contacts])
        sender = await store.apps.find_sender(app.no, SENDER, clock.now())
        assert sender is not None
        started = await store.campaigns.start(
            campaign, text=QUESTION, sender_no=sender.no, one_run_per_list=False, now=clock.now(), flow=flow
        )
        run = await store.runs.by_no(started.run_no or 0)
        assert run is not None
        intents += await node.walk_all(run)
    return intents


async def deadlocks(address: str) -> int:
    """Return how many PostgreSQL found in a database; who was in one has said so when all connections are gone."""
    connection = await asyncpg.connect(address)
    others = (
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        " and backend_type = 'client backend'"
    )
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    try:
        async with asyncio.timeout(60):
            while await connection.fetchval(others):
                await asyncio.sleep(0.05)
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


class Crowd:
    """Nodes that do whatever is done to conversations, all at once and in any order."""

    def __init__(self, app: App, clock: StillClock, people: int) -> None:
        self.app, self.clock, self.people = app, clock, people
        self.rng = random.Random(1)
        self.is_over = False

    def some(self) -> list[str]:
        return [number(i) for i in self.rng.sample(range(self.people), self.rng.randint(1, 6))]

    async def record(self, node: Node, intents: Sequence[Intent]) -> None:
        left = self.rng.sample(intents, len(intents))
        while left:
            mine = [left.pop() for _ in range(min(len(left), self.rng.randint(1, 8)))]
            for kinds in self.rng.choice(WAYS):
                await node.record([happening(one, kind, self.clock.now()) for one in mine for kind in kinds])

    async def talk(self, store: Store, no: int) -> None:
        shelf = FlowShelf(store.flows, self.clock)
        talker = Talker(store, self.clock, Failpoints(), shelf, node_no=no, sole_owner=False)
        while await talker.look() or not self.is_over:
            if self.is_over:
                # What one node had to leave to the other.
                self.clock.advance(61)

    async def answer(self, store: Store, intents: Sequence[Intent]) -> None:
        """Let everybody answer a question before others come between, so that some answers there are."""
        trunk = await trunk_of(store, self.app)
        replies = [heard(store, self.app, self.clock, one.number, "on Friday") for one in intents]
        await store.inbox.hear(self.app.no, trunk.no, replies, self.clock.now(), somebody_answers=True)
        talker = Talker(store, self.clock, Failpoints(), FlowShelf(store.flows, self.clock))
        while await talker.look():
            pass

    async def say(self, store: Store, times: int) -> None:
        trunk = await trunk_of(store, self.app)
        for _ in range(times):
            texts = [(to, self.rng.choice(["2", "1", "on Friday", "STOP", "START"])) for to in self.some()]
            replies = [heard(store, self.app, self.clock, to, text) for to, text in texts]
            await store.inbox.hear(self.app.no, trunk.no, replies, self.clock.now(), somebody_answers=True)
            # Time goes on as people talk, however often the nodes look meanwhile: conversations must not end of that.
            self.clock.advance(5)

    async def forbid(self, store: Store, times: int) -> None:
        for _ in range(times):
            persons = [person_of(store, self.app, to) for to in self.some()]
            await store.opt_outs.add(self.app.no, Channel.sms, "api", persons, self.clock.now())
            await store.opt_outs.lift(self.app.no, Channel.sms, persons, "test", self.clock.now())


async def check(store: Store, app: App, intents: Sequence[Intent]) -> None:
    """Check that each attempt has one conversation, that nothing was said twice, and that nothing is left over."""
    talks = await rows(store, "select no, person, run_no, ended_at, ending from flow_session order by no")
    assert Counter((talk.run_no, talk.person) for talk in talks) == Counter((one.run_no, one.person) for one in intents)
    places = await rows(store, "select session_no from open_session")
    assert sorted(place.session_no for place in places) == [talk.no for talk in talks if not talk.ended_at]
    newest = max(one.run_no for one in intents)
    assert not [talk for talk in talks if talk.run_no == newest and talk.ending == "replaced"]
    told = await rows(store, "select count(*) as count from outbox where kind = 'conversation.ended'")
    assert told[0].count == len(talks) - len(places)
    assert await rows(store, "select 1 from inbound where waits_since > 0") == []

    key = store.vault.app(app.no)
    assert key is not None
    answers = await rows(store, "select session_no, person, text_sealed from reply where kind = 'flow'")
    said = Counter((one.session_no, key.seal.open(one.text_sealed, one.person)) for one in answers)
    assert set(said.values()) == {1}
    visits = await rows(store, "select session_no, count(*) as count, max(no) as last from flow_visit group by 1")
    assert all(visit.count == visit.last for visit in visits)


@pytest.mark.parametrize(
    ("people", "runs", "times"),
    [(8, 6, 20), pytest.param(12, 30, 200, marks=[pytest.mark.full, pytest.mark.timeout(1200)])],
)
async def test_nobody_waits_in_a_circle_who_records_talks_or_forbids(
    place: Place, store: Store, app: App, clock: StillClock, people: int, runs: int, times: int
):
    other = await place.open()
    before = await rows(store, "select deadlocks from pg_stat_database where datname = current_database()")
    nodes = [await Node.enter(each, clock) for each in (store, other)]
    intents = await armed(store, app, clock, nodes[0], people, runs)
    crowd = Crowd(app, clock, people)
    first = [one for one in intents if one.run_no == intents[0].run_no]
    await nodes[0].record([happening(one, Kind.accepted, clock.now()) for one in first])
    await crowd.answer(store, first)
    async with asyncio.TaskGroup() as talking:
        for no, each in enumerate((store, other)):
            talking.create_task(crowd.talk(each, no))
        async with asyncio.TaskGroup() as doing:
            for i, node in enumerate(nodes):
                doing.create_task(crowd.record(node, intents[i::2]))
                doing.create_task(crowd.say(node.store, times))
                doing.create_task(crowd.forbid(node.store, times))
        crowd.is_over = True

    await check(store, app, intents)
    for each in (store, other):
        await place.close(each)
    assert await deadlocks(place.address) == before[0].deadlocks


async def test_a_stop_that_comes_while_another_is_taken_back_stays(
    place: Place, store: Store, app: App, clock: StillClock
):
    person = person_of(store, app, number(1))
    await store.opt_outs.add(app.no, Channel.sms, "api", [person], clock.now())
    connection = await asyncpg.connect(place.address)
    try:
        async with connection.transaction():
            await connection.execute("select 1 from opt_out for update")
            lifting = asyncio.create_task(store.opt_outs.lift(app.no, Channel.sms, [person], "test", clock.now()))
            await stands_still(connection)
            await connection.execute("insert into opt_out select app, channel, person, 'reply', added_at from opt_out")
        assert await lifting == {person}
    finally:
        await connection.close()

    assert [one.source for one in await store.opt_outs.find(app.no, person)] == ["reply"]
    assert [row.source for row in await rows(store, "select source from opt_out_lifted")] == ["api"]


async def stands_still(connection: asyncpg.Connection) -> None:
    """Wait until somebody waits for a row that others hold."""
    query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with asyncio.timeout(60):
        while not await connection.fetchval(query):
            await asyncio.sleep(0.02)
