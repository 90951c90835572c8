"""What one session submits: what is not written yet, what waits for its answer, and what is answered too late."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from callsheet import meters
from callsheet.carriers.base import Accepted, Forbidden, InvalidMessage, NotConnected, Receipt, SendError, Throttled
from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.commands import Status
from callsheet.carriers.smpp.congestion import Congestion
from callsheet.carriers.smpp.failures import Unencodable
from callsheet.carriers.smpp.pdu import Answer, Pdu, encode_message
from callsheet.carriers.smpp.sending import LINK_DROPPED, Sending
from callsheet.carriers.smpp.statuses import error_of
from callsheet.clock import Clock
from callsheet.core.attempt import INCOMPLETE, Kind

RETRY_SECONDS: Final = 0.25
"""After which time a refused part is offered again, when the carrier has taken others of the same text."""
MOST_LATE: Final = 10_000
"""How many messages without an answer are remembered, in case that it comes after all."""

Tell = Callable[[Receipt], None]


class Outgoing:
    """The messages of one session, from `submit` to their end.

    A text that nothing was written of ends as NotConnected when the link goes, which is safe to send again; one of
    which something was written and not answered ends as NoAnswer, and is never sent again from here.
    """

    def __init__(
        self, account: SmppAccount, clock: Clock, number: Callable[[], int], write: Callable[[bytes], None], tell: Tell
    ) -> None:
        self.congestion = Congestion(account.window)
        self.may_write = False
        self._clock = clock
        self._number = number
        self._write = write
        self._tell = tell
        self._least_seconds = account.answer_seconds / 2
        self._latest = 0
        self._backlog: deque[tuple[Sending, int]] = deque()
        # In the order of their deadlines: each got the same time.
        self._open: dict[Sending, None] = {}
        self._window: dict[int, Sending] = {}
        self._late: dict[int, Sending] = {}
        self._is_due = False
        self.quiet = asyncio.Event()
        self.quiet.set()

    @property
    def in_flight(self) -> int:
        """How many messages are not ended."""
        return len(self._open)

    @property
    def load(self) -> int:
        """How many parts wait, for the wire or for an answer."""
        return len(self._window) + len(self._backlog)

    def room(self) -> int:
        """Return how many more would be written at once; less than zero: so many wait already."""
        return (0 if self.congestion.held_for(self._clock.monotonic()) else self.congestion.allowed) - self.load

    def submit(self, sending: Sending) -> None:
        """Take a message; it leaves at the end of this turn of the loop, when there is room."""
        self._open[sending] = None
        self.quiet.clear()
        self._backlog.extend((sending, part) for part in range(len(sending.parts)))
        self._plan()

    def _plan(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write what there is room for, in one go."""
        self._is_due = False
        if not self.may_write or not self._backlog:
            return
        held = self.congestion.held_for(self._clock.monotonic())
        if held:
            self._is_due = True
            asyncio.get_running_loop().call_later(held, self.flush)
            return
        if written := list(self._written()):
            self._write(b"".join(written))

    def _written(self) -> Iterator[bytes]:
        room = self.congestion.allowed - len(self._window)
        latest_begin = self._clock.monotonic() + self._least_seconds
        while room > 0 and self._backlog:
            sending, part = self._backlog.popleft()
            if sending.ended or sending.is_spoiled:
                continue
            if sending.deadline < latest_begin and not sending.is_begun:
                # It waited so long for its turn that its answer would hardly come in time: it is given back.
                self._end(sending, untouched=Throttled("window_full"))
                continue
            if not sending.may_leave():
                self._end(sending, untouched=Forbidden())
                continue
            sequence = self._latest = self._number()
            self._window[sequence] = sending
            sending.write(part, sequence)
            try:
                yield encode_message(c.SUBMIT_SM, sequence, sending.parts[part])
            except Unencodable:
                self._refuse(sequence, sending, InvalidMessage("unencodable"))
                continue
            room -= 1

    def answered(self, pdu: Pdu) -> bool:
        """Take the answer to a `submit_sm`, or to something else with its number; false: nothing of ours has it."""
        sequence = pdu.sequence
        sending = self._window.pop(sequence, None)
        if sending is None:
            return self._answered_late(pdu)
        if pdu.status or pdu.command == c.GENERIC_NACK:
            self._refuse(sequence, sending, error_of(pdu.status or Status.INVALID_COMMAND))
        else:
            self.congestion.taken()
            sending.take(sequence, _id_in(pdu))
            if not sending.on_wire:
                self._judge(sending)
        if self._backlog:
            self._plan()
        return True

    def _refuse(self, sequence: int, sending: Sending, error: SendError) -> None:
        self._window.pop(sequence, None)
        if isinstance(error, Throttled):
            self.congestion.throttled(sequence, self._latest, self._clock.monotonic())
        sending.refuse(sequence, error)
        if not sending.on_wire:
            self._judge(sending)

    def _judge(self, sending: Sending) -> None:
        """Look at a message that waits for no answer: it is done, refused, or gone on with."""
        if sending.ids and not sending.is_spoiled:
            if sending.unwritten:
                return
            if sending.errors:
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._retry, sending)
                return
        self._end(sending)

    def _retry(self, sending: Sending) -> None:
        if not sending.ended:
            self._backlog.extendleft((sending, part) for part in reversed(sending.retry()))
            self.flush()

    def expire(self, now: float) -> None:
        """End what has had its time, and keep its numbers: an answer may come late."""
        while self._open and (sending := next(iter(self._open))).deadline <= now:
            for sequence in sending.on_wire:
                del self._window[sequence]
                self._late[sequence] = sending
            self._end(sending, "no_answer", Throttled("window_full"))
        while len(self._late) > MOST_LATE:
            del self._late[next(iter(self._late))]

    def _answered_late(self, pdu: Pdu) -> bool:
        sending = self._late.pop(pdu.sequence, None)
        if sending is None:
            return False
        meters.smpp_troubles.labels("late_answer").inc()
        if pdu.status:
            sending.refuse(pdu.sequence, error_of(pdu.status))
        else:
            sending.take(pdu.sequence, _id_in(pdu))
        if not sending.on_wire:
            self._tell_late(sending)
        return True

    def _tell_late(self, sending: Sending) -> None:
        """Say of a message that was given up what is known now."""
        answer, is_incomplete = sending.verdict()
        if isinstance(answer, Accepted):
            told = self._receipt(sending, answer.carrier_id, Kind.accepted, "answered_late")
            self._tell(told._replace(part_ids=answer.carrier_ids))
            if is_incomplete:
                self._tell(self._receipt(sending, answer.carrier_id, Kind.undelivered, INCOMPLETE))
        else:
            self._tell(self._receipt(sending, "", answer.kind, answer.code))

    def begin_nothing(self) -> None:
        """Give back what nothing was written of; the rest is written to its end."""
        for sending in [one for one in self._open if not one.is_begun]:
            self._end(sending, untouched=NotConnected("closing", cut_off=True))

    def fall(self) -> None:
        """The link is gone: end everything."""
        self.may_write = False
        for sending in list(self._open):
            self._end(sending, LINK_DROPPED, NotConnected(LINK_DROPPED, cut_off=True))
        self._backlog.clear()
        self._window.clear()
        self._late.clear()

    def _end(self, sending: Sending, silence: str = "", untouched: SendError | None = None) -> None:
        del self._open[sending]
        answer, is_incomplete = sending.verdict(silence, untouched)
        sending.end(answer)
        if is_incomplete and isinstance(answer, Accepted):
            self._tell(self._receipt(sending, answer.carrier_id, Kind.undelivered, INCOMPLETE))
        if not self._open:
            self.quiet.set()

    def _receipt(self, sending: Sending, carrier_id: str, kind: Kind, code: str) -> Receipt:
        reference = sending.message.reference
        return Receipt(reference, carrier_id, kind, self._clock.now(), code, number=sending.message.to)


def _id_in(pdu: Pdu) -> str:
    """Return the id that the carrier gave; some give none."""
    return pdu.body.text if isinstance(pdu.body, Answer) else ""
