"""A node that does as a test tells it: it dials in as Asterisk does, and answers what it is told to answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from callsheet.voice.asterisk.files import LocalFiles
from callsheet.voice.asterisk.place import NodePlace
from voice.asterisk.calls import PATIENCE_SECONDS

AT = "2026-11-22T07:32:08.961+0000"
PLACE = NodePlace("scripted", "its secret", LocalFiles(Path("/nowhere/sounds"), Path("/nowhere/recording")))


class ScriptedNode:
    """One connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.requests: list[dict[str, Any]] = []
        self.channels: list[dict[str, Any]] = []
        """What it answers to `GET channels`."""
        self.bridges: list[str] = []
        """What it answers to `GET bridges`."""
        self.mute: set[str] = set()
        """What it does not answer: the first words of requests, as `GET channels`."""
        self.answers: dict[str, tuple[int, Any]] = {}
        """What it answers to others than those that it knows, by their first words; else 204."""

    async def tell(self, kind: str, **facts: Any) -> None:
        await self.say(json.dumps({"type": kind, "application": "callsheet", "timestamp": AT, **facts}))

    async def say(self, text: str) -> None:
        await self.socket.send_str(text)

    async def tell_channel(self, kind: str, channel_id: str, state: str = "Up", **facts: Any) -> None:
        await self.tell(kind, channel=channel(channel_id, state), **facts)

    async def answer(self, request: dict[str, Any], status: int, body: Any = "") -> None:
        await self.socket.send_json(
            {
                "type": "RESTResponse", "request_id": request["request_id"], "transaction_id": "", "uri": "",
                "status_code": status, "reason_phrase": "", "message_body": json.dumps(body),
            }
        )  # fmt: skip

    async def request(self, start: str, count: int = 1) -> dict[str, Any]:
        """Return the first (or so many-th) request that begins so, when it has come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = [request for request in self.requests if words_of(request).startswith(start)]
                if len(found) >= count:
                    return found[count - 1]
                await asyncio.sleep(0.01)

    async def run(self) -> None:
        async for message in self.socket:
            request = json.loads(message.data)
            self.requests.append(request)
            words = words_of(request)
            if any(words.startswith(start) for start in self.mute):
                continue
            if words == "GET channels":
                await self.answer(request, 200, self.channels)
            elif words == "GET bridges":
                await self.answer(request, 200, [{"id": name} for name in self.bridges])
            else:
                known = [answer for start, answer in self.answers.items() if words.startswith(start)]
                await self.answer(request, *(known[0] if known else (204, "")))


def words_of(request: dict[str, Any]) -> str:
    return f"{request['method']} {request['uri']}"


def channel(channel_id: str, state: str = "Up") -> dict[str, Any]:
    return {"id": channel_id, "name": "PJSIP/tr-00000001", "state": state, "creationtime": AT}


def login(password: str = PLACE.secret) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(PLACE.name, password)}


@asynccontextmanager
async def scripted_node(
    port: int, password: str = PLACE.secret, channels: Sequence[dict[str, Any]] = ()
) -> AsyncIterator[ScriptedNode]:
    """Connect one until the block ends; it has some channels from the beginning."""
    async with (
        aiohttp.ClientSession(headers=login(password)) as session,
        session.ws_connect(f"http://127.0.0.1:{port}/node", protocols=("ari",)) as socket,
    ):
        node = ScriptedNode(socket)
        node.channels.extend(channels)
        running = asyncio.create_task(node.run())
        await node.tell("ApplicationRegistered")
        try:
            yield node
        finally:
            running.cancel()
