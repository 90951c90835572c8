"""Our end of the connection to a node's own process: what is asked of it, and what it says of its Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Final

import structlog
from aiohttp import WSMsgType, web
from msgspec import DecodeError

from callsheet import meters
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.calls import Calls
from callsheet.voice.asterisk.place import Registration
from callsheet.voice.asterisk.remote import words
from callsheet.voice.asterisk.remote.words import Done, Hello, Said, Stands

log = structlog.get_logger()

ANSWER_SECONDS: Final = 20.0
"""So long a sound, or a recording, may take to come over."""
_HELLO_SECONDS: Final = 10.0
_AWAY: Final = Stands("away", "its process is not connected: it gets no calls")


class Helm:
    """One node that is looked after elsewhere, connected or not."""

    def __init__(
        self, name: str, calls: Calls, on_change: Callable[[Helm], None], has_asterisk: Callable[[str], bool]
    ) -> None:
        """`on_change` is told when it comes, goes, or is to be emptied; `has_asterisk`: its Asterisk is still there."""
        self.name = name
        self.instance = ""
        """Which of this name is there, or was last."""
        self.hello = Hello(words.VERSION, "", 0)
        """What it said last when it came."""
        self.known: frozenset[str] = frozenset()
        """The trunks that its Asterisk knows."""
        self.registrations: Mapping[str, Registration] = {}
        """How it is registered for them."""
        self.is_draining = False
        self.is_there = False
        self.visits = 0
        """So often it came: what it had on its disk before may be gone."""
        self._calls = calls
        self._on_change = on_change
        self._has_asterisk = has_asterisk
        self._stands = _AWAY
        self._wish: bool | None = None
        """What it is to remember of draining, until it says that it does; None: nothing."""
        self._messages: web.WebSocketResponse | None = None
        self._came = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Done | Said | None]] = {}
        self._asked = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def stands(self) -> Stands:
        """Say how its Asterisk stands."""
        return self._stands if self.is_there else Stands(_AWAY.state, _AWAY.why, self._stands.version)

    def is_for(self, instance: str) -> bool:
        """Tell whether the name is free for an instance: of two that have it, the one that is there keeps it.

        It is there also when only its Asterisk is, or calls of it are waited for.
        """
        return instance == self.instance or not (self.is_there or self._has_asterisk(self.name))

    async def serve(self, messages: web.WebSocketResponse, trunks: Callable[[], Sequence[SipTrunk] | None]) -> None:
        """Be connected, until the connection ends."""
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                hello = words.read_from_node(await messages.receive_str())
        except (TimeoutError, TypeError, DecodeError):
            hello = None
        refusal = self._refusal_of(hello)
        if refusal or not isinstance(hello, Hello):
            log.warning("asterisk.node_refused", voice_node=self.name, why=refusal)
            await messages.send_str(words.write(words.Refused(refusal)))
            return
        await self._begin(hello, messages, trunks())
        try:
            async for message in messages:
                if message.type is WSMsgType.TEXT:
                    self._take(message.data)
        finally:
            self._end(messages)

    async def tell(self, word: words.ToNode) -> None:
        """Tell it something, if it is there; what it is not told now, it is told when it comes."""
        if self._messages is not None:
            try:
                await self._messages.send_str(words.write(word))
            except ConnectionError:
                return

    async def comes(self, seconds: float) -> bool:
        """Wait until it is there, for so long; False: it is not."""
        try:
            async with asyncio.timeout(seconds):
                await self._came.wait()
        except TimeoutError:
            return False
        return True

    async def ask(self, make: Callable[[int], words.ToNode], *, seconds: float = ANSWER_SECONDS) -> Done | Said | None:
        """Return its answer; None: it gave none, or is not there."""
        if not self.is_there:
            return None
        self._asked += 1
        no = self._asked
        answer: asyncio.Future[Done | Said | None] = asyncio.get_running_loop().create_future()
        self._waiting[no] = answer
        try:
            async with asyncio.timeout(seconds):
                await self.tell(make(no))
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._waiting[no]

    def drain(self, *, is_draining: bool) -> None:
        """Give it no more calls, or calls again; it remembers that, now or when it is there."""
        self._wish = self.is_draining = is_draining
        self._on_change(self)
        self._begin_task(self._tell_wish())

    async def close(self) -> None:
        """End the connection."""
        if self._messages is not None:
            await self._messages.close()

    def _refusal_of(self, hello: words.FromNode | None) -> str:
        if not isinstance(hello, Hello):
            return "The node did not say who it is."
        if hello.version != words.VERSION:
            return "The node is of another version of Callsheet."
        if not self.is_for(hello.instance):
            return f"Another node is connected that is named {self.name} too: choose another name."
        return ""

    async def _begin(self, hello: Hello, messages: web.WebSocketResponse, trunks: Sequence[SipTrunk] | None) -> None:
        before, self._messages = self._messages, messages
        if before is not None:
            # Its other end may be gone, and is waited for.
            self._begin_task(_close(before))
        self.hello = hello
        self.instance = hello.instance
        self.visits += 1
        self.known = frozenset()
        self.registrations = {}
        self.is_there = True
        if self._wish is None:
            self.is_draining = hello.is_draining
        self._came.set()
        log.info("asterisk.node_joined", voice_node=self.name, most_calls=hello.most_calls)
        self._on_change(self)
        await self._tell_wish()
        if trunks is not None:
            await self.tell_trunks(trunks)

    def _end(self, messages: web.WebSocketResponse) -> None:
        if self._messages is not messages:
            return
        self._messages = None
        self.is_there = False
        self._came.clear()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)
        log.warning("asterisk.node_left", voice_node=self.name)
        self._on_change(self)

    async def tell_trunks(self, trunks: Sequence[SipTrunk]) -> None:
        """Tell it of the trunks that it calls through."""
        wanted = self.hello.trunks
        await self.tell(words.Trunks([trunk for trunk in trunks if wanted is None or trunk.id in wanted]))

    async def _tell_wish(self) -> None:
        if self._wish is not None:
            await self.tell(words.Drain(self._wish))

    def _take(self, text: str) -> None:
        try:
            word = words.read_from_node(text)
        except DecodeError:
            meters.asterisk_troubles.labels("unreadable").inc()
            return
        match word:
            case Done() | Said():
                self._take_answer(word)
            case Stands():
                self._stands = word
            case words.Knows(trunks=trunks):
                self.known = frozenset(trunks)
                self._on_change(self)
            case words.Registers(stands=stands):
                self.registrations = stands
                self._on_change(self)
            case words.Died(why=why):
                self._calls.lose(self.name, why)
            case words.Emptying() | words.Kept():
                self._take_draining(word)
            case words.IsWell(no=no):
                self._begin_task(self._tell_wellness(no))
            case _:
                pass

    def _take_answer(self, word: Done | Said) -> None:
        waiting = self._waiting.get(word.no)
        if waiting is not None and not waiting.done():
            waiting.set_result(word)

    def _take_draining(self, word: words.Emptying | words.Kept) -> None:
        if isinstance(word, words.Kept):
            self._wish = None if word.is_draining == self._wish else self._wish
        else:
            self.is_draining = word.is_draining
            self._on_change(self)

    async def _tell_wellness(self, no: int) -> None:
        await self.tell(words.Wellness(no, await self._calls.is_well(self.name)))

    def _begin_task(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _close(messages: web.WebSocketResponse) -> None:
    await messages.close()
