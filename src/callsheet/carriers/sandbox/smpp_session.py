"""One connection to the SMPP port: binds, takes messages, and delivers receipts and replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import structlog

from callsheet.carriers.base import SendError
from callsheet.carriers.sandbox.handsets import Handsets
from callsheet.carriers.sandbox.ledger import Telling
from callsheet.carriers.sandbox.mailbox import Mailbox
from callsheet.carriers.sandbox.origin import Origin
from callsheet.carriers.sandbox.smpp_words import STANDINGS, deliver_sm, origin_of, status_of
from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.addresses import number_of
from callsheet.carriers.smpp.commands import Status
from callsheet.carriers.smpp.failures import PduError
from callsheet.carriers.smpp.pdu import (
    LAST_SEQUENCE,
    Bind,
    Data,
    Message,
    Pdu,
    Query,
    QueryAnswer,
    answer_to,
    encode,
    encode_message,
    refuse,
)
from callsheet.carriers.smpp.reading import read_text
from callsheet.carriers.smpp.stream import Decoder
from callsheet.carriers.smpp.tlv import SC_INTERFACE_VERSION, Tlv

log = structlog.get_logger()

SYSTEM_ID: Final = "callsheet"
_WINDOW: Final = 100
_TICK_SECONDS: Final = 10.0
_SILENT_TICKS: Final = 6
"""After a minute without an octet, three questions unanswered among it, nobody is there."""
_REFUSED_FOR_GOOD: Final = frozenset({Status.RECEIVER_PERMANENT_ERROR, Status.RECEIVER_REJECTED})
_NOISE_OCTETS: Final = 64


class Account(NamedTuple):
    """Who may bind; empty: anybody, with any password."""

    system_id: str = ""
    password: str = ""


class SmppSession(asyncio.Protocol):
    """One connection. Whatever it sends, it alone is closed."""

    def __init__(self, handsets: Handsets, account: Account, gone: Callable[[SmppSession], None]) -> None:
        self._handsets = handsets
        self._account = account
        self._gone = gone
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._bound = 0
        self._system_id = ""
        self._mailbox: Mailbox | None = None
        self._under_way: dict[int, tuple[Telling, int]] = {}
        self._sequence = 0
        self._ticks = self._heard_at = 0
        self._ticking: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._full = False

    @property
    def is_bound(self) -> bool:
        """Whether somebody is bound."""
        return bool(self._bound)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ticking = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (why it ended changes nothing)
        """Give back what was not acknowledged."""
        self._transport = None
        if self._ticking is not None:
            self._ticking.cancel()
        if self._mailbox is not None:
            self._mailbox.detach(self, [telling for telling, _ in self._under_way.values()])
            self._mailbox = None
        self._gone(self)

    def pause_writing(self) -> None:
        """Read and tell nothing more to somebody who does not read."""
        self._full = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._full = False
        if self._transport is not None:
            self._transport.resume_reading()
        if self._mailbox is not None:
            self._mailbox.pump()

    def data_received(self, data: bytes) -> None:
        """Read what is whole, and go on behind what cannot be read."""
        self._heard_at = self._ticks
        while self._transport is not None and not self._transport.is_closing():
            try:
                for pdu in self._decoder.feed(data):
                    self._take(pdu)
            except PduError as error:
                log.warning("sandbox.bad_pdu", error=type(error).__name__, command=error.command)
                self._write(refuse(error))
                if error.ends_session:
                    self._transport.close()
                data = b""
            else:
                return

    def has_room(self) -> bool:
        """Say whether one more receipt may be under way."""
        return len(self._under_way) < _WINDOW and not self._full and self._transport is not None

    def deliver(self, telling: Telling) -> None:
        """Send a receipt or a reply."""
        self._sequence = self._sequence % LAST_SEQUENCE + 1
        self._under_way[self._sequence] = (telling, self._ticks)
        message = deliver_sm(telling, Origin.read(telling.reference))
        self._write(encode_message(c.DELIVER_SM, self._sequence, message))

    def cut(self) -> None:
        """Cut the link, without a word."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Say goodbye, and close once that is written."""
        if self._transport is not None:
            self._write(encode(Pdu(c.UNBIND, self._sequence % LAST_SEQUENCE + 1)))
            self._transport.close()

    def _write(self, octets: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def _take(self, pdu: Pdu) -> None:
        body = pdu.body
        if pdu.command & c.RESPONSE:
            self._hear_answer(pdu)
        elif isinstance(body, Bind):
            self._bind(pdu, body)
        elif pdu.command == c.ENQUIRE_LINK:
            self._write(answer_to(pdu))
        elif pdu.command == c.UNBIND:
            self._unbind(pdu)
        elif isinstance(body, Message | Data) and pdu.command != c.DELIVER_SM:
            message = body.as_message() if isinstance(body, Data) else body
            self._start(self._submit(pdu, message))
        elif isinstance(body, Query):
            self._query(pdu, body)
        elif pdu.command == c.CANCEL_SM:
            self._write(answer_to(pdu, status=Status.CANCEL_FAILED))
        else:
            self._write(encode(Pdu(c.GENERIC_NACK, pdu.sequence, Status.INVALID_COMMAND)))

    def _bind(self, pdu: Pdu, bind: Bind) -> None:
        status = self._judge(bind)
        if status is not Status.OK:
            self._write(answer_to(pdu, status=status))
            return
        self._bound = pdu.command
        self._system_id = bind.system_id
        self._write(answer_to(pdu, SYSTEM_ID, tlvs=(Tlv(SC_INTERFACE_VERSION, bytes((c.INTERFACE_VERSION,))),)))
        if pdu.command != c.BIND_TRANSMITTER:
            self._mailbox = self._handsets.mailbox(bind.system_id)
            self._mailbox.attach(self)

    def _judge(self, bind: Bind) -> Status:
        if self._bound:
            return Status.ALREADY_BOUND
        if self._handsets.misbehaviour.refuse_binds:
            return Status.BIND_FAILED
        if self._account.system_id and bind.system_id != self._account.system_id:
            return Status.INVALID_SYSTEM_ID
        if self._account.password and bind.password != self._account.password:
            return Status.INVALID_PASSWORD
        return Status.OK

    def _unbind(self, pdu: Pdu) -> None:
        self._write(answer_to(pdu))
        if self._transport is not None:
            self._transport.close()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _submit(self, pdu: Pdu, message: Message) -> None:
        """Take a message and answer; what the moment's misbehaviour takes away is taken after it is in the ledger."""
        carrier_id, status = await self._accept(message)
        wrong = self._handsets.misbehaviour
        if wrong.slow_seconds:
            await self._handsets.clock.sleep(wrong.slow_seconds)
        if carrier_id is not None:
            if wrong.cuts_now():
                self._handsets.cut()
            if wrong.due("withhold_answers"):
                return
            if wrong.due("garbage"):
                self._write(self._handsets.rng.randbytes(_NOISE_OCTETS))
                return
        if status is not None:
            self._write(answer_to(pdu, carrier_id, status))

    async def _accept(self, message: Message) -> tuple[str | None, Status | None]:
        """Return the id of a message that is in the ledger now, and the status of the answer: None, none."""
        if self._bound not in (c.BIND_TRANSMITTER, c.BIND_TRANSCEIVER):
            return None, Status.INCORRECT_BIND
        if not message.destination.strip():
            return None, Status.INVALID_DESTINATION
        if self._handsets.misbehaviour.due("throttle"):
            return None, Status.THROTTLED
        text, part = read_text(message)
        to = number_of(message.destination_ton, message.destination)
        sender = number_of(message.source_ton, message.source)
        try:
            accepted = await self._handsets.take(origin_of(message, self._system_id, part), to, sender, text)
        except SendError as error:
            return None, status_of(error)
        return accepted.carrier_id, Status.OK

    def _query(self, pdu: Pdu, query: Query) -> None:
        digits = query.message_id.removeprefix("sb-")
        number = int(digits) if digits.isdecimal() and len(digits) < 18 else 0
        found = self._handsets.ledger.outbox(max(0, number - 1), 1)
        if not found or found[0].carrier_id != query.message_id:
            self._write(answer_to(pdu, status=Status.QUERY_FAILED))
            return
        body = QueryAnswer(query.message_id, "", STANDINGS[found[0].status], 0)
        self._write(encode(Pdu(c.QUERY_SM_RESP, pdu.sequence, 0, body)))

    def _hear_answer(self, pdu: Pdu) -> None:
        """Acknowledge what was heard; an answer to nothing that we said means nothing."""
        known = self._under_way.pop(pdu.sequence, None)
        if known is None or self._mailbox is None:
            return
        if pdu.command == c.DELIVER_SM_RESP and (pdu.status == Status.OK or pdu.status in _REFUSED_FOR_GOOD):
            self._mailbox.heard(known[0])
        else:
            self._mailbox.put_again(known[0])

    def _tick(self) -> None:
        """Ask whether somebody is there, and tell again what was not acknowledged for long."""
        self._ticks += 1
        self._ticking = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)
        if self._ticks - self._heard_at >= _SILENT_TICKS or (not self._bound and self._ticks >= _SILENT_TICKS):
            self.cut()
            return
        late = [sequence for sequence, (_, sent) in self._under_way.items() if self._ticks - sent > _SILENT_TICKS // 2]
        for sequence in late:
            telling, _ = self._under_way.pop(sequence)
            if self._mailbox is not None:
                self._mailbox.put_again(telling)
        if self._bound and self._ticks - self._heard_at >= _SILENT_TICKS // 2:
            self._sequence = self._sequence % LAST_SEQUENCE + 1
            self._write(encode(Pdu(c.ENQUIRE_LINK, self._sequence)))
