"""Outside: the one way in which we call a URL that somebody gave us.

What it may reach is decided by `core.fence`, on the very address that the socket connects to: whatever a name resolves
to, and however often it changes its mind, a refused address gets no packet. No proxy, no cookies, no cached names;
bounded in bytes and in seconds.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import aiohttp

from callsheet import clock
from callsheet.core.asking import Answer, HeldBack, Leave, NotReached, Request, nobody_forbids
from callsheet.core.fence import Fence

_CHUNK_BYTES = 65_536
_NO_CONNECTION = "The host does not take connections there."
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPING_METHOD = frozenset({307, 308})


class _Refused(OSError):
    """The address is behind the fence."""


class _Way:
    """How far one request came."""

    __slots__ = ("began", "leave")

    def __init__(self, leave: Leave) -> None:
        self.leave = leave
        self.began = False

    def begin(self) -> None:
        """Note that its first byte goes out now, unless it must not any more. Raises HeldBack."""
        if not self.leave():
            raise HeldBack("It was forbidden before it was sent.", was_sent=self.began)
        self.began = True


class Outside:
    """Calls URLs of others, behind a fence."""

    def __init__(self, fence: Fence) -> None:
        self.fence = fence
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        request: Request,
        *,
        seconds: float,
        most_bytes: int,
        most_hops: int = 0,
        leave: Leave = nobody_forbids,
    ) -> Answer:
        """Return the answer to a request, redirects followed so often; the time is that of all together.

        With `most_bytes` 0 the body is not read. Without hops a redirect is an answer like others. Headers and body go
        along only while the origin stays the same. `leave` is asked before its first byte goes out. Raises NotReached.
        """
        way = _Way(leave)
        with _in_words(way, seconds):
            async with asyncio.timeout(seconds):
                return await self._follow(request, most_bytes, most_hops, way)

    async def _follow(self, request: Request, most_bytes: int, most_hops: int, way: _Way) -> Answer:
        for hop in range(most_hops + 1):
            answer = await self._once(request, most_bytes, way)
            if answer.status not in _REDIRECTS or "location" not in answer.headers or not most_hops:
                return answer
            if hop < most_hops:
                request = _redirected(request, answer)
        raise NotReached(f"The host redirects more than {most_hops} times.")

    async def _once(self, request: Request, most_bytes: int, way: _Way) -> Answer:
        fault = self.fence.fault_of(request.url)
        if fault is not None:
            raise NotReached(fault, was_sent=way.began)
        headers = dict(request.headers)
        if not any(name.lower() == "user-agent" for name in headers):
            headers["user-agent"] = "Callsheet"
        with clock.outside("http"):
            async with self._opened().request(
                request.method,
                request.url,
                headers=headers,
                data=request.body,
                allow_redirects=False,
                trace_request_ctx=way,
            ) as response:
                body = await _read(response, most_bytes) if most_bytes else b""
                return Answer(response.status, response.headers, body)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    socket_factory=self._socket, use_dns_cache=False, force_close=True, limit=0
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                middlewares=(_only_once,),
                trace_configs=[_tracing()],
            )
        return self._session

    def _socket(self, found: tuple[Any, ...]) -> socket.socket:
        """Make the socket for an address that a name resolved to, if the fence lets it through."""
        family, kind, protocol, _, address = found
        if not self.fence.lets_through(str(address[0])):
            raise _Refused("behind the fence")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()


@contextmanager
def _in_words(way: _Way, seconds: float) -> Iterator[None]:
    """Say in a sentence why there is no answer."""
    why = ""
    try:
        yield
    except TimeoutError:
        why = f"There was no answer within {seconds:g} seconds."
    except aiohttp.ClientSSLError:
        why = "The certificate or the encryption of the host is not right."
    except aiohttp.ClientConnectorDNSError:
        why = "The host's name leads nowhere."
    except aiohttp.ClientConnectorError as error:
        refused = isinstance(error.os_error, _Refused)
        why = "The host is at an address of a private network, which is not called." if refused else _NO_CONNECTION
    except (aiohttp.ClientError, ValueError, OSError):
        why = "The connection broke, or the answer is not HTTP."
    if why:
        raise NotReached(why, was_sent=way.began)


async def _only_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep the library from asking again by itself, as it does for GET and PUT when a connection breaks."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


def _tracing() -> aiohttp.TraceConfig:
    """Tell the way of each request when its head is written: nothing of it has left before."""

    async def begin(_: aiohttp.ClientSession, traced: Any, __: aiohttp.TraceRequestHeadersSentParams) -> None:
        traced.trace_request_ctx.begin()

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(begin)
    return tracing


async def _read(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Read a body up to a limit, counted as it is unpacked: a small answer may grow."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > most_bytes:
            raise NotReached(f"The answer is larger than {most_bytes // 1024} KiB.")
    return bytes(body)


def _redirected(request: Request, answer: Answer) -> Request:
    url = urljoin(request.url, answer.headers["location"])
    keeps = answer.status in _KEEPING_METHOD or request.method == "GET"
    same = urlsplit(url)[:2] == urlsplit(request.url)[:2]
    return Request(
        request.method if keeps else "GET",
        url,
        request.headers if same else {},
        request.body if keeps and same else None,
    )
