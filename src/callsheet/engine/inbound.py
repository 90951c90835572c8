"""The listener of all trunks: stores replies. A STOP is effective before the carrier hears that we have it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence

import structlog

from callsheet import meters
from callsheet.carriers.base import Inbound
from callsheet.clock import Clock
from callsheet.core.answering import CARRIER
from callsheet.core.attempt import as_said
from callsheet.core.campaign import Channel
from callsheet.core.errors import Unavailable
from callsheet.core.opting_out import OPTS_OUT, Word, read_reply
from callsheet.core.part import Part
from callsheet.core.phone import Number
from callsheet.engine.holds import Scope
from callsheet.engine.loop import Loop
from callsheet.engine.whose import whose_are
from callsheet.store.apps import Trunk
from callsheet.store.inbox import Told
from callsheet.store.parts import SealedReply
from callsheet.store.retold import copy_of
from callsheet.store.store import Store
from callsheet.store.vault import AppKey

log = structlog.get_logger()

TICK_SECONDS = 5.0

Forbid = Callable[[Scope], Awaitable[None]]
Bar = Callable[[Scope], None]


class Listener(Loop):
    """Hears what people reply to the senders of all trunks."""

    def __init__(
        self, store: Store, clock: Clock, forbid: Forbid, bar: Bar, *, tick_seconds: float = TICK_SECONDS
    ) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._forbid = forbid
        self._bar = bar
        self._tick_seconds = max(TICK_SECONDS, tick_seconds)
        self._stopped: list[tuple[int, bytes]] = []
        self._recalling: set[asyncio.Task[None]] = set()
        self.on_replies: Callable[[], None] | None = None
        """Called when replies wait to be taken (`Inbox.waiting`). Nobody: they are stored and shown, and wait not."""
        self.on_answers: Callable[[], None] = lambda: None
        """Called when answers of ours are due."""

    async def hear(self, trunk: Trunk, messages: Sequence[Inbound]) -> None:
        """Store replies to a trunk's senders; who says STOP gets nothing any more when this returns.

        All that came together is one transaction and one wait, so that a flood of STOPs is as fast as one.
        """
        key = self._store.vault.app(trunk.app)
        assert key is not None, "a reply to an app that was never opened"
        whose = await whose_are(self._store, trunk.app, key, messages)
        heard = [one for message, of in zip(messages, whose, strict=True) for one in _read(key, message, of)]
        answered = self.on_replies is not None
        told = await self._store.inbox.hear(
            trunk.app, trunk.no, heard, await self._store.hot.now(), somebody_answers=answered
        )
        self._tell(trunk.app, told)
        if told.stopped:
            # Also of those that we heard before: that time we may have died before it was effective.
            await self._forbid(Scope(trunk.app, persons=told.stopped))

    def hear_stopped(self, app: int, person: bytes) -> None:
        """Hear that a carrier does not send to a person who sent it a STOP: written down soon.

        Were that lost with the process, the carrier would say so at the next message.
        """
        self._stopped.append((app, person))
        self.wake()

    async def opt_out(self, app: int, persons: Collection[bytes]) -> None:
        """Write down that people sent a carrier a STOP; nothing leaves this node for them when this returns."""
        added = await self._store.opt_outs.add(app, Channel.sms, CARRIER, persons, await self._store.hot.now())
        self._forbid_soon(Scope(app, persons=frozenset(persons)))
        meters.opt_outs.inc(added)

    async def run(self) -> None:
        """Look after texts that do not become whole, and carriers' opt-outs, until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self.look()
            except Unavailable:
                log.warning("inbound.store_away")
            await self._rest(self._tick_seconds)
        if self._stopped:
            await self._opt_out()
        for task in self._recalling:
            task.cancel()
        await asyncio.gather(*self._recalling, return_exceptions=True)

    async def look(self) -> None:
        """Do what is due."""
        await self._opt_out()
        answered = self.on_replies is not None
        for app, told in await self._store.inbox.hear_overdue(await self._store.hot.now(), somebody_answers=answered):
            self._tell(app, told)
            if told.stopped:
                self._forbid_soon(Scope(app, persons=told.stopped))

    def _tell(self, app: int, told: Told) -> None:
        """Say what was heard."""
        for word, count in told.words.items():
            meters.replies.labels(word.value).inc(count)
        if told.opted_out:
            meters.opt_outs.inc(told.opted_out)
            log.info("contact.opted_out", app=app, count=told.opted_out)
        if told.answers:
            self.on_answers()
        if told.words.get(Word.none) and self.on_replies is not None:
            self.on_replies()

    def _forbid_soon(self, scope: Scope) -> None:
        """Make an opt-out effective on this node at once, and on others soon: no carrier waits for it."""
        self._bar(scope)
        task = asyncio.get_running_loop().create_task(self._recall(scope), name="recall")
        self._recalling.add(task)
        task.add_done_callback(self._recalling.discard)

    async def _recall(self, scope: Scope) -> None:
        try:
            await self._forbid(scope)
        except Unavailable:
            log.warning("inbound.store_away")

    async def _opt_out(self) -> None:
        """Write down whom carriers call opted out."""
        stopped, self._stopped = self._stopped, []
        by_app: dict[int, set[bytes]] = {}
        for app, person in stopped:
            by_app.setdefault(app, set()).add(person)
        try:
            for app, persons in by_app.items():
                await self.opt_out(app, persons)
        except Unavailable:
            self._stopped += stopped
            raise


def _read(key: AppKey, message: Inbound, whose: Sequence[Number]) -> list[SealedReply]:
    """Seal a reply, once for each whose it may be."""
    if not whose:
        lost = _close(key, message, as_said(message.number))._replace(part=None, is_nobodys=True)
        log.warning("inbound.bad_number")
        meters.unreadable_replies.labels(lost.word.value).inc()
        return [lost]
    first, *others = [_close(key, message, number.e164) for number in whose]
    if others and first.word is Word.start:
        # Nobody knows whose opt-out it takes back.
        first = first._replace(word=Word.none)
    also = [
        one._replace(inbound_id=copy_of(one.inbound_id), is_answered=True)
        for one in others
        if one.word in OPTS_OUT or one.part is not None
    ]
    return [first, *also]


def _close(key: AppKey, message: Inbound, number: str) -> SealedReply:
    """Seal a reply for the person of a number."""
    person = key.person(number)
    # Half of a pair of UTF-16 units, which some gateways cut off, is no character that can be stored.
    text = message.text.encode(errors="replace")
    return SealedReply(
        as_said(message.inbound_id) or _name(message, person, text),
        person,
        key.close_number(number, person),
        key.seal.close(text, person),
        as_said(message.sender),
        message.at,
        _word(message, text.decode()),
        message.part and Part.of(*message.part),
        message.word is not None,
        message.teller,
        _digest(key, message, person, text) if message.teller else b"",
    )


def _word(message: Inbound, text: str) -> Word:
    """Return what a reply says: what its carrier took it for, but for a STOP that only we see."""
    word = read_reply(text)
    return word if message.word is None or word in OPTS_OUT else message.word


def _digest(key: AppKey, message: Inbound, person: bytes, text: bytes) -> bytes:
    """Return what a message has in common with the same one under another id."""
    sender = message.sender.encode(errors="replace")
    return key.digest(b"\0".join((person, sender, str(message.part).encode(), text)))


def _name(message: Inbound, person: bytes, text: bytes) -> str:
    """Name a message that its carrier did not name: the same when it is told again."""
    said = b"\0".join((person, str(message.at).encode(), str(message.part).encode(), text))
    return hashlib.sha256(said).hexdigest()
