"""What waits for the wire is asked for at its first octet, and nothing is written that can do no good any more."""

import asyncio
from itertools import count

from callsheet.carriers.base import Accepted, Forbidden, NoAnswer, NotConnected, Receipt, SendError, Throttled
from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.outgoing import MOST_LATE, Outgoing
from callsheet.carriers.smpp.pdu import Message, Pdu
from callsheet.carriers.smpp.sending import Sending
from callsheet.carriers.smpp.stream import Decoder
from callsheet.clock import SystemClock
from carriers.smpp.rig import message

ANSWER_SECONDS = 4.0


class Later(SystemClock):
    """A clock that stands still until it is set on."""

    by = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.by


class Wire:
    """One session's messages, and what was written of them."""

    def __init__(self, window: int) -> None:
        account = SmppAccount.model_validate(
            {"host": "h", "system_id": "us", "password": "s", "window": window, "answer_seconds": ANSWER_SECONDS}
        )
        self.clock = Later()
        self.written: list[Pdu] = []
        self.answers: dict[int, Accepted | SendError] = {}
        self.forbidden: set[int] = set()
        self.told: list[Receipt] = []
        self._decoder = Decoder()
        numbers = count(1)
        self.out = Outgoing(account, self.clock, lambda: next(numbers), self._write, self.told.append)
        self.out.may_write = True

    def _write(self, octets: bytes) -> None:
        self.written += self._decoder.feed(octets)

    def submit(self, number: int, parts: int = 1) -> None:
        one = message(number, segments=parts)
        bodies = [Message("", 1, 1, "447700900999", 1, 1, one.to[1:], short_message=b"x")] * parts
        deadline = self.clock.monotonic() + ANSWER_SECONDS
        leave = lambda: number not in self.forbidden  # noqa: E731
        self.out.submit(Sending(one, bodies, leave, lambda answer: self.answers.update({number: answer}), deadline))
        self.out.flush()

    def answer(self, nth: int, status: int = 0) -> None:
        """Answer the n-th PDU that was written, from 0 on."""
        self.out.answered(Pdu(c.SUBMIT_SM | c.RESPONSE, self.written[nth].sequence, status, b""))
        self.out.flush()


async def test_what_was_forbidden_in_the_backlog_is_not_written():
    wire = Wire(1)
    wire.submit(1)
    wire.submit(2, parts=3)
    wire.submit(3)
    wire.forbidden.add(2)
    wire.answer(0)
    assert isinstance(wire.answers[2], Forbidden)
    wire.answer(1)
    assert isinstance(wire.answers[3], Accepted)
    assert len(wire.written) == 2
    assert wire.out.load == wire.out.in_flight == 0


async def test_a_text_that_was_begun_is_ended():
    wire = Wire(1)
    wire.submit(1, parts=3)
    wire.forbidden.add(1)
    for part in range(3):
        wire.answer(part)
    assert isinstance(wire.answers[1], Accepted)


async def test_no_further_part_is_written_of_a_text_that_was_given_up():
    wire = Wire(1)
    wire.submit(1, parts=3)
    wire.out.expire(wire.clock.monotonic() + ANSWER_SECONDS)
    assert isinstance(wire.answers[1], NoAnswer)
    wire.submit(2)
    assert len(wire.written) == 2
    wire.answer(1)
    assert isinstance(wire.answers[2], Accepted)


async def test_no_further_part_is_written_of_a_text_that_cannot_become_whole():
    wire = Wire(2)
    wire.submit(1, parts=4)
    wire.answer(0, c.Status.INVALID_DESTINATION)
    assert len(wire.written) == 2
    wire.answer(1, c.Status.INVALID_DESTINATION)
    assert isinstance(wire.answers[1], SendError)
    assert len(wire.written) == 2


async def test_what_waited_too_long_for_its_turn_is_given_back_unwritten():
    wire = Wire(1)
    wire.submit(1)
    wire.submit(2)
    wire.clock.by = ANSWER_SECONDS * 0.75
    wire.answer(0)
    assert isinstance(wire.answers[2], Throttled)
    assert len(wire.written) == 1


async def test_a_link_that_fell_keeps_nothing():
    wire = Wire(1)
    wire.submit(1)
    wire.submit(2)
    wire.out.fall()
    assert isinstance(wire.answers[1], NoAnswer)
    assert isinstance(wire.answers[2], NotConnected)
    assert wire.out.load == wire.out.in_flight == 0
    await asyncio.sleep(0)
    assert len(wire.written) == 1


async def test_of_what_was_never_answered_a_bounded_number_is_remembered_and_the_newest():
    window, over = MOST_LATE // 2, 3
    wire = Wire(window)
    for first in (0, window, MOST_LATE):
        for number in range(first, min(first + window, MOST_LATE + over)):
            wire.submit(number)
        wire.clock.by += 2 * ANSWER_SECONDS
        wire.out.expire(wire.clock.monotonic())
    assert len(wire.answers) == MOST_LATE + over
    assert {type(answer) for answer in wire.answers.values()} == {NoAnswer}

    for nth in (over - 1, over, MOST_LATE + over - 1):
        wire.answer(nth)
    remembered = (message(over).reference, message(MOST_LATE + over - 1).reference)
    assert tuple(receipt.reference for receipt in wire.told) == remembered
