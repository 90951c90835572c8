"""The simulator's HTTP port: messages in, what the handsets show, and calls back until they are heard."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from carriers.simulating import PATIENCE_SECONDS, simulator


@asynccontextmanager
async def listener(refuse: int = 0):
    """Listen for callbacks, and refuse the first ones."""
    heard: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []

    async def hear(request: web.Request) -> web.Response:
        body = await request.json()
        if len(refused) < refuse:
            refused.append(body)
            return web.Response(status=503)
        heard.append(body)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/callback", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/callback", heard
    await runner.cleanup()


async def until(ready):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not ready():
            await asyncio.sleep(0.02)


def message(to: str, **fields: str) -> dict[str, str]:
    return {"to": to, "from": "Acme", "text": "Hi", **fields}


async def test_a_message_is_taken_shown_and_its_receipt_and_reply_called_back(tmp_path: Path):
    async with simulator(tmp_path) as it, listener() as (url, heard):
        status, body = await it.post(
            "/messages",
            message("+447700909909", reference="a-1", callback_url=url, reply_url=url, text="Schöne Grüße 👋"),
        )
        assert status == 201
        await until(lambda: len(heard) == 2)

        # Two that fall due together may come in either order.
        receipt, reply = sorted(heard, key=lambda one: one["event"])
        assert (receipt["event"], receipt["id"], receipt["reference"]) == ("receipt", body["id"], "a-1")
        assert (receipt["status"], receipt["to"], receipt["from"]) == ("delivered", "+447700909909", "Acme")
        assert (reply["event"], reply["from"], reply["to"], reply["text"]) == ("reply", "+447700909909", "Acme", "STOP")
        (item,) = (await it.get("/outbox"))["items"]
        assert (item["text"], item["status"], item["reference"]) == ("Schöne Grüße 👋", "delivered", "a-1")


async def test_a_callback_is_made_until_it_is_heard_also_after_a_restart(tmp_path: Path):
    async with listener(refuse=2) as (url, heard):
        async with simulator(tmp_path) as it:
            await it.post("/messages", message("+447700909904", callback_url=url))
            await it.post("/messages", message("+447700900001", callback_url="http://127.0.0.1:1/nobody"))
        assert not heard
        async with simulator(tmp_path):
            await until(lambda: heard)
    assert heard[0]["status"] == "undelivered"


async def test_refusals_have_a_status_that_says_which(tmp_path: Path):
    async with simulator(tmp_path) as it:
        assert await it.post("/messages", message("+447700909905")) == (422, {"error": "invalid_number"})
        assert await it.post("/messages", message("+447700909906")) == (429, {"error": "throttled"})
        await it.post("/misbehave", {"throttle": 1})
        assert (await it.post("/messages", message("+447700900001")))[0] == 429
        assert (await it.post("/messages", message("+447700900001")))[0] == 201


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"to", "from", "text"}),
        ({"to": 1, "from": "", "text": None, "more": 1}, {"to", "from", "text", "more"}),
        (message("+447700900001", callback_url="file:///etc/passwd"), {"callback_url"}),
        (message("+447700900001", text="\ud83d"), {"text"}),
        ([], {""}),
        ("to", {""}),
    ],
)
async def test_one_answer_names_every_wrong_field_and_nothing_is_taken(tmp_path: Path, body, fields):
    async with simulator(tmp_path) as it:
        status, answer = await it.post("/messages", body)

        assert status == 400
        assert {fault["field"] for fault in answer["fields"]} == fields
        assert (await it.get("/healthz"))["accepted"] == 0


@pytest.mark.parametrize(
    "body", [{"throttle": -1}, {"slow_seconds": "x"}, {"explode": True}, [], {"slow_seconds": 1e9}, {"garbage": 1.5}]
)
async def test_a_wrong_wish_to_misbehave_changes_nothing(tmp_path: Path, body):
    async with simulator(tmp_path) as it:
        await it.post("/misbehave", {"throttle": 3})
        status, _ = await it.post("/misbehave", body)

        assert status == 400
        assert (await it.get("/misbehave"))["throttle"] == 3


async def test_noise_and_a_cut_link_are_no_answer_but_the_message_is_in_the_outbox(tmp_path: Path):
    async with simulator(tmp_path) as it:
        await it.post("/misbehave", {"garbage": 1})
        with pytest.raises(ValueError, match=r"."):
            await it.post("/messages", message("+447700900001"))
        await it.post("/misbehave", {"drop_link_after": 1})
        with pytest.raises(aiohttp.ClientError):
            await it.post("/messages", message("+447700900002"))

        assert [item["to"] for item in (await it.get("/outbox"))["items"]] == ["+447700900001", "+447700900002"]


async def test_the_outbox_has_pages(tmp_path: Path):
    async with simulator(tmp_path) as it:
        for number in range(5):
            await it.post("/messages", message(f"+44770090000{number}"))
        first = await it.get("/outbox?limit=3")
        second = await it.get(f"/outbox?limit=3&after={first['next']}")

        assert [item["to"][-1] for item in first["items"] + second["items"]] == list("01234")
        assert second["next"] is None
        assert (await it.get("/outbox?after=x"))["error"] == "Give a whole number as after."
        assert (await it.get("/nowhere"))["error"]


def reply(number: str, **fields: str) -> dict[str, str]:
    return {"from": number, "to": "Acme", "text": "Stop, please", **fields}


async def test_a_handset_writes_what_it_is_told_to_whoever_texted_it_by_http(tmp_path: Path):
    async with simulator(tmp_path) as it, listener() as (url, heard):
        for number in ("+447700900001", "+447700900002"):
            await it.post("/messages", message(number, reply_url=f"{url}?n={number[-1]}"))
        taken = await it.post("/replies", reply("447700900001"))
        await it.post("/replies", reply("+447700900001", text="Please! 🙏"))
        await until(lambda: len(heard) == 2)

    assert taken == (201, {"way": "http", "told": f"{url}?n=1"})
    assert sorted(one["text"] for one in heard) == ["Please! 🙏", "Stop, please"]
    assert {(one["event"], one["to"]) for one in heard} == {("reply", "Acme")}
    assert len({one["id"] for one in heard}) == 2, "each is a message of its own"
    assert all(len(one["id"]) < 64 for one in heard)


async def test_a_reply_that_nobody_would_hear_is_refused(tmp_path: Path):
    async with simulator(tmp_path) as it:
        await it.post("/messages", message("+447700900001"))
        assert await it.post("/replies", reply("+447700900001")) == (409, {"error": "nobody_listens"})


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"from", "to", "text"}),
        ({"from": "Ada", "to": "Schöne", "text": "\ud83d", "more": 1}, {"from", "to", "text", "more"}),
        (reply("+447700900001", text="x" * 10_001), {"text"}),
        ([], {""}),
    ],
)
async def test_every_wrong_field_of_a_reply_is_named(tmp_path: Path, body, fields):
    async with simulator(tmp_path) as it:
        status, answer = await it.post("/replies", body)

    assert status == 400
    assert {fault["field"] for fault in answer["fields"]} == fields
