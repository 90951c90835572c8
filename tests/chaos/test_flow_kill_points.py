"""SIGKILL at every point of one conversation: nothing is said twice, nothing is lost, and what is in doubt is shown."""

import asyncio
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent))
from campaign import HOURS, SENDER, Server, read_ledger

from callsheet.client import AsyncClient, Kind
from callsheet.client.v1.conversations import WholeConversation
from callsheet.core.errors import Unavailable
from client.flow import asked
from engine.receivers import receiver
from model_server import Script, cuts, model_server, says
from phone_numbers import numbers

AT_HOME = {"CALLSHEET_ALLOW_PRIVATE_ADDRESSES": "true", "CALLSHEET_OUTSIDE_PORTS": "*"}
PATIENCE_SECONDS = 120.0
SAYS_1 = "9910"
"""Such a handset replies 1 to each message that it gets."""


def looking_up(url: str) -> dict[str, Any]:
    """Return a flow that asks, calls a webhook, says what it answered, and asks once more."""
    look, more = (str(uuid.uuid4()) for _ in range(2))
    flow = asked("May we look?")
    ask, thank = flow["blocks"]
    on = {"uuid": str(uuid.uuid4()), "name": "on", "default": True}
    text = {"prompt": "It is @results.look.value.state. More?", "choices": ask["config"]["choices"]}
    blocks = [
        {**ask, "exits": [{**on, "destination_block": look}]},
        {"uuid": look, "name": "look", "type": "Callsheet.Webhook", "config": {"url": url}}
        | {"exits": [{**on, "destination_block": more}]},
        {**ask, "uuid": more, "name": "more", "config": text, "exits": [{**on, "destination_block": thank["uuid"]}]},
        thank,
    ]
    return {**flow, "blocks": blocks}


def letting_talk(tool_url: str) -> dict[str, Any]:
    """Return a flow that asks, lets a model talk that may look further, and says what came of it."""
    agent, done = (str(uuid.uuid4()) for _ in range(2))
    flow = asked("May we look?")
    ask, thank = flow["blocks"]
    on = {"uuid": str(uuid.uuid4()), "name": "on", "default": True}
    tool = {"name": "track", "description": "Says where a parcel is.", "url": tool_url}
    config = {"endpoint": "House", "system_prompt": "Help.", "tools": [tool], "timeout_seconds": 120}
    blocks = [
        {**ask, "exits": [{**on, "destination_block": agent}]},
        {"uuid": agent, "name": "agent", "type": "Callsheet.AiAgent", "config": config}
        | {"exits": [{**on, "destination_block": done}]},
        {**thank, "uuid": done, "name": "done", "config": {"prompt": "@results.agent.outcome"}},
    ]
    return {**flow, "blocks": blocks}


async def begin(client: AsyncClient, flow: Mapping[str, Any], model: str) -> str:
    """Let a flow talk with one handset, and return its number. `model`: the URL of the AI endpoint; empty: none."""
    person = f"{numbers('IN', 1, seed=31)[0][:-4]}{SAYS_1}"
    await client.senders.create(SENDER)
    if model:
        await client.ai_endpoints.create("House", model, "small")
    await client.flows.create("Looking", document=flow)
    people = (await client.compat.contact_lists.create("Everybody")).data
    job = await client.imports.start(Kind.contact_lists, people.id, f"phoneNumber\n{person}\n".encode())
    while not (await client.imports.get(Kind.contact_lists, people.id, job.id)).is_over:
        await asyncio.sleep(0.05)
    campaign = await client.compat.campaigns.create(
        {
            "name": "Crash", "description": "", "contactLists": ["Everybody"], "campaignType": "sms",
            "priority": "5", "format": "advanced", "experienceFlowName": "Looking",
            "dialingStrategy": {"callerId": {"phoneNumber": SENDER}, "callingHours": HOURS},
        }
    )  # fmt: skip
    await client.compat.campaigns.start(campaign.data.id)
    return person


async def begin_and_die(server: Server, flow: Mapping[str, Any], point: str, model: str = "") -> None:
    """Begin in a process that dies at a failpoint."""
    await server.start(point)
    try:
        async with server.client() as client:
            await begin(client, flow, model)
    except (aiohttp.ClientError, TimeoutError, Unavailable):
        pass
    await until_dead(server)


async def until_dead(server: Server) -> None:
    assert await server.dead(PATIENCE_SECONDS), "it did not come to that"
    server.kill()


async def until_shown(
    client: AsyncClient, is_there: Callable[[WholeConversation], bool], server: Server
) -> WholeConversation:
    """Return the conversation when it is as it is to be."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        for one in [each async for each in client.conversations.list()]:
            whole = await client.conversations.get(one.id)
            if is_there(whole):
                return whole
            assert time.monotonic() < deadline, whole
        assert time.monotonic() < deadline, "there is no conversation"
        assert server.lives
        await asyncio.sleep(0.05)


def said(whole: WholeConversation) -> list[tuple[str, str, str]]:
    return [(line.by, line.text, line.state) for line in whole.messages]


def is_out(whole: WholeConversation) -> bool:
    """Tell whether the carrier has the last that was said."""
    return whole.messages[-1].state in ("accepted", "delivered")


@asynccontextmanager
async def shop(server: Server) -> AsyncIterator[tuple[str, list[str]]]:
    """Serve a webhook, and give its address and the ids under which it is called; the first caller dies of it."""
    ids: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        ids.append(request.headers["webhook-id"])
        if len(ids) == 1:
            # Called, and not answered.
            server.kill()
        return web.json_response({"state": "sent"})

    async with receiver(answer) as url:
        yield url, ids


def dies(server: Server) -> Script:
    """Begin to answer, and let the one who asked die of it."""

    async def say(request: web.Request) -> web.StreamResponse:
        server.kill()
        return await cuts("It")(request)

    return say


@pytest.mark.full
async def test_whoever_dies_over_a_model_asks_it_again_and_says_its_answer_once(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", settings=AT_HOME)
    finishes = says("", calls=[("finish", {"outcome": "It comes today."})])
    try:
        async with model_server(dies(server), finishes) as model:
            await begin_and_die(server, letting_talk(model.url), "", model.url)
            await server.start()
            async with server.client() as client:
                whole = await until_shown(client, lambda one: one.ending is not None and is_out(one), server)
    finally:
        server.stop()
    assert model.asked == model.asked[:1] * 2
    assert [text for _, text, _ in said(whole)] == ["May we look?", "1", "It comes today."]
    assert [message.text for message in read_ledger(server.folder)] == ["May we look?", "It comes today."]
    assert [one.name for one in whole.visits if one.has_left] == ["ask", "agent", "done"]


@pytest.mark.full
async def test_whoever_dies_at_every_point_of_a_talk_with_a_model_says_each_answer_once(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", settings=AT_HOME)
    which, tracks = says("Which parcel?"), says("", calls=[("track", {"parcel": 7})])
    finishes = says("", calls=[("finish", {"outcome": "It comes today."})])
    try:
        async with (
            shop(server) as (url, ids),
            model_server(dies(server), which, which, tracks, finishes) as model,
        ):
            await begin_and_die(server, letting_talk(url), "", model.url)
            # Its answer is there; it was taken, and not said; it is said, a reply asks on, and the tool is called.
            for point, questions, calls in (("before_turn:1", 2, 0), ("after_turn:1", 3, 0), ("", 4, 1)):
                await server.start(point)
                await until_dead(server)
                assert (len(model.asked), len(ids)) == (questions, calls)
            # What the tool answered is there.
            await server.start("before_turn:1")
            await until_dead(server)
            await server.start()
            async with server.client() as client:
                whole = await until_shown(client, lambda one: one.ending is not None and is_out(one), server)
    finally:
        server.stop()
    assert (len(model.asked), model.asked[:3]) == (5, model.asked[:1] * 3)
    assert (len(ids), len(set(ids))) == (3, 1), "a tool that is called again knows it"
    spoken = ["May we look?", "Which parcel?", "It comes today."]
    assert [text for by, text, _ in said(whole) if by != "contact"] == spoken
    assert [message.text for message in read_ledger(server.folder)] == spoken
    assert [one.name for one in whole.visits if one.has_left] == ["ask", "agent", "done"]
    assert whole.ending == "done"


async def test_whoever_dies_over_a_webhook_asks_it_again_and_says_its_answer_once(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", settings=AT_HOME)
    try:
        async with shop(server) as (url, ids):
            await begin_and_die(server, looking_up(url), "")
            # Its answer is there, and was not taken.
            await server.start("before_turn:1")
            await until_dead(server)
            await server.start()
            async with server.client() as client:
                whole = await until_shown(
                    client, lambda one: said(one)[-1:] == [("flow", "Thanks", "accepted")], server
                )
    finally:
        server.stop()
    assert (len(ids), len(set(ids))) == (3, 1)
    assert [text for _, text, _ in said(whole)] == ["May we look?", "1", "It is sent. More?", "1", "Thanks"]
    assert [message.text for message in read_ledger(server.folder)] == ["May we look?", "It is sent. More?", "Thanks"]
    assert [one.name for one in whole.visits if one.has_left] == ["ask", "look", "more", "thank"]


@pytest.mark.full
async def test_whoever_dies_at_every_point_of_a_conversation_says_each_answer_at_most_once(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", settings=AT_HOME)
    try:
        async with shop(server) as (url, ids):
            await begin_and_die(server, looking_up(url), "before_turn:1")
            # It begins; the webhook is called; its answer is there; it was taken, and not said; it is on its way.
            lives = ("after_turn:1", 0), ("", 1), ("before_turn:1", 2), ("after_turn:1", 3), ("before_hand:1", 3)
            for point, calls in lives:
                await server.start(point)
                await until_dead(server)
                assert len(ids) == calls
            await server.start()
            async with server.client() as client:
                whole = await until_shown(client, lambda one: said(one)[-1][2] == "uncertain", server)
    finally:
        server.stop()
    assert len(set(ids)) == 1
    assert said(whole) == [
        ("campaign", "May we look?", "delivered"),
        ("contact", "1", "received"),
        ("flow", "It is sent. More?", "uncertain"),
    ]
    assert [message.text for message in read_ledger(server.folder)] == ["May we look?"]
    assert [one.name for one in whole.visits if one.has_left] == ["ask", "look"]
    assert (whole.awaits, whole.ending) == ("reply", None)


@pytest.mark.parametrize(
    ("point", "opening", "answer"),
    [
        # The carrier took the campaign's message, and nobody wrote that down: the reply opens the conversation.
        pytest.param("before_record:1", "delivered", "accepted", marks=pytest.mark.full),
        # The carrier took the answer, and nobody wrote that down: it is not said again.
        ("after_hand:2", "delivered", "uncertain"),
    ],
)
async def test_whoever_dies_over_a_message_does_not_say_it_again(
    tmp_path: Path, point: str, opening: str, answer: str
) -> None:
    server = Server(tmp_path / "data", settings=AT_HOME)
    wanted = [("campaign", "Sure?", opening), ("contact", "1", "received"), ("flow", "Thanks", answer)]
    try:
        await begin_and_die(server, asked("Sure?"), point)
        await server.start()
        async with server.client() as client:
            whole = await until_shown(client, lambda one: said(one) == wanted and one.ending is not None, server)
    finally:
        server.stop()
    assert whole.ending == "done"
    assert [message.text for message in read_ledger(server.folder)] == ["Sure?", "Thanks"]
