"""Carry calls to the server: connections that are kept, time-outs, and tries."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TypeVar

import aiohttp
import msgspec
from yarl import URL

from callsheet.client.access import Access
from callsheet.client.call import REPEATED_UNDER_A_KEY, Call
from callsheet.client.download import Download
from callsheet.client.record import Page
from callsheet.client.refusal import ApiError, read_refusal
from callsheet.client.retrying import is_already_gone, is_passing, wait_seconds
from callsheet.core.errors import CallsheetError, Unavailable

T = TypeVar("T")

CONNECT_SECONDS = 10.0
_FIRST_FAILURE = 300
"""The API redirects nobody: who does is not the API."""


class Transport:
    """Carries calls from inside an event loop. Close it in the same one."""

    def __init__(self, access: Access, *, tries: int, read_seconds: float) -> None:
        self._access = access
        self._tries = tries
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=read_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def carry(self, call: Call[T]) -> T:
        """Make a call, again where that is safe. Raises ApiError when it is refused, Unavailable without an answer."""
        if call.method in REPEATED_UNDER_A_KEY and call.key is None:
            call = replace(call, key=uuid.uuid4().hex)
        saving = None if call.save_to is None else Download(call.save_to)
        tried, sent = 0, _Sent()
        while True:
            tried += 1
            try:
                return await self._try(call, saving, sent)
            except CallsheetError as trouble:
                if call.answer is type(None) and sent.times > 1 and is_already_gone(call.method, trouble):
                    return call.read(b"")
                seconds = wait_seconds(trouble, tried)
                if seconds is None or tried >= self._tries or not is_passing(trouble) or not _repeatable(call, saving):
                    raise
            await asyncio.sleep(seconds)

    async def walk(self, call: Call[Page[T]]) -> AsyncIterator[T]:
        """Yield the items of all pages, each asked for when the one before is used up."""
        following: Call[Page[T]] | None = call
        while following is not None:
            page = await self.carry(following)
            for item in page.items:
                yield item
            following = page_after(following, page)

    async def close(self) -> None:
        """Close the connections."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._is_closed:
            raise RuntimeError("This client is closed.")
        if self._session is None:
            watching = aiohttp.TraceConfig()
            watching.on_request_headers_sent.append(_count)
            self._session = aiohttp.ClientSession(timeout=self._timeout, trace_configs=[watching])
        return self._session

    async def _try(self, call: Call[T], saving: Download | None, sent: _Sent) -> T:
        session = self._open()
        url = URL(self._access.base_url + call.target(self._access.app_id), encoded=True)
        data = call.content() if call.upload is None else sent.told(call.upload.chunks())
        headers = {**self._access.headers(), **_headers(call)}
        try:
            async with session.request(
                call.method, url, data=data, headers=headers, allow_redirects=False, trace_request_ctx=sent
            ) as response:
                if response.status >= _FIRST_FAILURE:
                    raise read_refusal(response.status, response.headers, await response.read())
                if saving is None:
                    return call.read(await response.read())
                with saving.writing() as write:
                    async for chunk in response.content.iter_any():
                        write(chunk)
                return call.read(b"")
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if sent.fault is not None:
                raise sent.fault from None
            raise Unavailable(f"The server at {self._access.base_url} does not answer any more.") from error
        except msgspec.DecodeError as error:
            raise ApiError(response.status, "unreadable_answer", f"The answer cannot be read: {error}.") from error


@dataclass(slots=True)
class _Sent:
    """What became of a call on its way out."""

    times: int = 0
    """How often it went out; the HTTP client sends some calls a second time by itself."""
    fault: Exception | None = None
    """What was wrong with the file itself; the HTTP client says only that it cannot be sent."""

    async def told(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass on the chunks of a file, and note what goes wrong with it."""
        try:
            async for chunk in chunks:
                yield chunk
        except Exception as error:
            self.fault = error
            raise


async def _count(_: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestHeadersSentParams) -> None:
    context.trace_request_ctx.times += 1


def page_after(call: Call[Page[T]], page: Page[T]) -> Call[Page[T]] | None:
    """Return the call for the page that follows, or None after the last one."""
    return None if page.next is None else replace(call, query={**call.query, "after": page.next})


def _headers(call: Call[T]) -> dict[str, str]:
    key = {} if call.key is None else {"Idempotency-Key": call.key}
    if call.upload is not None:
        return {"Content-Type": call.upload.content_type, **key}
    return key if call.body is None else {"Content-Type": "application/json", **key}


def _repeatable(call: Call[T], saving: Download | None) -> bool:
    return (call.upload is None or call.upload.is_repeatable) and (saving is None or saving.is_repeatable)
