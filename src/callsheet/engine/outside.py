"""Outside: the one way in which we call a URL that somebody gave us.

What it may reach is decided by `core.fence`, on the very address that the socket connects to: whatever a name resolves
to, and however often it changes its mind, a refused address gets no packet. No proxy, no cookies, no cached names;
bounded in bytes and in seconds.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import urljoin, urlsplit

import aiohttp

from callsheet import clock
from callsheet.core.fence import Fence

_CHUNK_BYTES = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPING_METHOD = frozenset({307, 308})


class NotReached(Exception):
    """No answer came, or none that we take; the sentence says why, and quotes nothing that was answered."""


class _Refused(OSError):
    """The address is behind the fence."""


class Answer(NamedTuple):
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes


class Request(NamedTuple):
    """What is asked of a URL."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Outside:
    """Calls URLs of others, behind a fence."""

    def __init__(self, fence: Fence) -> None:
        self.fence = fence
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, request: Request, *, seconds: float, most_bytes: int, most_hops: int = 0) -> Answer:
        """Return the answer to a request, redirects followed so often; the time is that of all together.

        With `most_bytes` 0 the body is not read.
        Without hops a redirect is an answer like others. Headers and body go along only while the origin stays the
        same. Raises NotReached.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(request, most_bytes, most_hops)
        except TimeoutError:
            raise NotReached(f"There was no answer within {seconds:g} seconds.") from None
        except aiohttp.ClientSSLError:
            raise NotReached("The certificate or the encryption of the host is not right.") from None
        except aiohttp.ClientConnectorDNSError:
            raise NotReached("The host's name leads nowhere.") from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _Refused):
                raise NotReached("The host is at an address of a private network, which is not called.") from None
            raise NotReached("The host does not take connections there.") from None
        except (aiohttp.ClientError, ValueError, OSError):
            raise NotReached("The connection broke, or the answer is not HTTP.") from None

    async def _follow(self, request: Request, most_bytes: int, most_hops: int) -> Answer:
        for hop in range(most_hops + 1):
            answer = await self._once(request, most_bytes)
            if answer.status not in _REDIRECTS or "location" not in answer.headers or not most_hops:
                return answer
            if hop < most_hops:
                request = _redirected(request, answer)
        raise NotReached(f"The host redirects more than {most_hops} times.")

    async def _once(self, request: Request, most_bytes: int) -> Answer:
        fault = self.fence.fault_of(request.url)
        if fault is not None:
            raise NotReached(fault)
        headers = dict(request.headers)
        if not any(name.lower() == "user-agent" for name in headers):
            headers["user-agent"] = "Callsheet"
        with clock.outside("http"):
            async with self._opened().request(
                request.method, request.url, headers=headers, data=request.body, allow_redirects=False
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
