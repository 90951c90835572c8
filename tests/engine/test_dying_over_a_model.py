"""Whoever dies over the question to a model asks it again, and what it answers is said once: on both databases."""

import asyncio
from random import Random
from typing import NoReturn

import pytest

from callsheet.clock import SystemClock
from callsheet.core.attempt import Kind
from callsheet.core.fence import Fence
from callsheet.engine.asker import Asker
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.outside import Outside
from callsheet.store.apps import App
from callsheet.store.store import Store
from conversing import ASK, LATER, THANKS, block, document, exit_to, message, question
from databases import rows
from factories import Node, StillClock
from model_server import model_server, says
from store.test_flow_sessions import Died, armed, endings, said, say, talk, talker_of

LETS_TALK = document(
    question(ASK, "ask", "May we look?", exit_to(LATER, "said")),
    block(LATER, "agent", "Callsheet.AiAgent", {"endpoint": "House", "system_prompt": "Help."}, exit_to(THANKS, "on")),
    message(THANKS, "done", "@results.agent.outcome"),
)
ENDS = says("", calls=[("finish", {"outcome": "It comes today."})])


async def live(store: Store, clock: StillClock, *, dies: str = "") -> None:
    """Let a process ask until it has an answer, which it writes down, unless it dies of it at a failpoint."""
    failpoints, is_over = Failpoints(), asyncio.Event()

    def die() -> NoReturn:
        is_over.set()
        raise Died

    if dies:
        failpoints.call_at(dies, die)
    else:
        failpoints.call_at("after_turn", is_over.set)
    async with Outside(Fence(allow_private=True)) as outside:
        talks = talker_of(store, clock, failpoints)
        asker = Asker(store, outside, SystemClock(), Random(1), talks, sole_owner=True, tick_seconds=3600.0)
        task = asyncio.create_task(asker.run())
        try:
            async with asyncio.timeout(60):
                await is_over.wait()
        finally:
            asker.stop()
            await task


@pytest.mark.parametrize(("dies", "times"), [("before_turn", 3), ("after_turn", 1)])
async def test_its_answer_is_said_once(
    store: Store, app: App, clock: StillClock, node: Node, dies: str, times: int
) -> None:
    async with model_server(ENDS) as server:
        values = {"name": "House", "base_url": server.url, "model": "small", "api_key": ""}
        await store.ai_endpoints.create(app.no, values, clock.now())
        _, intents = await armed(store, app, clock, node, 1, LETS_TALK)
        await node.tell(intents, Kind.accepted)
        await say(store, app, clock, "yes")
        await talk(talker_of(store, clock))
        deaths = [dies, dies, ""]
        while await rows(store, "select 1 from errand"):
            assert await said(store, app) == []
            await live(store, clock, dies=deaths.pop(0))
        await talk(talker_of(store, clock))

    assert server.asked == server.asked[:1] * times
    assert await said(store, app) == ["It comes today."]
    assert await endings(store) == ["done"]
