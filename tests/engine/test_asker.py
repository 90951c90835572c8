"""Webhooks and models that flows ask: each question gets one answer or a reason, signed, bounded and in time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web
from standardwebhooks import Webhook as Verifier
from structlog.testing import capture_logs

from callsheet.clock import SystemClock
from callsheet.core.fence import Fence
from callsheet.core.flow.completion import Prices
from callsheet.core.flow.effects import AskModel, CallWebhook, Tool
from callsheet.core.flow.given import Given, ModelAnswered, NoAnswer, WebhookAnswered
from callsheet.engine.asker import MOST_TAKEN, Answered, Asker, flow_secret
from callsheet.engine.outside import Outside
from callsheet.store import tables as t
from callsheet.store.apps import App
from callsheet.store.errands import drop_errand, write_errand
from callsheet.store.rows import insert
from callsheet.store.store import Store
from databases import rows
from engine.receivers import receiver
from factories import StillClock
from model_server import breaks_off, cuts, drips, fails, model_server, says, says_at_once

ANYWHERE = Fence(allow_private=True)
SECRET_KEY = "sk-very-secret-indeed"
LOOK = Tool("look_up", "Looks up", {"type": "object"})


@dataclass
class Asked:
    """What an asker answered."""

    store: Store
    app: App
    flow_id: str
    answers: list[tuple[int, Answered]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    takes: bool = True
    node_no: int = 0
    on_errands: Callable[[], None] = lambda: None

    async def give(self, app: int, talk_no: int, given: Given, *, errand_id: str = "") -> bool:
        """Take an answer, as the talker does."""
        assert isinstance(given, WebhookAnswered | ModelAnswered | NoAnswer)
        if self.takes and await self.store.errands.waits(app, talk_no, errand_id):
            await self.store._database.write(lambda conn: drop_errand(conn, app, talk_no))
        self.answers.append((talk_no, given))
        self.came.set()
        return self.takes

    async def write(self, asked: CallWebhook | AskModel, session_no: int = 1) -> str:
        """Write an errand."""
        key = self.store.vault.app(self.app.no)
        assert key is not None
        now = await self.store.hot.now()
        return await self.store._database.write(
            lambda conn: write_errand(conn, self.app.no, session_no, asked, revision=1, seal=key.seal, now=now)
        )

    async def answer(self) -> Answered:
        """Wait for the next answer."""
        async with asyncio.timeout(60):
            await self.came.wait()
        self.came.clear()
        return self.answers[-1][1]


@pytest.fixture
async def asked(store: Store, app: App, clock: StillClock) -> Asked:
    flow = await store.flows.create(app.no, "Orders", "{}", clock.now())
    numbers = await rows(store, sa.select(t.flow.c.no).where(t.flow.c.id == flow.named.id))
    session = {
        "app": app.no, "flow_no": numbers[0][0], "version": 1, "person": b"p" * 16, "sender": "1", "trunk_no": 1,
        "channel": "sms", "state_sealed": b"", "columns_sealed": b"", "opening_sealed": b"",
        "awaits": "webhook", "opened_at": 1, "changed_at": 1,
    }  # fmt: skip
    for no in (1, 2):
        row = {**session, "id": f"fs-{no}", "cause": f"cause {no}"}
        await store._database.write(lambda conn, row=row: insert(conn, t.flow_session, **row))
    return Asked(store, app, flow.named.id)


@asynccontextmanager
async def asking(asked: Asked, *, fence: Fence = ANYWHERE) -> AsyncIterator[Asker]:
    async with Outside(fence) as outside:
        asker = Asker(
            asked.store, outside, SystemClock(), Random(1),
            asked, sole_owner=True, tick_seconds=3600.0, retry_seconds=0.01,
        )  # fmt: skip
        task = asyncio.create_task(asker.run())
        try:
            yield asker
        finally:
            asker.stop()
            await task


def webhook(url: str, **more: Any) -> CallWebhook:
    return replace(CallWebhook("b", "POST", url, {"x-shop": "7"}, {"order": "7"}, 30.0), **more)


def model(**more: Any) -> AskModel:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Where is it?"}]
    return replace(AskModel("b", "House", "", messages, (LOOK,), 60.0, 500, 0.5), **more)


async def endpoint(asked: Asked, url: str, **more: Any) -> None:
    values = {"name": "house", "base_url": url, "model": "small", "api_key": SECRET_KEY, **more}
    await asked.store.ai_endpoints.create(asked.app.no, values, await asked.store.hot.now())


def respond(**more: Any) -> Callable[[web.Request], Any]:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(**more)

    return handle


async def outcome(asked: Asked, question: CallWebhook | AskModel, **more: Any) -> Answered:
    """Ask, and return the answer."""
    await asked.write(question)
    async with asking(asked, **more):
        return await asked.answer()


# -- webhooks --------------------------------------------------------------------------------------------------------


async def test_a_webhook_is_called_signed_and_its_answer_is_given(asked: Asked):
    got: list[tuple[web.Request, bytes]] = []

    async def handle(request: web.Request) -> web.Response:
        got.append((request, await request.read()))
        return web.json_response({"state": "sent"}, status=201)

    async with receiver(handle) as url:
        errand_id = await asked.write(webhook(f"{url}/orders"))
        async with asking(asked):
            answered = await asked.answer()
    assert isinstance(answered, WebhookAnswered)
    assert (answered.status, answered.body) == (201, {"state": "sent"})
    ((request, body),) = got
    assert (request.method, request.path, request.headers["x-shop"]) == ("POST", "/orders", "7")
    assert request.headers["webhook-id"] == errand_id
    verifier = Verifier(flow_secret(asked.store, asked.app.no, asked.flow_id))
    assert verifier.verify(body, dict(request.headers)) == {"order": "7"}
    assert await rows(asked.store, sa.select(t.errand)) == []


async def test_one_without_a_body_is_signed_too(asked: Asked):
    got: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        got.append(request)
        return web.json_response([1])

    async with receiver(handle) as url:
        await outcome(asked, webhook(f"{url}/?a=b", method="GET", body=None))
    verifier = Verifier(flow_secret(asked.store, asked.app.no, asked.flow_id))
    headers = got[0].headers
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert headers["webhook-signature"] == verifier.sign(headers["webhook-id"], at, "")
    assert got[0].query == {"a": "b"}


@pytest.mark.parametrize(
    ("said", "body"),
    [
        ({"text": "plain"}, "plain"),
        ({"body": b""}, None),
        ({"body": b"\xff"}, "\ufffd"),
        ({"body": b"{broken"}, "{broken"),
        ({"body": b"[" * 200 + b"]" * 200}, "[" * 200 + "]" * 200),
        ({"body": b"null"}, None),
    ],
)
async def test_what_is_no_json_is_a_text(asked: Asked, said: dict[str, Any], body: Any):
    async with receiver(respond(**said)) as url:
        answered = await outcome(asked, webhook(url))
    assert isinstance(answered, WebhookAnswered)
    assert answered.body == body


@pytest.mark.parametrize(("status", "headers"), [(404, {}), (500, {}), (302, {"location": "https://example.com/"})])
async def test_any_status_is_an_answer_and_nothing_is_followed(asked: Asked, status: int, headers: dict[str, str]):
    async with receiver(respond(status=status, headers=headers)) as url:
        answered = await outcome(asked, webhook(url))
    assert isinstance(answered, WebhookAnswered)
    assert answered.status == status


async def test_an_answer_that_is_too_large_is_none(asked: Asked):
    async with receiver(respond(body=b"x" * 300_000)) as url:
        answered = await outcome(asked, webhook(url))
    assert isinstance(answered, NoAnswer)
    assert "256 KiB" in answered.why


async def test_one_that_does_not_answer_in_time_is_none(asked: Asked):
    over = asyncio.Event()

    async def handle(_: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async with receiver(handle) as url:
        answered = await outcome(asked, webhook(url, seconds=0.05))
        over.set()
    assert isinstance(answered, NoAnswer)
    assert "0.05 seconds" in answered.why


async def test_the_fence_holds_for_webhooks_and_models(asked: Asked):
    async with receiver(respond()) as url:
        await endpoint(asked, url)
        for question in (webhook(url), model(seconds=1.0)):
            answered = await outcome(asked, question, fence=Fence())
            assert isinstance(answered, NoAnswer)
            assert "private network" in answered.why


async def test_who_dies_before_the_answer_is_taken_asks_again_under_the_same_id(asked: Asked):
    seen: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.headers["webhook-id"])
        return web.Response()

    asked.takes = False
    async with receiver(handle) as url:
        await outcome(asked, webhook(url))
        # Another process comes, and holds everything that was held.
        asked.takes = True
        async with asking(asked):
            await asked.answer()
    assert len(seen) == 2
    assert len(set(seen)) == 1
    assert await rows(asked.store, sa.select(t.errand)) == []


async def test_one_at_which_nodes_die_again_and_again_has_no_answer(asked: Asked):
    await asked.write(webhook("http://127.0.0.1:1/"))
    await asked.store._database.write(lambda conn: conn.execute(sa.update(t.errand).values(tries=MOST_TAKEN)))
    async with asking(asked):
        assert isinstance(await asked.answer(), NoAnswer)


async def test_one_that_nobody_asked_in_time_has_no_answer(asked: Asked, clock: StillClock):
    await asked.write(webhook("http://127.0.0.1:1/"))
    clock.advance(hours=2)
    async with asking(asked):
        answered = await asked.answer()
    assert isinstance(answered, NoAnswer)
    assert "in time" in answered.why


# -- models ----------------------------------------------------------------------------------------------------------


async def test_a_model_is_asked_and_its_stream_is_put_together(asked: Asked):
    async with model_server(says("It is on its way.", tokens=1000)) as server:
        await endpoint(asked, server.url, prices=Prices(1.0, 500.0))
        answered = await outcome(asked, model())
    assert isinstance(answered, ModelAnswered)
    assert (answered.text, answered.calls, answered.tokens) == ("It is on its way.", (), 1000)
    assert answered.cost == pytest.approx((998 * 1.0 + 2 * 500.0) / 1_000_000)
    (question,) = server.asked
    assert question["model"] == "small"
    assert question["messages"][1] == {"role": "user", "content": "Where is it?"}
    assert (question["stream"], question["stream_options"]) == (True, {"include_usage": True})
    assert (question["max_tokens"], question["temperature"]) == (500, 0.5)
    assert question["tools"][0]["function"]["name"] == "look_up"
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET_KEY}"


async def test_tool_calls_come_in_pieces(asked: Asked):
    calls = [("look_up", {"order": "7é"}), ("hand_over", {"reason": "x"}), ("look_up", "{broken")]
    async with model_server(says("", calls=calls)) as server:
        await endpoint(asked, server.url)
        answered = await outcome(asked, model(model="large"))
    assert server.asked[0]["model"] == "large"
    assert isinstance(answered, ModelAnswered)
    assert [(one.id, one.name, one.arguments) for one in answered.calls] == [
        ("call-0", "look_up", {"order": "7é"}),
        ("call-1", "hand_over", {"reason": "x"}),
        ("call-2", "look_up", {}),
    ]
    assert [bool(one.fault) for one in answered.calls] == [False, False, True]


async def test_an_answer_at_once_will_do_and_tokens_need_not_be_counted(asked: Asked):
    async with model_server(says_at_once("Hello.", calls=[("look_up", {"a": 1})])) as server:
        await endpoint(asked, server.url, api_key="", prices=Prices(1000.0, 1000.0))
        answered = await outcome(asked, model())
    assert isinstance(answered, ModelAnswered)
    assert (answered.text, answered.tokens) == ("Hello.", 0)
    assert answered.cost > 0
    assert answered.calls[0].arguments == {"a": 1}
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    "trouble",
    [
        fails(429, **{"retry-after": "0"}),
        fails(500),
        fails(200, "{broken"),
        fails(200, '{"error": {"message": "overloaded"}}'),
        fails(200, ""),
        breaks_off("It is on"),
        cuts("It is on"),
    ],
    ids=["429", "500", "broken JSON", "error", "nothing", "breaks off", "cut"],
)
async def test_what_may_pass_is_asked_again(asked: Asked, trouble: Any):
    async with model_server(trouble, says("Here.")) as server:
        await endpoint(asked, server.url)
        answered = await outcome(asked, model())
    assert isinstance(answered, ModelAnswered)
    assert answered.text == "Here."
    assert len({one["idempotency-key"] for one in server.headers}) == 1
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("trouble", "times", "why"),
    [
        (fails(401), 1, "answered 401"),
        (fails(400), 1, "answered 400"),
        (fails(503), 4, "answered 503"),
        (fails(429, **{"retry-after": "3600"}), 1, "answered 429"),
        (fails(200, "{broken"), 4, "no chat completion"),
        (says(" "), 1, ""),
    ],
)
async def test_what_does_not_pass_is_no_answer(asked: Asked, trouble: Any, times: int, why: str):
    async with model_server(trouble) as server:
        await endpoint(asked, server.url)
        answered = await outcome(asked, model())
    assert len(server.asked) == times
    assert isinstance(answered, NoAnswer if why else ModelAnswered)
    if isinstance(answered, NoAnswer):
        assert why in answered.why


async def test_a_slow_stream_ends_with_its_time(asked: Asked):
    over = asyncio.Event()
    async with model_server(drips(over)) as server:
        await endpoint(asked, server.url)
        answered = await outcome(asked, model(seconds=0.3))
        over.set()
    assert isinstance(answered, NoAnswer)


async def test_an_endpoint_that_is_not_there_is_no_answer(asked: Asked):
    answered = await outcome(asked, model())
    assert answered == NoAnswer("The app has no AI endpoint of this name.", answered.at)


async def test_no_secret_and_nothing_that_was_said_is_logged(asked: Asked):
    with capture_logs() as logs:
        async with model_server(fails(401, f"bad key {SECRET_KEY}")) as server:
            await endpoint(asked, server.url)
            answered = await outcome(asked, model())
    said = json.dumps(logs, default=str) + repr(answered)
    assert "errand.no_answer" in said
    assert SECRET_KEY not in said
    assert "Where is it" not in said


async def test_a_slow_one_holds_up_no_other(asked: Asked):
    over = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        if request.path == "/slow":
            await over.wait()
        return web.Response()

    async with receiver(handle) as url:
        await asked.write(webhook(f"{url}/slow"), 1)
        await asked.write(webhook(f"{url}/fast"), 2)
        async with asking(asked):
            await asked.answer()
            assert asked.answers[0][0] == 2
            over.set()
            await asked.answer()
