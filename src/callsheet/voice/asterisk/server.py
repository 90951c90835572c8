"""Where nodes connect to: a server of two websockets, one for what happens and one for the audio of a call.

Nodes dial in, so a node needs no open port for us, wherever it is. Each has a name and a secret.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import ssl
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final, NamedTuple

import structlog
from aiohttp import WSMsgType, web

from callsheet.voice.asterisk.link import Link
from callsheet.voice.asterisk.wire import MEDIA_PATH, NODE_PATH
from callsheet.voice.base import HearAudio

log = structlog.get_logger()

_MOST_OCTETS: Final = 64 << 20
"""Of a message: the list of some thousand channels comes in one."""
_NOBODY: Final = secrets.token_hex()


Answer = Callable[[str, web.Request], Awaitable[web.StreamResponse]]
"""Answers a request of a node; its name comes first."""


class Route(NamedTuple):
    """Something else that nodes may ask for."""

    method: str
    path: str
    answer: Answer


class NodeServer:
    """Listens for nodes."""

    def __init__(
        self,
        secret_of: Callable[[str], str | None],
        serve: Callable[[str, Link], Awaitable[None]],
        ear_of: Callable[[str, str], HearAudio | None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        more: Iterable[Route] = (),
    ) -> None:
        """Keep who may connect, who serves a link, who hears a channel's audio (by node and channel), and `more`.

        The first two are given a login: the name of a node, and, where several may have it, a dot and which one it is.
        """
        self._secret_of = secret_of
        self._serve = serve
        self._ear_of = ear_of
        self._host = host
        self._port = port
        self._tls = tls
        self._more = tuple(more)
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    @property
    def port(self) -> int:
        """Where it listens; 0: it does not."""
        addresses = self._runner.addresses if self._runner else []
        return int(addresses[0][1]) if addresses else 0

    async def open(self) -> None:
        """Begin to listen. Raises OSError."""
        app = web.Application()
        app.router.add_get(NODE_PATH, self._take_node)
        app.router.add_get(MEDIA_PATH, self._take_media)
        for route in self._more:
            app.router.add_route(route.method, route.path, partial(self._take_other, route.answer))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, self._host, self._port, ssl_context=self._tls, reuse_address=True)
        await self._site.start()

    async def stop_listening(self) -> None:
        """Let nobody connect any more; those who are connected stay."""
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def close(self) -> None:
        """End all connections."""
        self._site = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take_node(self, request: web.Request) -> web.StreamResponse:
        login = self._check(request)
        messages = web.WebSocketResponse(protocols=("ari",), compress=False, max_msg_size=_MOST_OCTETS)
        await messages.prepare(request)
        await self._serve(login, Link(messages, request.transport, name_of(login)))
        return messages

    async def _take_other(self, answer: Answer, request: web.Request) -> web.StreamResponse:
        return await answer(name_of(self._check(request)), request)

    async def _take_media(self, request: web.Request) -> web.StreamResponse:
        name = name_of(self._check(request))
        messages = web.WebSocketResponse(protocols=("media",), compress=False)
        await messages.prepare(request)
        hear: HearAudio | None = None
        async for message in messages:
            if message.type is WSMsgType.TEXT and hear is None:
                hear = self._ear_of(name, channel_of(message.data))
                if hear is None:
                    break
            elif message.type is WSMsgType.BINARY and hear is not None:
                hear(message.data)
        await messages.close()
        return messages

    def _check(self, request: web.Request) -> str:
        """Return the login of the node that asks."""
        if self._site is None:
            raise web.HTTPServiceUnavailable
        name, given = login_of(request.headers.get("Authorization", ""))
        secret = self._secret_of(name)
        is_right = hmac.compare_digest(given.encode(), (secret or _NOBODY).encode())
        if secret is None or not is_right:
            log.warning("asterisk.stranger", path=request.path)
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Basic"})
        return name


def name_of(login: str) -> str:
    """Return the name of a node."""
    return login.partition(".")[0]


def login_of(header: str) -> tuple[str, str]:
    """Return the name and the secret of a header `Authorization: Basic` (RFC 7617); empty: there are none."""
    scheme, _, written = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(written, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, secret


def channel_of(greeting: str) -> str:
    """Return whose audio comes, as the first message says it: `MEDIA_START ... channel_id:X ...`; empty: no such."""
    for word in greeting.split():
        name, _, value = word.partition(":")
        if name == "channel_id":
            return value
    return ""
