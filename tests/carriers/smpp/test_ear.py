"""What comes together is acknowledged by its own fate: what was stored, and only that, and only then."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from callsheet.carriers.base import Acknowledged, Heard, Inbound, Receipt
from callsheet.carriers.smpp import commands as c
from callsheet.carriers.smpp.account import SmppAccount
from callsheet.carriers.smpp.commands import Status
from callsheet.carriers.smpp.ear import Ear
from callsheet.carriers.smpp.pdu import Message, Pdu
from callsheet.clock import SystemClock
from callsheet.core.attempt import Kind
from carriers.smpp.rig import until

STORED, KEPT = Status.OK, Status.RECEIVER_TEMPORARY_ERROR
RECEIPT = Message(
    source="447700900001",
    esm_class=4,
    short_message=b"id:7 stat:DELIVRD",
)
REPLY = Message(source="447700900001", destination="447700900999", short_message=b"STOP")
UNREADABLE = Message(esm_class=4, short_message=b"?")


class Session:
    """What was answered to which PDU."""

    def __init__(self) -> None:
        self.answers: dict[int, int] = {}

    def answer(self, pdu: Pdu, status: int = Status.OK) -> bool:
        assert pdu.sequence not in self.answers, "answered twice"
        self.answers[pdu.sequence] = status
        return True


class Listening:
    """An ear, and a store that takes receipts and replies as the test says."""

    def __init__(self) -> None:
        account = SmppAccount.model_validate({"host": "h", "system_id": "us", "password": "s"})
        self.ear = Ear(account, SystemClock(), random.Random(7))
        self.session = Session()
        self.stored: list[Heard] = []
        self.gates = {Receipt: asyncio.Event(), Inbound: asyncio.Event()}
        self.refused: set[type[Heard]] = set()
        self._sequence = 0

    def say(self, *messages: Message) -> list[int]:
        said = []
        for message in messages:
            self._sequence += 1
            said.append(self._sequence)
            assert self.ear.hear(self.session, Pdu(c.DELIVER_SM, self._sequence, 0, message), message)
        return said

    async def hear(self, heard: Sequence[Heard]) -> None:
        heard = [one for one in heard if not isinstance(one, Acknowledged)]
        if not heard:
            return
        (kind,) = {type(one) for one in heard}
        await self.gates[kind].wait()
        if kind in self.refused:
            raise RuntimeError("the store is away")
        self.stored += heard


@asynccontextmanager
async def listening() -> AsyncIterator[Listening]:
    one = Listening()
    task = asyncio.create_task(one.ear.run(one.hear))
    yield one
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(("first", "other"), [(Receipt, Inbound), (Inbound, Receipt)])
async def test_of_what_came_together_what_was_stored_is_acknowledged_and_the_rest_is_kept(
    first: type[Heard], other: type[Heard]
):
    async with listening() as one:
        receipt, reply, odd, another = one.say(RECEIPT, REPLY, UNREADABLE, RECEIPT)
        of = {Receipt: {receipt, odd, another}, Inbound: {reply}}
        one.refused.add(other)
        await asyncio.sleep(0.02)
        assert one.session.answers == {}

        one.gates[first].set()
        await until(lambda: one.session.answers)
        assert one.session.answers == dict.fromkeys(of[first], STORED)
        assert {type(heard) for heard in one.stored} == {first}

        one.gates[other].set()
        await one.ear.quiet.wait()
        assert one.session.answers == dict.fromkeys(of[first], STORED) | dict.fromkeys(of[other], KEPT)
        assert {type(heard) for heard in one.stored} == {first}
        assert one.ear.waiting == 0


async def test_what_was_kept_is_stored_when_it_is_told_again_and_a_reply_is_the_same_one_then():
    async with listening() as one:
        for gate in one.gates.values():
            gate.set()
        one.refused = {Inbound}
        one.say(RECEIPT, REPLY)
        await until(lambda: len(one.session.answers) == 2)
        one.refused = set()
        one.say(REPLY)
        await until(lambda: len(one.session.answers) == 3)

    assert list(one.session.answers.values()).count(KEPT) == 1
    assert [type(heard) for heard in one.stored] == [Receipt, Inbound]


async def test_our_own_news_that_could_not_be_stored_are_told_again_beside_what_was_stored():
    late = Receipt("", "9", Kind.delivered, SystemClock().now(), "")
    async with listening() as one:
        one.ear.tell(late)
        (reply,) = one.say(REPLY)
        one.gates[Inbound].set()
        one.refused = {Receipt}
        one.gates[Receipt].set()
        await until(lambda: one.session.answers)
        assert one.session.answers == {reply: STORED}
        one.refused = set()
        await until(lambda: late in one.stored)
        await one.ear.quiet.wait()

    assert len(one.stored) == 2
