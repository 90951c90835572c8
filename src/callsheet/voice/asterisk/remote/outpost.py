"""The outpost: a node's own process on its host. It joins a server, and looks after an Asterisk that does, too.

It fetches, configures, starts and watches the Asterisk as a server does with the one beside it; what it is to be
configured with, the server says. Where the server is away, calls go on, and it tries to join again and again.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import ssl
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, ClientWebSocketResponse, TCPConnector, WSMsgType
from msgspec import DecodeError

from callsheet.clock import Clock
from callsheet.core.sip import USUAL_NODE_CALLS
from callsheet.voice.asterisk.configuration import Dispatcher
from callsheet.voice.asterisk.control import count_channels
from callsheet.voice.asterisk.keep import Keep, open_keep
from callsheet.voice.asterisk.local import Local, Watch
from callsheet.voice.asterisk.node_folder import NodeFolder
from callsheet.voice.asterisk.place import Registration
from callsheet.voice.asterisk.registrations import Registrations
from callsheet.voice.asterisk.remote import words
from callsheet.voice.asterisk.remote.larder import Larder
from callsheet.voice.asterisk.remote.words import Bring, Done, RecordsOf, Shelve
from callsheet.voice.asterisk.standing import Standing
from callsheet.voice.asterisk.supervisor import Supervisor

log = structlog.get_logger()

_PAUSES_SECONDS: Final = (0.5, 1.0, 2.0, 5.0)
"""A server that starts anew is back after seconds."""
_HEARTBEAT_SECONDS: Final = 10.0
_TELL_SECONDS: Final = 0.5
_ANSWER_SECONDS: Final = 20.0
_TRANSFER_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.5
_AS_USUAL: Final = Watch()
_MACHINE: Final = Path("/etc/machine-id")


class NotTaken(Exception):
    """The server does not take this node. The sentence says why."""


@dataclass(frozen=True, slots=True)
class JoinPlace:
    """Which server a node joins, and as whom."""

    url: str
    """`http://host:port`, or `https://`; a path before ours is kept."""
    name: str
    key: str = field(repr=False)
    """Its own (`secret_of`), not the server's."""
    ca_certificate: str = ""
    """Whom it trusts, as PEM; empty: whom its machine trusts."""
    most_calls: int = USUAL_NODE_CALLS
    trunks: tuple[str, ...] | None = None
    """It calls through these only; None: through all."""


class Outpost:
    """One node's own process."""

    def __init__(self, place: JoinPlace, local: Local, clock: Clock, watch: Watch = _AS_USUAL) -> None:
        self._place = place
        self._clock = clock
        uri = re.sub(r"^http", "ws", place.url)
        self._instance = _instance_of(open_keep(local.folder / "keep.json", is_in_use=True))
        dispatcher = Dispatcher(uri, place.name, place.key, place.ca_certificate, self._instance)
        local = replace(local, dispatcher=dispatcher)
        self._local = local
        self._folder = NodeFolder(local.folder / "node")
        self._login = "Basic " + base64.b64encode(f"{place.name}:{place.key}".encode()).decode()
        self.supervisor = Supervisor(local, clock, lambda: self, watch)
        self._registrations = Registrations(clock, self.supervisor.ask, lambda: None)
        self.supervisor.on_complaints = self._registrations.hear
        self.is_joined = False
        self.failures = 0
        """So often in a row it did not join."""
        self._is_open = False
        self._is_leaving = False
        self._messages: ClientWebSocketResponse | None = None
        self._larder: Larder | None = None
        self._joining: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[int, asyncio.Future[bool]] = {}
        self._asked = 0

    async def open(self) -> None:
        """Begin to join the server; nothing is waited for."""
        self._joining = asyncio.create_task(self._join())

    async def empty(self, seconds: float) -> bool:
        """Take no more calls, and wait until there are none; False: there still were some when the time was over."""
        self._is_leaving = True
        await self._tell(words.Emptying(is_draining=True))
        deadline = self._clock.monotonic() + seconds
        # A console that is too busy to answer is one with calls.
        while await count_channels(self._folder.run) != 0 and await asyncio.to_thread(self.supervisor.lives):
            if self._clock.monotonic() >= deadline:
                return False
            await self._clock.sleep(_LOOK_SECONDS)
        return True

    async def close(self) -> None:
        """Stop the Asterisk, and leave the server. Calls that live then end."""
        await self._registrations.close()
        if self._is_open or self.supervisor.lives():
            await self.supervisor.close()
            # Only now its records say how the last calls ended.
            await self._tell(words.Died("the node was stopped"))
            await self._answer_last()
        if self._joining is not None:
            self._joining.cancel()
            with suppress(asyncio.CancelledError):
                await self._joining

    async def _answer_last(self) -> None:
        """Wait until the server has asked what it still wants to know of the calls, and has its answers.

        What we are told comes in order: by the answer to a question of ours we have all that was asked before.
        """
        await self.is_well(self._place.name)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_ANSWER_SECONDS)

    # What the supervisor asks of who leads the calls: it is the server.

    async def is_well(self, name: str) -> bool:  # noqa: ARG002 (there is one)
        """Tell whether the Asterisk answers the server. While the server is away, nobody can say that it does not."""
        if self._messages is None:
            return True
        self._asked += 1
        no = self._asked
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[no] = answer
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._tell(words.IsWell(no))
                return await answer
        except TimeoutError:
            return True
        finally:
            del self._waiting[no]

    def lose(self, name: str, why: str) -> None:  # noqa: ARG002
        """Tell the server that the Asterisk is dead. A server that is away sees it itself, when it is back."""
        self._begin(self._tell(words.Died(why)))

    # The connection.

    async def _join(self) -> None:
        timeout = ClientTimeout(total=_TRANSFER_SECONDS)
        async with ClientSession(
            headers={"Authorization": self._login}, timeout=timeout, connector=TCPConnector(ssl=self._tls())
        ) as session:
            incoming = self._local.folder / "incoming"
            self._larder = Larder(self._folder, incoming, session, self._place.url)
            while True:
                why = "the connection ended"
                try:
                    url = self._place.url + words.JOIN_PATH
                    async with session.ws_connect(url, heartbeat=_HEARTBEAT_SECONDS) as messages:
                        await self._serve(messages)
                except (ClientError, OSError, TimeoutError, NotTaken) as error:
                    why = str(error) or type(error).__name__
                except Exception:
                    log.exception("asterisk.broke")
                    why = "Joining the server met a fault of ours: see the log."
                pause = _PAUSES_SECONDS[min(self.failures, len(_PAUSES_SECONDS) - 1)]
                self.failures += 1
                log.warning("asterisk.not_joined", why=why, again_seconds=pause)
                await self._clock.sleep(pause)

    def _tls(self) -> ssl.SSLContext | bool:
        ca = self._place.ca_certificate
        return ssl.create_default_context(cadata=ca) if ca else True

    async def _serve(self, messages: ClientWebSocketResponse) -> None:
        """Be connected, until the connection ends. Raises NotTaken."""
        place = self._place
        hello = words.Hello(
            words.VERSION, self._instance, place.most_calls, None if place.trunks is None else list(place.trunks),
            self.supervisor.is_draining() or self._is_leaving,
        )  # fmt: skip
        await messages.send_str(words.write(hello))
        self._messages = messages
        telling = asyncio.create_task(self._tell_standing())
        try:
            async for message in messages:
                if message.type is WSMsgType.TEXT:
                    await self._take(message.data)
        finally:
            self._messages = None
            self.is_joined = False
            telling.cancel()

    async def _take(self, text: str) -> None:
        try:
            word = words.read_to_node(text)
        except DecodeError:
            log.warning("asterisk.unreadable")
            return
        match word:
            case words.Trunks(trunks=trunks):
                self.supervisor.use(trunks)
                self._registrations.use(trunks)
                if not self._is_open:
                    # Before, one that runs would be told that there are no trunks.
                    self._is_open = True
                    await self.supervisor.open()
                    self._registrations.open()
                if not self.is_joined:
                    self.is_joined = True
                    self.failures = 0
                    log.info("asterisk.joined", trunks=len(trunks))
            case words.Drain(is_draining=is_draining):
                self.supervisor.keep_draining(is_draining=is_draining)
                await self._tell(words.Kept(is_draining))
            case words.Wellness(no=no, is_well=is_well):
                waiting = self._waiting.get(no)
                if waiting is not None and not waiting.done():
                    waiting.set_result(is_well)
            case words.Refused(why=why):
                raise NotTaken(why)
            case _:
                self._begin(self._obey(word))

    async def _obey(self, word: Shelve | Bring | RecordsOf) -> None:
        larder = self._larder
        assert larder is not None, "it is made before the connection"
        match word:
            case RecordsOf(no=no, ids=ids):
                await self._tell(words.Said(no, words.said_of(await larder.records(ids))))
            case Shelve(no=no, sound=name):
                await self._tell(Done(no, _is_safe(name) and await larder.fetch(name)))
            case Bring(no=no, recording=name):
                await self._tell(Done(no, _is_safe(name) and await larder.bring(name)))

    async def _tell(self, word: words.FromNode) -> None:
        if self._messages is not None:
            with suppress(ConnectionError, ClientError):
                await self._messages.send_str(words.write(word))

    async def _tell_standing(self) -> None:
        """Tell how the Asterisk stands, which trunks it knows, and how they are registered, whenever that changes."""
        told: Standing | None = None
        known: frozenset[str] = frozenset()
        registered: Mapping[str, Registration] = {}
        while True:
            standing = self.supervisor.standing
            if standing != told:
                told = standing
                await self._tell(words.Stands(standing.state, standing.why, standing.version))
            if self.supervisor.known != known:
                known = self.supervisor.known
                await self._tell(words.Knows(sorted(known)))
            if self._registrations.stands != registered:
                registered = self._registrations.stands
                await self._tell(words.Registers(dict(registered)))
            await self._clock.sleep(_TELL_SECONDS)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _instance_of(keep: Keep) -> str:
    """Return what tells this node from others of its name: those that a copy of its folder would make, too."""
    machine = ""
    with suppress(OSError):
        machine = _MACHINE.read_text("ascii", "replace")
    return hashlib.sha256(f"{keep.secret} {machine}".encode()).hexdigest()[:32]


def _is_safe(name: str) -> bool:
    """Tell whether a name leads out of no folder."""
    return re.fullmatch(words.SAFE_NAME, name) is not None
