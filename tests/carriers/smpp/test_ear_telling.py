"""What a carrier's sessions hear is told until it is stored, and what the carrier knows that we have is said."""

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
from callsheet.core.attempt import Kind
from callsheet.engine.virtual_time import VirtualClock, run
from factories import MONDAY_NOON

ACCOUNT = SmppAccount.model_validate({"host": "smsc.example.com", "system_id": "us", "password": "secret"})


class Store:
    """Stores what it is told, but for the first few batches."""

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.batches: list[list[Heard]] = []
        self.why: BaseException = RuntimeError("the store is away")
        self.gate = asyncio.Event()
        self.gate.set()

    async def hear(self, heard: Sequence[Heard]) -> None:
        await self.gate.wait()
        if self.fails:
            self.fails -= 1
            raise self.why
        self.batches.append(list(heard))


class Talker:
    """A session: answers while its link is there."""

    def __init__(self) -> None:
        self.is_there = True
        self.statuses: list[int] = []

    def answer(self, pdu: Pdu, status: int = 0) -> bool:
        if self.is_there:
            self.statuses.append(status)
        return self.is_there


@asynccontextmanager
async def listening(clock: VirtualClock, store: Store) -> AsyncIterator[Ear]:
    ear = Ear(ACCOUNT, clock, random.Random(1))
    running = asyncio.create_task(ear.run(store.hear))
    yield ear
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def say(ear: Ear, talker: Talker, text: bytes = b"1") -> None:
    message = Message("", 1, 1, "447700900001", 1, 1, "447700900999", short_message=text)
    assert ear.hear(talker, Pdu(c.DELIVER_SM, 1, 0, message), message)


@pytest.mark.parametrize("fails", [0, 1, 3])
def test_our_own_news_are_told_until_they_are_stored_and_then_no_more(fails: int) -> None:
    async def main(clock: VirtualClock) -> None:
        store = Store(fails)
        news = Receipt("ref", "id", Kind.accepted, clock.now(), "")
        async with listening(clock, store) as ear:
            ear.tell(news)
            await clock.sleep(10)
            assert store.batches == [[news]]
            assert ear.quiet.is_set()
            assert ear.waiting == 0

    run(main, start=MONDAY_NOON)


def test_a_link_that_goes_on_after_our_answer_knows_that_we_have_it() -> None:
    async def main(clock: VirtualClock) -> None:
        store, talker = Store(), Talker()
        async with listening(clock, store) as ear:
            say(ear, talker)
            await clock.sleep(1)
            ((reply,),) = store.batches
            assert isinstance(reply, Inbound)
            assert reply.teller
            await clock.sleep(9)
            assert store.batches[1:] == [[Acknowledged(reply.inbound_id)]]

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize("falls", ["before", "after"])
def test_a_link_that_fell_around_our_answer_may_not_know_it(falls: str) -> None:
    async def main(clock: VirtualClock) -> None:
        store, talker = Store(), Talker()
        async with listening(clock, store) as ear:
            if falls == "before":
                store.gate.clear()
            say(ear, talker)
            await clock.sleep(1)
            talker.is_there = False
            ear.fall(talker)
            store.gate.set()
            await clock.sleep(9)
            say(ear, Talker())
            await clock.sleep(1)
            names = [one.inbound_id for batch in store.batches for one in batch if isinstance(one, Inbound)]
            assert len(names) == 2
            assert len(set(names)) == 1
            assert not [one for batch in store.batches for one in batch if isinstance(one, Acknowledged)]

    run(main, start=MONDAY_NOON)


def test_what_was_refused_is_known_to_nobody() -> None:
    async def main(clock: VirtualClock) -> None:
        store, talker = Store(fails=1), Talker()
        async with listening(clock, store) as ear:
            say(ear, talker)
            await clock.sleep(10)
            assert talker.statuses != [0]
            assert store.batches == []

    run(main, start=MONDAY_NOON)


def test_what_is_cancelled_while_it_is_stored_is_refused_and_heard_when_it_comes_again() -> None:
    async def main(clock: VirtualClock) -> None:
        store, talker = Store(fails=2), Talker()
        store.why = asyncio.CancelledError()
        news = Receipt("ref", "id", Kind.accepted, clock.now(), "")
        async with listening(clock, store) as ear:
            ear.tell(news)
            say(ear, talker, b"STOP")
            await clock.sleep(1)
            assert talker.statuses == [Status.RECEIVER_TEMPORARY_ERROR]
            say(ear, talker, b"STOP")
            await clock.sleep(1)
            assert talker.statuses[1:] == [Status.OK]
            assert [news] in store.batches
            await clock.sleep(9)
            assert ear.quiet.is_set()

    run(main, start=MONDAY_NOON)


def test_a_trunk_that_was_closed_over_a_stop_hears_the_next_one_of_that_number() -> None:
    async def main(clock: VirtualClock) -> None:
        store = Store()
        store.gate.clear()
        async with listening(clock, store) as ear:
            say(ear, Talker(), b"STOP")
            await clock.sleep(1)
        store.gate.set()
        running = asyncio.create_task(ear.run(store.hear))
        talker = Talker()
        say(ear, talker, b"STOP")
        await clock.sleep(1)
        assert talker.statuses == [Status.OK]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize("what", ["reply", "receipt"])
def test_what_waits_is_counted_at_every_moment_until_it_is_stored(what: str) -> None:
    async def main(clock: VirtualClock) -> None:
        store, talker = Store(), Talker()
        store.gate.clear()
        async with listening(clock, store) as ear:
            if what == "reply":
                say(ear, talker)
            else:
                ear.tell(Receipt("ref", "id", Kind.accepted, clock.now(), ""))
            for _ in range(10):
                assert ear.waiting == 1
                await asyncio.sleep(0)
            store.gate.set()
            await clock.sleep(1)
            assert ear.waiting == 0

    run(main, start=MONDAY_NOON)
