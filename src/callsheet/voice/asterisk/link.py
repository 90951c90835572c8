"""A link: one websocket of a node, on which requests go out, and answers and events come in.

The task that reads waits for nobody: an event is told by a call that returns at once, an answer wakes whoever waits.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import structlog
from aiohttp import WSMsgType, web
from msgspec import DecodeError

from callsheet import meters
from callsheet.core.asking import Leave, nobody_forbids
from callsheet.voice.asterisk.wire import ApplicationRegistered, Ask, Event, RESTResponse, read, write

log = structlog.get_logger()

GREETING_SECONDS: Final = 1.0
"""A node greets at once. What is asked before may be obeyed, and its answer lost, so we wait so long for it."""
_QUICK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)  # Linux only


class NodeAway(Exception):
    """The node did not answer. `was_sent` is false only where it surely did not get the request."""

    def __init__(self, why: str, *, was_sent: bool) -> None:
        self.was_sent = was_sent
        super().__init__(why)


class Withheld(Exception):
    """It was forbidden right before it left: nothing was sent."""


class Link:
    """One connection of a node, from its first message to its last."""

    def __init__(self, messages: web.WebSocketResponse, connection: asyncio.Transport | None, name: str) -> None:
        self._messages = messages
        self._socket: socket.socket | None = connection.get_extra_info("socket") if connection else None
        self._connection = connection
        self._name = name
        self._waiting: dict[str, asyncio.Future[RESTResponse]] = {}
        self._asked = 0
        self._greeted = asyncio.Event()
        self.is_open = True

    async def read(self, hear: Callable[[Event], None]) -> None:
        """Tell each event, and wake whoever waits for an answer, until the connection ends."""
        greeting = asyncio.get_running_loop().call_later(GREETING_SECONDS, self._greeted.set)
        try:
            async for message in self._messages:
                if message.type is WSMsgType.TEXT:
                    self._take(message.data, hear)
                self._acknowledge()
        finally:
            greeting.cancel()
            self.is_open = False
            self._greeted.set()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(NodeAway("the connection ended before the answer", was_sent=True))

    async def ask(self, ask: Ask, *, seconds: float, leave: Leave = nobody_forbids) -> RESTResponse:
        """Return the answer. `leave` is asked when the request is to go out. Raises NodeAway, Withheld."""
        await self._greeted.wait()
        if not self.is_open or self._messages.closed:
            raise NodeAway("the node is not connected", was_sent=False)
        if not leave():
            raise Withheld
        self._asked += 1
        number = str(self._asked)
        answer: asyncio.Future[RESTResponse] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(seconds):
                await self._messages.send_str(write(number, ask))
                self._acknowledge()
                return await answer
        except TimeoutError:
            meters.asterisk_troubles.labels("no_answer").inc()
            raise NodeAway(f"the node did not answer within {seconds:g} seconds", was_sent=True) from None
        except ConnectionError:
            raise NodeAway("the connection broke", was_sent=True) from None
        finally:
            del self._waiting[number]

    def end(self) -> None:
        """End the connection at once; the node connects again."""
        if self._connection is not None:
            self._connection.abort()

    def _take(self, text: str, hear: Callable[[Event], None]) -> None:
        try:
            message = read(text)
            if isinstance(message, RESTResponse):
                waiting = self._waiting.get(message.request_id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            elif message is not None:
                hear(message)
                if isinstance(message, ApplicationRegistered):
                    self._greeted.set()
        except DecodeError:
            meters.asterisk_troubles.labels("unreadable").inc()
        except Exception:
            # One call must not end all others.
            log.exception("asterisk.event_broke", voice_node=self._name)

    def _acknowledge(self) -> None:
        """Let TCP acknowledge at once: the node sends its next small message only then, 40 ms later otherwise."""
        if self._socket is not None and _QUICK is not None and self.is_open:
            try:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)
            except OSError:
                self._socket = None
