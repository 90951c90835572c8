"""What a node may do wrong, or in another order than one thinks: told by a node that does as it is told."""

import asyncio
import secrets
import time
from datetime import timedelta

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.sip import SipTrunk
from callsheet.voice.base import Answered, CannotHear, HungUp, NotDialed, Ringing
from voice.asterisk.calls import Told, dial_of, place
from voice.asterisk.scripted_node import PLACE, channel, words_of

NUMBER = "+12025550171"
TRUNK = SipTrunk("tr-1", "192.0.2.1", 5060)


async def test_events_that_come_before_the_answer_to_the_request_are_heard(engine, node):
    node.mute.add("POST channels")
    dial, told = dial_of(NUMBER), Told()
    placing_it = asyncio.create_task(place(engine, TRUNK.id, dial, told=told))
    request = await node.request("POST channels")

    await node.tell("Dial", peer=channel(dial.reference, "Ringing"), dialstatus="RINGING")
    await node.tell_channel("ChannelDestroyed", dial.reference, "Ringing", cause=17, tech_cause=486)
    await told.next(HungUp)
    await node.answer(request, 200)
    await placing_it

    assert told.kinds() == [Ringing, HungUp]
    assert not engine.living()


async def test_a_channel_that_is_given_to_us_before_it_is_answered_is_not_answered(engine, node):
    dial = dial_of(NUMBER)
    told = await place(engine, TRUNK.id, dial)

    await node.tell_channel("StasisStart", dial.reference, "Ringing", args=[])
    await node.tell_channel("ChannelStateChange", dial.reference, "Ringing")
    await told.next(Ringing)
    assert told.kinds() == [Ringing]
    await node.tell_channel("ChannelStateChange", dial.reference, "Up")

    await told.next(Answered)
    assert told.kinds() == [Ringing, Answered]


async def test_a_call_that_was_answered_and_ended_before_it_was_given_to_us_was_answered(engine, node):
    dial = dial_of(NUMBER)
    told = await place(engine, TRUNK.id, dial)

    await node.tell_channel("ChannelStateChange", dial.reference, "Up")
    await node.tell_channel("ChannelDestroyed", dial.reference, "Up", cause=16)

    await told.next(HungUp)
    assert told.kinds() == [Answered, HungUp]


async def test_what_nobody_can_read_and_what_nobody_knows_ends_nothing(engine, node):
    dial = dial_of(NUMBER)
    told = await place(engine, TRUNK.id, dial)

    for text in ("", "{", "[]", "null", '"x"', "{}", '{"type": 7}', '{"type": "StasisStart"}', "\x00", "🙂" * 1000):
        await node.say(text)
    await node.socket.send_bytes(b"\xff\xfe")
    await node.tell("NeverHeardOf", channel=channel(dial.reference))
    await node.tell("ChannelDestroyed", channel={"id": 7})
    await node.tell("StasisStart", channel=channel(dial.reference), timestamp="noon")
    await node.say('{"type":"RESTResponse","request_id":"4711","status_code":200}')
    await node.tell_channel("StasisStart", dial.reference, args=[])

    await told.next(Answered)
    assert told.kinds() == [Answered]


async def test_a_request_that_nobody_answers_holds_up_no_event(engine, node):
    node.mute.add("DELETE channels")
    first, second = dial_of(NUMBER), dial_of(NUMBER)
    told, other = await place(engine, TRUNK.id, first), await place(engine, TRUNK.id, second)
    ending = asyncio.create_task(told.call.hang_up())
    await node.request("DELETE channels")

    await node.tell_channel("StasisStart", second.reference, args=[])

    await other.next(Answered)
    ending.cancel()


async def test_an_attempt_that_was_forbidden_meanwhile_is_not_placed(engine, node):
    with pytest.raises(NotDialed) as refused:
        await place(engine, TRUNK.id, dial_of(NUMBER), leave=lambda: False)

    assert refused.value.kind is Kind.withdrawn
    assert not [request for request in node.requests if request["method"] == "POST"]
    assert not engine.living()


async def test_a_call_that_the_node_cannot_let_us_hear_goes_on(engine, node):
    node.answers["POST channels/externalMedia"] = (500, "")
    dial = dial_of(NUMBER)
    told = await place(engine, TRUNK.id, dial)
    await node.tell_channel("StasisStart", dial.reference, args=[])
    await told.next(Answered)

    with pytest.raises(CannotHear):
        await told.call.listen(lambda _: None)

    await node.request("DELETE bridges")
    assert engine.living() == [dial.reference]


async def test_from_when_on_a_call_is_heard_is_told_by_the_clock_of_its_node(engine, node):
    told = await place(engine, TRUNK.id, dial_of(NUMBER))
    await node.tell_channel("StasisStart", told.call.id, args=[])
    answered = await told.next(Answered)
    began = time.monotonic()
    hearing = asyncio.create_task(told.call.listen(lambda _: None))
    there_at = answered.at + timedelta(seconds=3)
    for start in ("POST channels/externalMedia", f"POST channels/{told.call.id}/snoop"):
        query = {pair["name"]: pair["value"] for pair in (await node.request(start))["query_strings"]}
        helper = query.get("channelId") or query["snoopId"]
        await node.tell_channel("StasisStart", helper, args=[], timestamp=there_at.isoformat())

    assert there_at <= await hearing <= there_at + timedelta(seconds=time.monotonic() - began)
    assert answered.not_before is None, "it was told"


async def test_a_call_that_exists_already_is_that_call_and_no_second_one(engine, node):
    node.answers["POST channels"] = (409, {"message": "Channel with given unique ID already exists"})
    dial = dial_of(NUMBER)
    node.channels = [channel(dial.reference, "Ringing")]

    told = await place(engine, TRUNK.id, dial)

    assert engine.living() == [dial.reference]
    assert len([request for request in node.requests if words_of(request) == "POST channels"]) == 1
    await node.tell_channel("StasisStart", dial.reference, args=[])
    await told.next(Answered)


async def test_a_node_that_says_exists_already_of_a_trunk_that_it_does_not_have_placed_nothing(engine, node):
    node.answers |= {"POST channels": (409, ""), "GET channels/": (404, ""), "GET endpoints": (404, "")}

    with pytest.raises(NotDialed) as refused:
        await place(engine, TRUNK.id, dial_of(NUMBER))

    assert (refused.value.kind, refused.value.code) == (Kind.refused, "no_trunk")
    assert not engine.living()


async def test_exists_already_and_nowhere_to_be_seen_is_uncertain(engine, node):
    node.answers |= {"POST channels": (409, ""), "GET channels/": (404, ""), "GET endpoints": (200, {})}

    with pytest.raises(NotDialed) as refused:
        await place(engine, TRUNK.id, dial_of(NUMBER))

    assert refused.value.kind is Kind.uncertain


async def test_a_definite_refusal_is_no_attempt(engine, node):
    node.answers["POST channels"] = (500, {"message": "Allocation failed"})

    with pytest.raises(NotDialed) as refused:
        await place(engine, TRUNK.id, dial_of(NUMBER))

    assert (refused.value.kind, refused.value.code) == (Kind.refused, "node_refused")
    assert not engine.living()


async def test_a_call_that_nobody_knows_is_hung_up_once_asked(engine, node):
    stranger, asked = secrets.token_hex(24), []
    engine.on_found = asked.append

    await node.tell_channel("ChannelDtmfReceived", stranger, digit="1")
    await node.request(f"DELETE channels/{stranger}")
    await node.tell_channel("ChannelDtmfReceived", stranger, digit="2")
    await node.tell_channel("ChannelDestroyed", stranger, cause=16)
    dial = dial_of(NUMBER)
    told = await place(engine, TRUNK.id, dial)
    await node.tell_channel("StasisStart", dial.reference, args=[])
    await told.next(Answered)

    assert len(asked) == 1
    assert engine.living() == [dial.reference]


async def test_a_call_of_an_earlier_process_that_is_over_is_told_to_whoever_knows_it(engine, node):
    call_id, told = secrets.token_hex(24), Told()
    found = []
    engine.on_found = lambda call: (found.append(call), told.hear)[1]

    await node.tell_channel("ChannelDestroyed", call_id, "Ringing", cause=19, tech_cause=480)

    await told.next(HungUp)
    assert not found[0].is_answered
    assert told.kinds() == [HungUp]
    assert not engine.living()


async def test_a_call_that_ends_while_the_node_is_asked_what_it_has_is_not_found_again(engine, node):
    found = []
    engine.on_found = found.append
    dial = dial_of(NUMBER)
    told = await place(engine, TRUNK.id, dial)
    node.mute.add("GET channels")
    looking = asyncio.create_task(engine.is_well(PLACE.name))
    request = await node.request("GET channels", count=2)

    await node.tell_channel("ChannelDestroyed", dial.reference, cause=16)
    await node.answer(request, 200, [channel(dial.reference)])

    assert await looking
    await told.next(HungUp)
    assert not found


async def test_the_caller_id_and_the_number_are_written_so_that_nothing_else_can_be_in_them(engine, node):
    dial = dial_of(NUMBER)._replace(sender='+1202555"0123> <x\r\nX: y')

    await place(engine, TRUNK.id, dial)

    query = {pair["name"]: pair["value"] for pair in (await node.request("POST channels"))["query_strings"]}
    assert query["callerId"] == "<+12025550123xXy>"
    assert query["endpoint"] == f"PJSIP/{NUMBER}@{TRUNK.id}"
    assert query["channelId"] == dial.reference


async def test_the_dial_string_is_what_the_trunk_says(engine, node):
    engine.use([SipTrunk("tr-1", "192.0.2.1", 5060, number_prefix="9911#", dial_string="PJSIP/{trunk}/sip:{number}@x")])

    await place(engine, TRUNK.id, dial_of(NUMBER))

    query = {pair["name"]: pair["value"] for pair in (await node.request("POST channels"))["query_strings"]}
    assert query["endpoint"] == "PJSIP/tr-1/sip:9911#12025550171@x"


async def test_a_drained_node_gets_no_calls_and_keeps_those_that_it_has(engine, node):
    dial = dial_of(NUMBER)
    node.channels = [channel(dial.reference)]
    told = await place(engine, TRUNK.id, dial)

    engine.drain(PLACE.name)

    assert engine.room(TRUNK.id) == 0
    with pytest.raises(NotDialed):
        await place(engine, TRUNK.id, dial_of(NUMBER))
    assert engine.calls_on(PLACE.name) == 1
    await node.tell_channel("ChannelDestroyed", dial.reference, cause=16)
    await told.next(HungUp)
    assert engine.calls_on(PLACE.name) == 0
    engine.resume(PLACE.name)
    assert engine.room(TRUNK.id)
