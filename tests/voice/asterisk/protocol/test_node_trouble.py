"""What breaks between a node and us, or is not told: it is found when the two are compared."""

import asyncio
import secrets
from datetime import datetime

import pytest

from callsheet.core.asking import nobody_forbids
from callsheet.core.attempt import Kind
from callsheet.core.condition import State
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.patience import Patience
from callsheet.voice.base import Answered, CallEvent, Found, HungUp, Lost, NotDialed
from voice.asterisk.calls import Told, dial_of, place, until
from voice.asterisk.scripted_node import AT, PLACE, channel, scripted_node

NUMBER = "+12025550171"
TRUNK = SipTrunk("tr-1", "192.0.2.1", 5060)
SELDOM = Patience(watch_seconds=3600, closing_seconds=0)
OFTEN = Patience(watch_seconds=0.05, late_seconds=0.05, away_seconds=0.2, closing_seconds=0)
SELDOM_AND_HASTY = Patience(watch_seconds=3600, answer_seconds=1, return_seconds=0.05, closing_seconds=0)
PATIENT = Patience(watch_seconds=3600, answer_seconds=1, return_seconds=60, closing_seconds=0)
HASTY = Patience(watch_seconds=0.05, again_seconds=0.05, answer_seconds=1, closing_seconds=0)


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


@pytest.mark.parametrize("patience", [OFTEN])
async def test_of_an_answer_that_was_not_told_nobody_knows_when_it_was(engine, node):
    dial = dial_of(NUMBER)
    told = await place(engine, TRUNK.id, dial)
    node.channels = [channel(dial.reference)]

    answered = await told.next(Answered)

    assert answered.not_before == datetime.fromisoformat(AT), "as early as it was placed"


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
