"""What a node may do wrong, or in another order than one thinks: told by a node that does as it is told."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from callsheet.clock import SystemClock
from callsheet.core.asking import nobody_forbids
from callsheet.core.attempt import Kind
from callsheet.core.condition import State
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.asterisk.patience import Patience
from callsheet.voice.base import Answered, CallEvent, CannotHear, Found, HungUp, Lost, NotDialed, Ringing
from voice.asterisk.calls import Told, dial_of, place, until
from voice.asterisk.scripted_node import PLACE, ScriptedNode, channel, scripted_node, words_of

NUMBER = "+12025550171"
TRUNK = SipTrunk("tr-1", "192.0.2.1", 5060)
SELDOM = Patience(watch_seconds=3600, closing_seconds=0)
OFTEN = Patience(watch_seconds=0.05, late_seconds=0.05, away_seconds=0.2, closing_seconds=0)
SELDOM_AND_HASTY = Patience(watch_seconds=3600, answer_seconds=1, return_seconds=0.05, closing_seconds=0)
PATIENT = Patience(watch_seconds=3600, answer_seconds=1, return_seconds=60, closing_seconds=0)
HASTY = Patience(watch_seconds=0.05, again_seconds=0.05, answer_seconds=1, closing_seconds=0)


@pytest.fixture
def patience() -> Patience:
    """Compare what the node has with what we have when it connects, and not again while a test runs."""
    return SELDOM


@pytest.fixture
async def engine(patience) -> AsyncIterator[AsteriskEngine]:
    engine = AsteriskEngine(SystemClock(), patience=patience)
    engine.let_in(PLACE)
    engine.use([TRUNK])
    await engine.open()
    yield engine
    await engine.close()


@pytest.fixture
async def node(engine) -> AsyncIterator[ScriptedNode]:
    async with scripted_node(engine.port) as node:
        await until(lambda: engine.room(TRUNK.id))
        yield node


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


@pytest.mark.parametrize("patience", [SELDOM_AND_HASTY])
async def test_no_answer_at_all_is_uncertain_and_the_call_is_found_when_it_turns_up(engine, node):
    node.mute.add("POST channels")
    dial, later, found = dial_of(NUMBER), Told(), []

    def find(call: Found):
        found.append(call)
        return later.hear

    engine.on_found = find

    with pytest.raises(NotDialed) as refused:
        await place(engine, TRUNK.id, dial)
    assert refused.value.kind is Kind.uncertain
    assert not engine.living()
    await node.tell_channel("StasisStart", dial.reference, args=[])

    await later.next(Answered)
    assert [(call.call.id, call.is_answered) for call in found] == [(dial.reference, False)]


@pytest.mark.parametrize("patience", [PATIENT])
async def test_a_request_that_is_not_answered_is_decided_by_what_the_node_has(engine, node):
    node.mute.add("POST channels")
    dial, absent = dial_of(NUMBER), dial_of(NUMBER)
    node.channels = [channel(dial.reference, "Ringing")]

    told, other = await asyncio.gather(
        place(engine, TRUNK.id, dial), place(engine, TRUNK.id, absent), return_exceptions=True
    )

    assert other.kind is Kind.uncertain
    assert engine.living() == [dial.reference]
    await node.tell_channel("StasisStart", dial.reference, args=[])
    await told.next(Answered)


@pytest.mark.parametrize("patience", [PATIENT])
async def test_a_request_over_which_the_connection_broke_is_decided_when_the_node_is_back(engine):
    dial = dial_of(NUMBER)
    async with scripted_node(engine.port) as node:
        await until(lambda: engine.room(TRUNK.id))
        node.mute.add("POST channels")
        placing_it = asyncio.create_task(place(engine, TRUNK.id, dial))
        await node.request("POST channels")
    await until(lambda: not engine.room(TRUNK.id))

    async with scripted_node(engine.port, channels=[channel(dial.reference, "Ringing")]) as node:
        told = await placing_it
        await node.tell_channel("StasisStart", dial.reference, args=[])
        await told.next(Answered)


@pytest.mark.parametrize("patience", [OFTEN])
async def test_a_call_that_nobody_knows_is_asked_to_end_until_it_does(engine, node):
    stranger = secrets.token_hex(24)
    node.channels = [channel(stranger)]
    engine.on_found = lambda _: None

    await node.request(f"DELETE channels/{stranger}", count=3)


async def test_who_breaks_over_the_end_of_a_call_keeps_no_other_from_ending(engine, node):
    def break_down(_: CallEvent) -> None:
        raise ValueError

    await engine.dial(TRUNK.id, dial_of(NUMBER), nobody_forbids, break_down)
    told = await place(engine, TRUNK.id, dial_of(NUMBER))

    engine.lose(PLACE.name, "It is gone.")

    await told.next(Lost)
    await engine.close()


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


@pytest.mark.parametrize("patience", [OFTEN])
async def test_a_helper_channel_without_its_call_is_hung_up(engine, node):
    left = f"{secrets.token_hex(24)}.1234-0.snoop"
    node.channels = [channel(left), channel("1763795972.12")]

    await node.request(f"DELETE channels/{left}")

    assert not [request for request in node.requests if request["uri"] == "channels/1763795972.12"]


@pytest.mark.parametrize("patience", [OFTEN])
async def test_a_bridge_that_nobody_hears_by_is_deleted(engine, node):
    dial = dial_of(NUMBER)
    node.channels = [channel(dial.reference)]
    told = await place(engine, TRUNK.id, dial)
    hearing = asyncio.create_task(told.call.listen(lambda _: None))
    request = await node.request("POST bridges")
    led = request["uri"].removeprefix("bridges/")
    left = f"{secrets.token_hex(24)}.1234-0.bridge"
    node.bridges = [left, led, "somebody's"]

    await node.request(f"DELETE bridges/{left}", count=2)

    deleted = {request["uri"] for request in node.requests if request["method"] == "DELETE"}
    assert deleted == {f"bridges/{left}"}
    hearing.cancel()


@pytest.mark.parametrize("patience", [OFTEN])
async def test_a_call_that_is_gone_without_a_word_is_lost(engine, node):
    dial = dial_of(NUMBER)
    told = await place(engine, TRUNK.id, dial)
    await node.tell_channel("StasisStart", dial.reference, args=[])

    await told.next(Lost)

    assert told.kinds() == [Answered, Lost]
    assert not engine.living()


@pytest.mark.parametrize("patience", [OFTEN])
async def test_a_call_that_was_placed_and_of_which_nothing_was_ever_told_is_lost(engine, node):
    told = await place(engine, TRUNK.id, dial_of(NUMBER))

    await told.next(Lost)

    assert not engine.living()


@pytest.mark.parametrize("patience", [Patience(watch_seconds=3600)])
async def test_a_call_that_is_placed_while_we_end_is_ended_too(engine, node):
    node.mute.add("POST channels")
    dial, told = dial_of(NUMBER), Told()
    placing_it = asyncio.create_task(place(engine, TRUNK.id, dial, told=told))
    request = await node.request("POST channels")

    closing = asyncio.create_task(engine.close())
    await node.answer(request, 200)
    await placing_it
    await node.request(f"DELETE channels/{dial.reference}")
    await node.tell_channel("ChannelDestroyed", dial.reference, "Ringing", cause=16)
    end = await told.next(HungUp)

    assert end.by_us
    await closing


@pytest.mark.parametrize("patience", [OFTEN])
async def test_a_call_that_was_answered_without_a_word_is_answered(engine, node):
    dial = dial_of(NUMBER)
    node.channels = [channel(dial.reference)]

    told = await place(engine, TRUNK.id, dial)

    await told.next(Answered)


@pytest.mark.parametrize("patience", [OFTEN])
async def test_the_calls_of_a_node_that_does_not_come_back_are_lost(engine):
    async with scripted_node(engine.port) as node:
        await until(lambda: engine.room(TRUNK.id))
        dial = dial_of(NUMBER)
        node.channels = [channel(dial.reference)]
        told = await place(engine, TRUNK.id, dial)

    await told.next(Lost)

    assert engine.condition(TRUNK.id).state is State.connecting
    assert not engine.room(TRUNK.id)


@pytest.mark.parametrize("patience", [HASTY])
async def test_a_node_that_answers_pings_and_lists_no_channels_gets_no_calls(engine, node):
    node.answers["GET channels"] = (503, "")
    node.mute.add("GET channels")

    await until(lambda: not engine.room(TRUNK.id))
    assert not await engine.is_well(PLACE.name)

    with pytest.raises(NotDialed) as refused:
        await place(engine, TRUNK.id, dial_of(NUMBER))
    assert refused.value.code == "no_node"
    # A connection that stays silent is ended, so that there may be a better one.
    await until(lambda: node.socket.closed)


async def test_a_second_connection_of_a_node_takes_the_place_of_the_first(engine, node):
    async with scripted_node(engine.port) as second:
        await until(lambda: node.socket.closed)
        await until(lambda: engine.room(TRUNK.id))

        dial = dial_of(NUMBER)
        await place(engine, TRUNK.id, dial)

        assert (await second.request("POST channels"))["method"] == "POST"


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
