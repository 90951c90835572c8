"""Providers that cross our path, come too late, or send what nobody can read: calls end once, and free their slot."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from callsheet.clock import SystemClock
from callsheet.core.asking import nobody_forbids
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.base import Answered, HungUp, Ringing
from ports import free_port
from voice.asterisk.calls import Told, dial_of, place, until
from voice.asterisk.sip_peer import SipPeer, sip_peer
from voice.asterisk.voice_node import TRUNK, VoiceNode, running_voice_node

NUMBER, OTHER = "+12025550171", "+12025550172"


@pytest.fixture(scope="module")
def provider_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def node(provider_port) -> AsyncIterator[VoiceNode]:
    with running_voice_node("odd", free_port(), SimpleNamespace(port=provider_port)) as node:
        yield node


@pytest.fixture
async def peer(provider_port) -> AsyncIterator[SipPeer]:
    async with sip_peer(provider_port) as peer:
        yield peer


@pytest.fixture
async def engine(node) -> AsyncIterator[AsteriskEngine]:
    engine = AsteriskEngine(SystemClock(), port=node.port)
    engine.let_in(node.place)
    engine.use([node.trunk])
    await engine.open()
    await until(lambda: engine.room(TRUNK))
    yield engine
    await engine.close()


async def test_an_answer_that_crosses_our_cancel_is_taken_and_ended(engine, peer):
    peer.answers_when_cancelled = True
    told = await place(engine, TRUNK, dial_of(NUMBER))
    await told.next(Ringing)

    await told.call.hang_up()
    end = await told.next(HungUp)

    assert end.by_us
    assert Answered not in told.kinds()
    assert not engine.living()
    await until(lambda: peer.got == ["INVITE", "CANCEL", "ACK", "BYE"])


async def test_a_bye_that_comes_after_the_end_changes_nothing(engine, peer):
    peer.says = ["180 Ringing", "200 OK"]
    told = await place(engine, TRUNK, dial_of(NUMBER))
    await told.next(Answered)
    await told.call.hang_up()
    await told.next(HungUp)
    await until(lambda: "BYE" in peer.got)

    peer.hang_up()
    told_again = await place(engine, TRUNK, dial_of(NUMBER))
    await told_again.next(Answered)
    peer.hang_up()
    end = await told_again.next(HungUp)

    assert told.kinds() == [Ringing, Answered, HungUp]
    assert not end.by_us


async def test_what_nobody_can_read_is_not_heard(engine, peer):
    peer.says = ["GARBAGE", "180 Ringing", "GARBAGE", "486 Busy Here"]
    told = Told()

    await place(engine, TRUNK, dial_of(NUMBER), told=told)
    end = await told.next(HungUp)

    assert (end.cause, end.sip_status) == (17, 486)
    assert not engine.living()


@pytest.mark.parametrize("status", ["503 Service Unavailable", "500 Server Internal Error", "403 Forbidden"])
async def test_what_a_provider_says_is_told_as_it_said_it(engine, peer, status):
    peer.says = [status]

    told = await place(engine, TRUNK, dial_of(NUMBER))
    end = await told.next(HungUp)

    assert end.sip_status == int(status[:3])
    assert told.kinds() == [HungUp]


async def test_a_provider_that_is_not_there_frees_the_slot_when_the_ring_time_is_over(engine):
    told = await place(engine, TRUNK, dial_of(NUMBER, ring_seconds=2))

    end = await told.next(HungUp)

    assert not end.by_us
    assert told.kinds() == [HungUp]
    assert not engine.living()


async def test_who_is_joined_is_not_told_with_whom(engine, peer):
    peer.says = ["200 OK"]
    first, second = Told(), Told()
    await place(engine, TRUNK, dial_of(NUMBER), told=first)
    await first.next(Answered)
    second.call = await engine.dial(TRUNK, dial_of(OTHER), nobody_forbids, second.hear, first.call)
    await second.next(Answered)

    await first.call.join(second.call)
    for told in (second, first):
        await told.call.hang_up()
        await told.next(HungUp)

    # Neither INVITE nor UPDATE once more: they would bear the identity of the other.
    await until(lambda: peer.got.count("BYE") == 2)
    assert peer.got == ["INVITE", "ACK", "INVITE", "ACK", "BYE", "BYE"]
