"""Two nodes on PostgreSQL open a conversation with the same person at once: one has the place, and all is heard."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callsheet.core.attempt import Intent, Kind
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.talker import Talker
from callsheet.store.apps import App
from callsheet.store.inbox import Message
from callsheet.store.postgres.database import PostgresDatabase
from callsheet.store.store import Store
from conversing import PAYMENT, QUESTION, make_flow
from databases import rows, waiters
from factories import SENDER, Node, StillClock, heard, make_campaign, make_list, number, person_of, trunk_of


@pytest.fixture
def database() -> str:
    return "postgres"


async def asked(store: Store, app: App, clock: StillClock, node: Node) -> Sequence[Intent]:
    """Arm one person for a campaign of a flow."""
    clock.advance(1)
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)])
    sender = await store.apps.find_sender(app.no, SENDER, clock.now())
    assert sender is not None
    started = await store.campaigns.start(
        campaign, text=QUESTION, sender_no=sender.no, one_run_per_list=False, now=clock.now(),
        flow=await make_flow(store, app),
    )  # fmt: skip
    run = await store.runs.by_no(started.run_no or 0)
    assert run is not None
    return await node.walk_all(run)


async def say(store: Store, app: App, clock: StillClock, text: str) -> None:
    message = heard(store, app, clock, number(0), text)
    await store.inbox.hear(app.no, (await trunk_of(store, app)).no, [message], clock.now(), somebody_answers=True)


async def reply(store: Store, app: App, clock: StillClock, text: str) -> list[Message]:
    """Store a reply of the person, and take it as a talker does."""
    await say(store, app, clock, text)
    return await store.inbox.waiting(clock.now(), 10, 60.0)


@asynccontextmanager
async def nobody_has_it_yet(store: Store, app: App) -> AsyncIterator[None]:
    """Keep whoever opens a conversation with the person waiting for the place, and leave it free."""
    database = store._database
    assert isinstance(database, PostgresDatabase)
    whose = app.no, person_of(store, app, number(0)), SENDER.removeprefix("+")
    async with database.transaction() as raw:
        await raw.execute("set local idle_in_transaction_session_timeout = 0")
        await raw.execute("insert into open_session (app, person, sender, session_no) values ($1, $2, $3, 0)", *whose)
        yield
        await raw.execute("delete from open_session where session_no = 0")


async def talks(store: Store, clock: StillClock) -> None:
    """Go on with whatever waits, also with what a node has taken and not come to."""
    clock.advance(61)
    talker = Talker(store, clock, Failpoints(), FlowShelf(store.flows, clock), node_no=1, sole_owner=False)
    while await talker.look():
        pass


async def said(store: Store, app: App) -> list[str]:
    person, key = person_of(store, app, number(0)), store.vault.app(app.no)
    assert key is not None
    found = await rows(store, "select text_sealed from reply where kind = 'flow' order by no")
    return [key.seal.open(row.text_sealed, person).decode() for row in found]


async def check(store: Store, **endings: str) -> None:
    """Check how the conversations ended, by what began them, and that the place is that of the open one."""
    talks = await rows(store, "select no, cause, run_no, ending from flow_session order by run_no, no")
    assert [talk.ending for talk in talks] == list(endings.values())
    places = await rows(store, "select session_no from open_session")
    assert [place.session_no for place in places] == [talk.no for talk in talks if not talk.ending]
    assert await rows(store, "select 1 from inbound where waits_since > 0 or session_no = 0") == []


@pytest.mark.parametrize("is_recorded_first", [True, False])
async def test_who_records_an_older_attempt_and_who_hears_the_reply_to_a_newer_one(
    store: Store, app: App, clock: StillClock, node: Node, other: Node, is_recorded_first: bool
):
    older, _ = await asked(store, app, clock, node), await asked(store, app, clock, node)
    messages = await reply(other.store, app, clock, "2")
    doing: list[Any] = [
        node.tell(older, Kind.accepted),
        other.store.flow_sessions.open_for(app.no, messages, clock.now()),
    ]
    async with asyncio.TaskGroup() as both, nobody_has_it_yet(store, app):
        for count, one in enumerate(doing if is_recorded_first else doing[::-1], start=1):
            both.create_task(one)
            await waiters(store, count)
    await talks(store, clock)

    assert await said(store, app) == ["When?"]
    await check(store, older="replaced", newer="")


@pytest.mark.parametrize("is_newer_first", [True, False])
async def test_two_who_record_attempts_of_different_runs(
    store: Store, app: App, clock: StillClock, node: Node, other: Node, is_newer_first: bool
):
    older, newer = await asked(store, app, clock, node), await asked(store, app, clock, node)
    doing = [other.tell(newer, Kind.delivered), node.tell(older, Kind.delivered)]
    async with asyncio.TaskGroup() as both, nobody_has_it_yet(store, app):
        for count, one in enumerate(doing if is_newer_first else doing[::-1], start=1):
            both.create_task(one)
            await waiters(store, count)
    await say(store, app, clock, "2")
    await talks(store, clock)

    assert await said(store, app) == ["When?"]
    await check(store, older="replaced", newer="")


async def test_who_records_an_attempt_and_who_hears_the_reply_to_it_open_one_conversation(
    store: Store, app: App, clock: StillClock, node: Node, other: Node
):
    intents = await asked(store, app, clock, node)
    messages = await reply(other.store, app, clock, "2")
    async with asyncio.TaskGroup() as both, nobody_has_it_yet(store, app):
        both.create_task(node.tell(intents, Kind.accepted))
        await waiters(store, 1)
        both.create_task(other.store.flow_sessions.open_for(app.no, messages, clock.now()))
        await waiters(store, 2)
    await talks(store, clock)

    assert await said(store, app) == ["When?"]
    await check(store, it="")


async def test_two_replies_that_begin_the_default_flow_on_two_nodes(
    store: Store, app: App, clock: StillClock, other: Node
):
    flow = await store.flows.create(app.no, "payment", json.dumps(PAYMENT), clock.now())
    sender = {"flow_id": flow.named.id}
    await store.senders.put(app.no, SENDER, (await trunk_of(store, app)).no, sender, clock.now())
    await say(store, app, clock, "hello")
    await say(other.store, app, clock, "2")
    messages = await store.inbox.page(app.no, person=None, word=None, after=None, limit=2)
    assert messages is not None
    async with asyncio.TaskGroup() as both, nobody_has_it_yet(store, app):
        for count, (each, message) in enumerate(zip((store, other.store), messages, strict=True), start=1):
            both.create_task(each.flow_sessions.open_for(app.no, [message], clock.now()))
            await waiters(store, count)
    await talks(store, clock)

    assert await said(store, app) == [QUESTION, "When?"]
    await check(store, first="replaced", second="")
