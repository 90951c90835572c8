"""An upload: the body of a request while it comes in.

A server that answers before a body has ended, and then closes, resets the connection; who is still sending never hears
the answer. So a call that is refused is heard out first, within limits.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Message, Receive

MOST_DRAINED_BYTES: Final = 64 * 1024 * 1024
DRAIN_SECONDS: Final = 10.0
"""Whoever sends more, or slower, may find the connection closed."""


class Upload:
    """Receives a body, and knows whether more of it is on its way."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        self._receive = receive
        # Who asked before sending, and was not told to go on, sends nothing.
        self._coming = "100-continue" not in headers.get("expect", "").lower()

    async def __call__(self) -> Message:
        """Receive the next message of the server."""
        message = await self._receive()
        self._coming = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Take what is still on its way, and forget it."""
        taken = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._coming and taken < MOST_DRAINED_BYTES:
                    taken += len((await self()).get("body", b""))
