"""Conversations in calls on both databases: opened when somebody answers, and beside those by text."""

from collections.abc import Mapping
from typing import Any

import pytest

from callsheet.core.attempt import Happening, Intent, Kind
from callsheet.core.campaign import Channel
from callsheet.core.flow.given import Reply
from callsheet.core.flow.reading import read
from callsheet.core.flow.session import Mode
from callsheet.core.flow.step import begin, step
from callsheet.core.ids import encode_attempt
from callsheet.store.apps import App
from callsheet.store.flow_turns import Turn
from callsheet.store.store import Store
from conversing import ASKING, PAYMENT
from databases import rows
from factories import Node, StillClock, number
from store.test_flow_sessions import armed, endings, said, say, talk, talker_of


async def calls(
    store: Store, app: App, clock: StillClock, node: Node, people: int = 2, flow: Mapping[str, Any] = PAYMENT
) -> list[Intent]:
    _, intents = await armed(store, app, clock, node, people, flow, channel=Channel.voice)
    return intents


async def tell(node: Node, clock: StillClock, intent: Intent, kind: Kind, code: str = "") -> None:
    await node.record([Happening(intent.run_no, intent.person, intent.n, kind, clock.now(), code)])


async def opened(store: Store) -> list[Any]:
    return list(await rows(store, "select person, channel, awaits, wakes_at from flow_session order by no"))


@pytest.mark.parametrize("code", ["human", "unsure", "machine"])
async def test_a_call_is_talked_in_once_it_is_known_who_answered(
    store: Store, app: App, clock: StillClock, node: Node, code: str
):
    first, _ = await calls(store, app, clock, node)
    await tell(node, clock, first, Kind.accepted, "answered")
    assert await opened(store) == []
    for _ in range(2):
        await tell(node, clock, first, Kind.delivered, code)

    assert [tuple(row) for row in await opened(store)] == [(first.person, "voice", "reply", 0)]
    assert not await talker_of(store, clock).look(), "whoever leads the call begins it"


@pytest.mark.parametrize(
    ("kind", "code"), [(Kind.undelivered, "machine"), (Kind.delivered, "lost"), (Kind.undelivered, "busy")]
)
async def test_where_nobody_is_there_to_talk_with_nothing_begins(
    store: Store, app: App, clock: StillClock, node: Node, kind: Kind, code: str
):
    first, _ = await calls(store, app, clock, node)
    await tell(node, clock, first, Kind.accepted, "answered")
    await tell(node, clock, first, kind, code)

    assert await opened(store) == []


async def test_texts_and_calls_with_one_person_go_on_beside_each_other(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, texts = await armed(store, app, clock, node, 1)
    await node.tell(texts, Kind.accepted)
    await talk(talker_of(store, clock))
    clock.advance(60)
    (before,) = await calls(store, app, clock, node, 1)
    await tell(node, clock, before, Kind.delivered, "human")
    clock.advance(60)
    (again,) = await calls(store, app, clock, node, 1)
    await tell(node, clock, again, Kind.delivered, "human")

    assert await endings(store) == ["", "", ""]
    assert len(await rows(store, "select 1 from open_session")) == 3
    await say(store, app, clock, "2", "on Friday")
    await talk(talker_of(store, clock))
    assert await said(store, app) == ["When?", "Thank you"], "what is written belongs to what was written"
    assert await endings(store) == ["done", "", ""]


async def test_what_was_written_before_a_call_was_answered_is_no_reply_to_it(
    store: Store, app: App, clock: StillClock, node: Node
):
    (call,) = await calls(store, app, clock, node, 1)
    await say(store, app, clock, "2")
    await tell(node, clock, call, Kind.delivered, "human")
    await talk(talker_of(store, clock))

    assert [row.session_no for row in await rows(store, "select session_no from inbound")] == [0]
    assert await said(store, app) == []


async def test_who_opts_out_of_texts_in_a_call_is_talked_with_to_its_end(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, texts = await armed(store, app, clock, node, 1)
    await node.tell(texts, Kind.accepted)
    (call,) = await calls(store, app, clock, node, 1)
    await tell(node, clock, call, Kind.delivered, "human")
    await store.opt_outs.add(app.no, Channel.sms, "api", {call.person}, clock.now())

    assert await endings(store) == ["opted_out", ""]
    no = (await rows(store, "select no from flow_session order by no"))[1].no
    assert (await store.flow_sessions.of_nos(app.no, [no], clock.now())).forbidden == set()
    await store.opt_outs.add(app.no, Channel.voice, "api", {call.person}, clock.now())
    assert (await store.flow_sessions.of_nos(app.no, [no], clock.now())).forbidden == {no}


async def test_what_a_call_asks_others_is_asked_by_its_node_alone(
    store: Store, app: App, clock: StillClock, node: Node
):
    (call,) = await calls(store, app, clock, node, 1, ASKING)
    await tell(node, clock, call, Kind.delivered, "human")
    cause = encode_attempt(call.run_no, call.person, call.n)
    begun = (await store.flow_sessions.of_causes(app.no, [cause, "another"]))[cause]
    session = begin(read(ASKING), contact={}, number=number(0), mode=Mode.ivr, at=clock.now())
    asks = step(read(ASKING), session.session, Reply("1", clock.now()))
    turn = Turn(begun, asks.session, asks.effects, asks.visits)
    await store.flow_sessions.write(app.no, [turn], clock.now(), 7)
    nobody = {"most": 10, "most_each": 10, "busy": {}}

    assert await store.errands.take(clock.now(), **nobody, node_no=8) == ([], None)
    ((taken,), _) = await store.errands.take(clock.now(), **nobody, node_no=7)
    await store.errands.move(app.no, begun.no, 8, clock.now())
    ((again,), _) = await store.errands.take(clock.now(), **nobody, node_no=8)
    assert taken.id == again.id, "the other end knows it again"
