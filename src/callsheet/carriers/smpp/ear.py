"""The ear of a carrier: what its sessions hear is told in batches, and acknowledged after it was stored.

A `deliver_sm` that could not be stored is answered with ESME_RX_T_APPN, upon which the carrier keeps it; one whose
session has ended is stored all the same, and told again by the carrier.

A reply that says STOP is acknowledged when nothing can leave any more, which takes a lease when a node has died.
Neither receipts nor what others reply wait for it: several batches of replies are on their way at once. Only what the
same number says next waits, so that START is heard after STOP.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from callsheet import meters
from callsheet.carriers.base import Acknowledged, Hear, Heard, Inbound, Receipt
from callsheet.carriers.ending import is_ending
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.addresses import is_national, number_of
from callsheet.carriers.smpp.alphabets import Alphabet
from callsheet.carriers.smpp.commands import Status
from callsheet.carriers.smpp.failures import UnreadableReceipt
from callsheet.carriers.smpp.pdu import Message, Pdu
from callsheet.carriers.smpp.reading import read_text
from callsheet.carriers.smpp.receipts import is_receipt, read_receipt
from callsheet.carriers.smpp.repetitions import Repetitions
from callsheet.clock import Clock

log = structlog.get_logger()

MOST_HEARD: Final = 20_000
"""More are not taken while these are not stored: the carrier keeps them, and tells them again minutes later."""
BATCH: Final = 2_000
"""How many are stored at once; the recorder writes no larger batches."""
MOST_ON_THEIR_WAY: Final = 100
"""How many batches of replies are told at once."""
GATHER_SECONDS: Final = 0.03
"""For each batch on its way, so long the next one is gathered: what a batch costs hardly depends on how many are in it.
Who comes alone waits for nobody."""
LONGEST_GATHER_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 0.5
"""How long to wait before our own news are told again, when they could not be stored."""
DOUBTFUL_SECONDS: Final = 2.0
"""An answer that was written so shortly before its link broke may not have arrived."""
_TELLER_BITS: Final = 64


class Speaker(Protocol):
    """A session, as far as the ear knows it."""

    def answer(self, pdu: Pdu, status: int = Status.OK) -> bool:
        """Acknowledge, or refuse, what was heard; false: the link is gone."""


@dataclass(slots=True, eq=False)
class _Entry:
    heard: Heard | None
    """None: there is nothing to store."""
    speaker: Speaker | None = None
    pdu: Pdu | None = None
    digest: bytes = b""
    """Empty: it is no reply."""
    number: str = ""
    """Whose reply it is."""


class Ear:
    """What the sessions of a carrier hear."""

    def __init__(self, account: SmppAccount, clock: Clock, rng: random.Random) -> None:
        self._account = account
        self._clock = clock
        self._zero = Alphabet(account.data_coding_0)
        self._repetitions = Repetitions(rng)
        self._teller = f"{rng.getrandbits(_TELLER_BITS):016x}"
        self._news: deque[_Entry] = deque()
        self._replies: deque[_Entry] = deque()
        self._telling: dict[_Entry, None] = {}
        self._heard_out: set[str] = set()
        """Whose replies are on their way."""
        self._on_their_way = 0
        self._answered: deque[tuple[float, _Entry]] = deque()
        """Replies that were acknowledged a moment ago, and when: the carrier may not know it."""
        self._looking: asyncio.TimerHandle | None = None
        self._more_news = asyncio.Event()
        self._more_replies = asyncio.Event()
        self.quiet = asyncio.Event()
        """Nothing waits to be stored or answered."""
        self.quiet.set()

    def hear(self, speaker: Speaker, pdu: Pdu, message: Message) -> bool:
        """Take a `deliver_sm`; false: there is no room for it now."""
        if self.waiting >= MOST_HEARD:
            return False
        entry = _Entry(None, speaker, pdu)
        if is_receipt(message):
            try:
                entry.heard = read_receipt(message, self._clock.now(), self._account.receipt_id)
            except UnreadableReceipt:
                # Told again it would be no better.
                meters.smpp_troubles.labels("receipt").inc()
        else:
            entry.digest = self._repetitions.digest(message)
            entry.heard = reply = self._inbound(message, entry.digest)
            entry.number = reply.number
        self._add(entry)
        return True

    def _inbound(self, message: Message, digest: bytes) -> Inbound:
        text, part = read_text(message, self._zero)
        return Inbound(
            self._repetitions.name(digest, self._clock.monotonic()),
            number_of(message.source_ton, message.source),
            number_of(message.destination_ton, message.destination),
            text,
            self._clock.now(),
            part,
            teller=self._teller,
            is_national=is_national(message.source_ton),
        )

    def tell(self, receipt: Receipt) -> None:
        """Take what we know by ourselves, and no carrier repeats."""
        self._add(_Entry(receipt))

    def _add(self, entry: _Entry) -> None:
        self.quiet.clear()
        if entry.digest:
            self._replies.append(entry)
            self._more_replies.set()
        else:
            self._news.append(entry)
            self._more_news.set()

    @property
    def waiting(self) -> int:
        """How many are not stored, or not answered."""
        return len(self._news) + len(self._replies) + len(self._telling)

    def fall(self, speaker: Speaker) -> None:
        """A session has ended: what it was not answered, or a moment ago only, may be told again."""
        now = self._clock.monotonic()
        self._trust_answered(now)
        lately = [entry for _, entry in self._answered]
        self._answered = deque(one for one in self._answered if one[1].speaker is not speaker)
        for entry in (*lately, *self._telling, *self._replies):
            if entry.speaker is speaker:
                self._expect(entry, now)

    def _expect(self, entry: _Entry, now: float) -> None:
        if isinstance(entry.heard, Inbound):
            self._repetitions.expect(entry.heard.inbound_id, entry.digest, now)

    async def run(self, hear: Hear) -> None:
        """Tell, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tell_news(hear), name="smpp news")
                group.create_task(self._tell_replies(hear, group), name="smpp replies")
        finally:
            if self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def _tell_news(self, hear: Hear) -> None:
        """Tell receipts, and what we know by ourselves, batch by batch."""
        while True:
            await self._more_news.wait()
            entries = [self._news.popleft() for _ in range(min(BATCH, len(self._news)))]
            self._telling.update(dict.fromkeys(entries))
            again = await self._tell(hear, entries)
            self._news.extendleft(reversed(again))
            if again:
                await self._clock.sleep(AGAIN_SECONDS)
            if not self._news:
                self._more_news.clear()
            self._look_whether_quiet()

    async def _tell_replies(self, hear: Hear, group: asyncio.TaskGroup) -> None:
        """Tell replies; who says STOP waits for nobody else's STOP."""
        while True:
            self._more_replies.clear()
            entries = self._next_replies() if self._on_their_way < MOST_ON_THEIR_WAY else []
            if entries:
                self._on_their_way += 1
                group.create_task(self._tell_batch(hear, entries), name="smpp reply")
                await self._clock.sleep(min(LONGEST_GATHER_SECONDS, GATHER_SECONDS * self._on_their_way))
            else:
                await self._more_replies.wait()

    def _next_replies(self) -> list[_Entry]:
        """Take the replies of those of whom none is on its way."""
        taken: list[_Entry] = []
        kept: list[_Entry] = []
        while self._replies and len(taken) < BATCH:
            entry = self._replies.popleft()
            (kept if entry.number in self._heard_out else taken).append(entry)
        self._replies.extendleft(reversed(kept))
        self._heard_out.update(entry.number for entry in taken)
        # From now on, and not only when their task begins: what waits is always either there or here.
        self._telling.update(dict.fromkeys(taken))
        return taken

    async def _tell_batch(self, hear: Hear, entries: Sequence[_Entry]) -> None:
        try:
            await self._tell(hear, entries)
        finally:
            self._heard_out.difference_update([entry.number for entry in entries])
            self._on_their_way -= 1
            self._more_replies.set()
            self._look_whether_quiet()

    def _look_whether_quiet(self) -> None:
        if not self.waiting:
            self.quiet.set()

    async def _tell(self, hear: Hear, entries: Sequence[_Entry]) -> list[_Entry]:
        """Tell entries that were taken, and answer them; return our own news, if they were not stored."""
        status, heard = Status.OK, [entry.heard for entry in entries if entry.heard is not None]
        try:
            if heard:
                await hear(heard)
        except (Exception, asyncio.CancelledError) as error:  # whatever: the carrier keeps what we do not acknowledge
            if isinstance(error, asyncio.CancelledError) and is_ending():
                raise
            log.warning("smpp.not_heard", count=len(heard), error=type(error).__name__)
            status = Status.RECEIVER_TEMPORARY_ERROR
        return self._answer(entries, status)

    def _answer(self, entries: Sequence[_Entry], status: Status) -> list[_Entry]:
        """Answer what was told; return our own news, if they were not stored."""
        again, now = [], self._clock.monotonic()
        for entry in entries:
            if entry.speaker is None or entry.pdu is None:
                again.append(entry)
            elif entry.speaker.answer(entry.pdu, status):
                if status:
                    self._expect(entry, now)
                elif entry.digest:
                    self._answered.append((now, entry))
            del self._telling[entry]
        self._trust_answered(now)
        return again if status else []

    def _trust_answered(self, now: float) -> None:
        """Tell which replies the carrier knows that we have: those whose link went on after the answer."""
        while self._answered and self._answered[0][0] < now - DOUBTFUL_SECONDS:
            _, entry = self._answered.popleft()
            if isinstance(entry.heard, Inbound):
                self._add(_Entry(Acknowledged(entry.heard.inbound_id)))
        if self._answered and self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(DOUBTFUL_SECONDS, self._look_again)

    def _look_again(self) -> None:
        self._looking = None
        self._trust_answered(self._clock.monotonic())


class DeafEar(Ear):
    """Takes nothing: the carrier keeps what it has for us. For a session that only tries the account."""

    def hear(self, speaker: Speaker, pdu: Pdu, message: Message) -> bool:  # noqa: ARG002
        """Refuse it for now."""
        return False
