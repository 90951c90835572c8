"""A node elsewhere that does only what a test says: it has no Asterisk."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, ClientWebSocketResponse

from callsheet.voice.asterisk.remote import words
from callsheet.voice.asterisk.remote.key import secret_of
from callsheet.voice.asterisk.wire import NODE_PATH
from voice.asterisk.remote_nodes import KEY


class Guest:
    """A node that does only what a test says."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    @asynccontextmanager
    async def joined(self, instance: str = "one", **more) -> AsyncIterator[ClientWebSocketResponse]:
        async with self._http.ws_connect(self._url + words.JOIN_PATH) as messages:
            await messages.send_str(words.write(words.Hello(words.VERSION, instance, 10, **more)))
            yield messages

    @asynccontextmanager
    async def asterisk(self, instance: str) -> AsyncIterator[ClientWebSocketResponse]:
        """Connect as its Asterisk does."""
        login = logged_in("east", instance)
        async with self._http.ws_connect(self._url + NODE_PATH, headers=login, protocols=("ari",)) as messages:
            yield messages

    async def put(self, data: object) -> int:
        async with self._http.put(f"{self._url}{words.RECORDINGS_PATH}tape", data=data) as answer:
            return answer.status


def guest_of(http: ClientSession, port: int) -> Guest:
    return Guest(http, f"http://127.0.0.1:{port}")


def logged_in(name: str, instance: str = "") -> dict[str, str]:
    """Return the header of a login."""
    login = f"{name}.{instance}" if instance else name
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{secret_of(KEY, name)}".encode()).decode()}


async def told(messages: ClientWebSocketResponse, kind: type):
    """Return the next word of a kind that a node is told."""
    while True:
        word = words.read_to_node(await messages.receive_str())
        if isinstance(word, kind):
            return word
