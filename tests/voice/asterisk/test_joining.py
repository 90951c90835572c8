"""Two calls of one node are joined: each side hears the other, and the end of one leaves the other alone."""

import array
from math import sqrt

import pytest

from callsheet.core.asking import nobody_forbids
from callsheet.voice.asterisk import wire
from callsheet.voice.asterisk.originate import dial_string
from callsheet.voice.asterisk.wire import Ask
from callsheet.voice.audio.ringing import ringing
from callsheet.voice.base import Answered, CallGone, CannotJoin, HungUp, NotDialed, Played, Sound
from voice.asterisk.calls import Told, dial_of, make_tone, until
from voice.asterisk.test_listening_and_playing import node_of, until_channels
from voice.asterisk.voice_node import TRUNK

LOUD = 500
"""Of 16 bits, the root of the mean square: silence has less."""


async def beside(engine, phone_network, first: Told, ending: str) -> Told:
    """Call a phone from the node of another call."""
    told = Told()
    dial = dial_of(phone_network.number(ending))
    told.call = await engine.dial(TRUNK, dial, nobody_forbids, told.hear, first.call)
    return told


async def two(call, engine, phone_network) -> tuple[Told, Told]:
    """Call somebody who talks, and beside him somebody who says again what he hears."""
    first = await call("0010")
    await first.next(Answered)
    second = await beside(engine, phone_network, first, "0001")
    await second.next(Answered)
    return first, second


def is_loud(octets: bytes) -> bool:
    samples = array.array("h", octets)
    return sqrt(sum(sample * sample for sample in samples) / len(samples)) > LOUD


async def test_each_hears_the_other_and_who_stays_is_alone_again(call, engine, phone_network, tmp_path):
    first, second = await two(call, engine, phone_network)
    said_again: list[bytes] = []
    await second.call.listen(lambda octets: said_again.append(octets) if is_loud(octets) else None)

    await first.call.join(second.call)
    await until(lambda: len(said_again) > 10)
    await second.call.hang_up()
    await second.next(HungUp)
    await first.call.part()
    await first.call.play(make_tone(tmp_path / "tone.wav", seconds=0.3))

    assert (await first.next(Played)).is_whole
    await first.call.hang_up()
    assert (await first.next(HungUp)).cause == 16
    await until_channels(engine, 0)
    assert (await node_of(engine).ask(Ask("GET", "bridges"))).message_body == "[]"


async def test_who_hears_ringing_until_they_are_joined_hears_the_other_then(call, engine, phone_network, tmp_path):
    first = await call("0010")
    await first.next(Answered)
    ring = tmp_path / "ring.wav"
    ring.write_bytes(ringing())
    for _ in range(2):
        await first.call.play(Sound("ring", ring, 6.0))
    second = await beside(engine, phone_network, first, "0001")
    await second.next(Answered)
    said_again: list[bytes] = []
    await second.call.listen(lambda octets: said_again.append(octets) if is_loud(octets) else None)

    await first.call.stop_playing()
    await first.call.join(second.call)
    await until(lambda: len(said_again) > 10)

    for told in (first, second):
        await told.call.hang_up()
        await told.next(HungUp)


async def test_who_is_joined_stays_so_when_the_node_is_compared(call, engine, phone_network):
    first, second = await two(call, engine, phone_network)
    await first.call.join(second.call)
    node = node_of(engine)

    for _ in range(3):
        assert await node.is_well()

    # What a comparison has begun is through when the node answers this: it takes requests in their order.
    bridges = wire.read_bridges((await node.ask(Ask("GET", "bridges"))).message_body)
    assert [bridge.id.rpartition(".")[2] for bridge in bridges] == ["joint"]
    said_again: list[bytes] = []
    await second.call.listen(lambda octets: said_again.append(octets) if is_loud(octets) else None)
    await until(lambda: len(said_again) > 10)
    await first.call.part()
    assert not [bridge for bridge in node.bridges if bridge.endswith(".joint")]
    for told in (first, second):
        await told.call.hang_up()
        await told.next(HungUp)


async def test_the_end_of_the_first_takes_the_bridge_away_and_leaves_the_second(call, engine, phone_network):
    first, second = await two(call, engine, phone_network)
    await first.call.join(second.call)

    await first.call.hang_up()
    end = await first.next(HungUp)

    assert (end.cause, end.by_us) == (16, True), "the cause is that of the call, and not of its bridge"
    await second.call.hang_up()
    await second.next(HungUp)
    await until_channels(engine, 0)
    with pytest.raises(CallGone):
        await first.call.join(second.call)
    await until_no_bridges(engine)


async def until_no_bridges(engine) -> None:
    while (await node_of(engine).ask(Ask("GET", "bridges"))).message_body != "[]":
        await node_of(engine).is_well()


async def test_what_is_not_there_is_not_joined_and_nothing_is_left(call, engine, phone_network):
    first, second = await two(call, engine, phone_network)
    await second.call.hang_up()
    await second.next(HungUp)

    with pytest.raises(CannotJoin):
        await first.call.join(second.call)
    await until_no_bridges(engine)
    await first.call.hang_up()
    await first.next(HungUp)
    with pytest.raises(NotDialed):
        await engine.dial("elsewhere", dial_of(phone_network.number("0001")), nobody_forbids, print, first.call)


def test_a_sip_address_is_called_through_the_trunk(voice_node):
    trunk = voice_node.trunk
    assert dial_string(trunk, "sip:desk@pbx.example") == f"PJSIP/{trunk.id}/sip:desk@pbx.example"
