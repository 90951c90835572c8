"""A session: one connection, bound, from its first octet to its last.

Everything happens in callbacks of the event loop; no message has a task of its own. One timer looks at deadlines and at
silence. Whatever the other side sends, it is this session alone that ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, cast

import structlog

from callsheet import meters
from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.commands import Status
from callsheet.carriers.smpp.ear import Ear
from callsheet.carriers.smpp.failures import PduError
from callsheet.carriers.smpp.outgoing import Outgoing
from callsheet.carriers.smpp.pdu import (
    LAST_SEQUENCE,
    Answer,
    Bind,
    Data,
    Message,
    Pdu,
    acknowledge,
    answer_to,
    encode,
    refuse,
)
from callsheet.carriers.smpp.sending import Sending
from callsheet.carriers.smpp.statuses import words_of_bind
from callsheet.carriers.smpp.stream import Decoder
from callsheet.clock import Clock

log = structlog.get_logger()

MOST_UNREADABLE: Final = 100
"""So many PDUs of a session may be unreadable, each for itself; then it is another protocol, or an attack."""
MOST_UNSENT_OCTETS: Final = 4 << 20
"""Of what the other side does not read; then it does not read."""
LONGEST_TICK_SECONDS: Final = 0.5
UNBIND_SECONDS: Final = 5.0
"""How long the answer to our unbind, or the closing of the connection, may take."""
PEER_DRAIN_SECONDS: Final = 2.0
"""How long we wait for answers that the other side owes us, when it says that it wants to go."""


class Role(StrEnum):
    """What a session is for."""

    transceiver = "transceiver"
    transmitter = "transmitter"
    receiver = "receiver"

    @property
    def sends(self) -> bool:
        """Whether messages can be submitted on it."""
        return self is not Role.receiver


_BINDS: Final[Mapping[Role, int]] = {
    Role.transceiver: c.BIND_TRANSCEIVER,
    Role.transmitter: c.BIND_TRANSMITTER,
    Role.receiver: c.BIND_RECEIVER,
}
_BIND_ANSWERS: Final = frozenset(command | c.RESPONSE for command in _BINDS.values())
_ALERT_NOTIFICATION: Final = 0x00000102
_OUTBIND: Final = 0x0000000B


class BindRefused(Exception):
    """The other side does not let us in; `status` says why."""

    def __init__(self, status: int) -> None:
        """Keep the status."""
        self.status = status
        super().__init__(words_of_bind(status))


class LinkLost(ConnectionError):
    """The connection ended before it was bound."""


class Session(asyncio.Protocol):
    """One connection: made by the event loop, bound by itself as soon as it is there."""

    def __init__(self, account: SmppAccount, role: Role, clock: Clock, ear: Ear) -> None:
        self.role = role
        self.bound: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """How the other side calls itself. Raises BindRefused and LinkLost."""
        self.is_bound = False
        """Whether it is bound, and its connection there."""
        self.gone = asyncio.Event()
        self.why = ""
        """Why it ended, in words for people."""
        self.out = Outgoing(account, clock, self._number, self._write, ear.tell)
        self._account = account
        self._sends = role.sends
        self._clock = clock
        self._ear = ear
        self._decoder = Decoder()
        self._sequence = 0
        self._unreadable = 0
        self._answers: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._heard_at = self._asked_at = clock.monotonic()
        self._leaving: asyncio.Task[None] | None = None
        self._unbound = asyncio.Event()

    @property
    def is_usable(self) -> bool:
        """Whether messages may be submitted on it."""
        return self._sends and self.is_bound and self._leaving is None

    def submit(self, sending: Sending) -> None:
        """Take a message."""
        self.out.submit(sending)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bind."""
        self._transport = cast("asyncio.Transport", transport)
        account = self._account
        bind = Bind(
            account.system_id,
            account.password.get_secret_value(),
            account.system_type,
            address_range=account.address_range,
        )
        self._write(encode(Pdu(_BINDS[self.role], self._number(), 0, bind)))

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        self._heard_at = self._clock.monotonic()
        while not self.gone.is_set():
            try:
                for pdu in self._decoder.feed(data):
                    self._take(pdu)
            except PduError as error:
                self._refuse(error)
                data = b""
            else:
                return

    def pause_writing(self) -> None:
        """Stop submitting: the other side reads too slowly."""
        self.out.may_write = False

    def resume_writing(self) -> None:
        """Go on submitting."""
        self.out.may_write = self.is_bound
        self.out.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """End all that is open."""
        if self.gone.is_set():
            return
        if self._ticking:
            self._ticking.cancel()
        self.why = self.why or (f"the connection broke ({type(exc).__name__})" if exc else "it closed the connection")
        if not self.bound.done():
            self.bound.set_exception(LinkLost(self.why))
            self.bound.exception()  # nobody may be waiting any more
        self.is_bound = False
        self.gone.set()
        self._unbound.set()
        self.out.fall()
        self._ear.fall(self)

    # What the other side sends.

    def _take(self, pdu: Pdu) -> None:
        command = pdu.command
        if command in (c.SUBMIT_SM_RESP, c.GENERIC_NACK):
            if not self.out.answered(pdu):
                self._take_oddity(pdu)
        elif command in (c.DELIVER_SM, c.DATA_SM):
            self._hear(pdu)
        elif command == c.ENQUIRE_LINK:
            self._write(answer_to(pdu))
        elif command == c.ENQUIRE_LINK_RESP:
            return  # that it came was all there was to it
        elif command in _BIND_ANSWERS and not self.bound.done():
            self._take_bind_answer(pdu)
        elif command == c.UNBIND:
            self._leave_politely(pdu)
        elif command == c.UNBIND_RESP:
            self._unbound.set()
        else:
            self._take_oddity(pdu)

    def _take_bind_answer(self, pdu: Pdu) -> None:
        if pdu.status:
            self.bound.set_exception(BindRefused(pdu.status))
            self.end(words_of_bind(pdu.status))
            return
        self.is_bound = True
        self.bound.set_result(pdu.body.text if isinstance(pdu.body, Answer) else "")
        self.out.may_write = True
        self._tick()

    def _take_oddity(self, pdu: Pdu) -> None:
        """Bear what nobody asked for: a response without a request, a request that is none of ours."""
        if pdu.command & c.RESPONSE:
            meters.smpp_troubles.labels("unsolicited").inc()
            if pdu.command == c.GENERIC_NACK and not self.bound.done():
                self.bound.set_exception(BindRefused(pdu.status or Status.INVALID_COMMAND))
                self.end(words_of_bind(pdu.status))
        elif pdu.command not in (_ALERT_NOTIFICATION, _OUTBIND):  # these two have no response
            meters.smpp_troubles.labels("unknown").inc()
            self._write(encode(Pdu(c.GENERIC_NACK, pdu.sequence, Status.INVALID_COMMAND)))

    def _hear(self, pdu: Pdu) -> None:
        body = pdu.body.as_message() if isinstance(pdu.body, Data) else pdu.body
        if not isinstance(body, Message) or not self.is_bound:
            self._write(acknowledge(pdu, Status.INCORRECT_BIND))
        elif not self._ear.hear(self, pdu, body):
            self.answer(pdu, Status.RECEIVER_TEMPORARY_ERROR)

    def answer(self, pdu: Pdu, status: int = Status.OK) -> bool:
        """Acknowledge, or refuse, what was heard; false: the link is gone."""
        if self.gone.is_set():
            return False
        if not self._answers:
            asyncio.get_running_loop().call_soon(self._say)
        self._answers.append(acknowledge(pdu, status))
        return True

    def _say(self) -> None:
        """Write all answers of this turn of the loop in one go."""
        answers, self._answers = self._answers, []
        self._write(b"".join(answers))

    def _refuse(self, error: PduError) -> None:
        """Say that a PDU could not be read, and end when nothing behind it can be."""
        meters.smpp_troubles.labels("unreadable").inc()
        self._unreadable += 1
        if not error.command & c.RESPONSE:
            self._write(refuse(error))
        if error.ends_session or self._unreadable >= MOST_UNREADABLE:
            self.end(f"what it sends cannot be read: {error}")

    # What we say.

    def _number(self) -> int:
        self._sequence = 1 if self._sequence >= LAST_SEQUENCE else self._sequence + 1
        return self._sequence

    def _write(self, octets: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(octets)
        if transport.get_write_buffer_size() > MOST_UNSENT_OCTETS:
            self.end("it does not read what it is sent")

    def _tick(self) -> None:
        """Look at deadlines and at silence, and again a little later."""
        account, now = self._account, self._clock.monotonic()
        seconds = min(LONGEST_TICK_SECONDS, account.answer_seconds / 10, account.enquire_link_seconds / 4)
        self._ticking = asyncio.get_running_loop().call_later(seconds, self._tick)
        self.out.expire(now)
        if now - self._heard_at > account.enquire_link_seconds + account.answer_seconds:
            self.end("it fell silent")
            return
        if now - max(self._heard_at, self._asked_at) >= account.enquire_link_seconds:
            self._asked_at = now
            self._write(encode(Pdu(c.ENQUIRE_LINK, self._number())))

    # The end.

    def end(self, why: str) -> None:
        """End the connection at once."""
        self.why = self.why or why
        if self._transport is not None:
            self._transport.abort()
        # The transport says so a moment later; until then nothing of this session may be used.
        self.connection_lost(None)

    async def leave(self) -> None:
        """Unbind: begin nothing more, take the answers that are owed, and say good-bye. Returns when it is gone."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave(self._account.answer_seconds, None))
        await asyncio.shield(self._leaving)

    def _leave_politely(self, pdu: Pdu) -> None:
        """Let the other side go: it has a moment to answer what it owes."""
        if self._leaving is not None:
            self._write(answer_to(pdu))
            return
        self.why = "it unbound"
        seconds = min(PEER_DRAIN_SECONDS, self._account.answer_seconds)
        self._leaving = asyncio.create_task(self._leave(seconds, pdu))

    async def _leave(self, seconds: float, asked: Pdu | None) -> None:
        self.why = self.why or "we unbound"
        self.out.begin_nothing()
        await _at_most(seconds, self.out.quiet.wait)
        await _at_most(seconds, self._ear.quiet.wait)
        self._say()
        if asked is not None:
            self._write(answer_to(asked))
        elif self.is_bound:
            self._write(encode(Pdu(c.UNBIND, self._number())))
            await _at_most(min(seconds, UNBIND_SECONDS), self._unbound.wait)
        if self._transport is not None:
            self._transport.close()
        await _at_most(min(seconds, UNBIND_SECONDS), self.gone.wait)
        self.end(self.why)


async def _at_most(seconds: float, wait: Callable[[], object]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await wait()  # type: ignore[misc]
    except TimeoutError:
        pass
