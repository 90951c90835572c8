"""What breaks on the way: a connection, a node, our process. Calls are told, found, or lost, and never placed twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from callsheet.clock import SystemClock
from callsheet.core.calling import Outcome
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.asterisk.patience import Patience
from callsheet.voice.base import Answered, Found, Hear, HungUp, Lost, NotDialed, Played, Ringing
from ports import free_port
from voice.asterisk.calls import Told, dial_of, make_tone, outcome_of, place, until
from voice.asterisk.relay import Relay
from voice.asterisk.voice_node import TRUNK, VoiceNode, running_voice_node

LONGEST_SECONDS = 600


Start = Callable[..., Awaitable[AsteriskEngine]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Open engines: `await start(voice_node)`."""
    engines = []

    async def open_one(node: VoiceNode, *, port: int = 0, patience: Patience | None = None) -> AsteriskEngine:
        engine = AsteriskEngine(SystemClock(), port=port, patience=patience or Patience())
        engines.append(engine)
        engine.let_in(node.place)
        engine.use([node.trunk])
        await engine.open()
        return engine

    yield open_one
    for engine in reversed(engines):
        await engine.close()


@pytest.fixture
async def relay(voice_node) -> AsyncIterator[Relay]:
    relay = Relay(voice_node.port)
    yield relay
    await relay.cut()


@pytest.mark.parametrize("away_seconds", [0, pytest.param(10, marks=pytest.mark.full)])
async def test_a_connection_that_is_lost_for_a_while_loses_nothing(
    start, voice_node, relay, phone_network, tmp_path, away_seconds
):
    engine = await start(voice_node)
    await relay.mend(engine.port)
    await until(lambda: engine.room(TRUNK))
    talking, ending, ringing = [
        await place(engine, TRUNK, dial_of(phone_network.number(ending), ring_seconds=ring_seconds))
        for ending, ring_seconds in (("0001", 30), ("0006", 2), ("0017", 30))
    ]
    await talking.next(Answered)
    for told in (ending, ringing):
        await told.next(Ringing)

    await relay.cut()
    await until(lambda: not engine.room(TRUNK))
    await asyncio.to_thread(phone_network.await_calls, number_of(phone_network, "0017"), answered=1)
    await asyncio.to_thread(phone_network.await_calls, number_of(phone_network, "0006"), ended=1)
    with pytest.raises(NotDialed):
        await place(engine, TRUNK, dial_of(phone_network.number("0001")))
    await asyncio.sleep(away_seconds)
    await relay.mend(engine.port)

    # What happened meanwhile is told, as of when it happened; nothing was hung up.
    end = await ending.next(HungUp)
    assert (end.cause, end.sip_status) == (19, 480)
    await ringing.next(Answered)
    await until(lambda: engine.room(TRUNK))
    await talking.call.play(make_tone(tmp_path / "tone.wav", seconds=0.2))
    assert (await talking.next(Played)).is_whole
    assert set(engine.living()) == {talking.call.id, ringing.call.id}
    await engine.close()
    assert [told.kinds()[-1] for told in (talking, ringing)] == [HungUp, HungUp]


async def test_calls_outlive_our_process_and_the_next_one_finds_them(start, voice_node, relay, phone_network, tmp_path):
    first = await start(voice_node)
    await relay.mend(first.port)
    await until(lambda: first.room(TRUNK))
    number = phone_network.number("0001")
    talking = await place(first, TRUNK, dial_of(number, longest_seconds=LONGEST_SECONDS))
    ringing = await place(first, TRUNK, dial_of(phone_network.number("0017"), longest_seconds=LONGEST_SECONDS))
    ending = await place(first, TRUNK, dial_of(phone_network.number("0006"), ring_seconds=2))
    unknown = await place(first, TRUNK, dial_of(phone_network.number("0013"), longest_seconds=LONGEST_SECONDS))
    for told in (talking, unknown):
        await told.next(Answered)
    for told in (ending, ringing):
        await told.next(Ringing)

    await relay.cut()  # as good as killed: it hangs up nothing
    await asyncio.to_thread(phone_network.await_calls, number_of(phone_network, "0017"), answered=1)
    await asyncio.to_thread(phone_network.await_calls, number_of(phone_network, "0006"), ended=1)
    second, found = await start(voice_node), dict[str, tuple[Found, Told]]()

    def find(call: Found) -> Hear | None:
        if call.call.id == unknown.call.id:
            return None
        found[call.call.id] = call, Told()
        return found[call.call.id][1].hear

    second.on_found = find
    await relay.mend(second.port)
    await until(lambda: len(found) == 3)

    again = {
        name: found[told.call.id] for name, told in (("talking", talking), ("ringing", ringing), ("ending", ending))
    }
    assert again["talking"][0].is_answered
    assert not again["ringing"][0].is_answered
    await again["ringing"][1].next(Answered)
    assert outcome_of(again["ending"][1], ring_ran_out=True) is Outcome.no_answer
    await again["talking"][0].call.play(make_tone(tmp_path / "tone.wav", seconds=0.2))
    assert (await again["talking"][1].next(Played)).is_whole
    # What nobody knows was hung up, and nobody was called again.
    (left,) = await asyncio.to_thread(phone_network.await_calls, number_of(phone_network, "0013"), ended=1)
    assert left.ended_at is not None
    assert len(phone_network.calls(number)) == 1
    assert set(second.living()) == {talking.call.id, ringing.call.id}


async def test_the_calls_of_a_node_that_died_are_lost(start, phone_network):
    port = free_port()
    with running_voice_node("mortal", port, phone_network) as node:
        engine = await start(node, port=port)
        await until(lambda: engine.room(TRUNK))
        ringing, talking = [
            await place(engine, TRUNK, dial_of(phone_network.number(ending))) for ending in ("0006", "0001")
        ]
        await ringing.next(Ringing)
        await talking.next(Answered)

        node.kill()
        node.start()

        lost = [await told.next(Lost) for told in (ringing, talking)]
        assert all((end.at - talking.events[0].at).total_seconds() < LONGEST_SECONDS for end in lost)
        assert [outcome_of(told) for told in (ringing, talking)] == [Outcome.uncertain, Outcome.lost]
        assert not engine.living()
        # And it takes calls again.
        told = await place(engine, TRUNK, dial_of(phone_network.number("0002")))
        assert (await told.next(HungUp)).cause == 17

        told = await place(engine, TRUNK, dial_of(phone_network.number("0001")))
        await told.next(Answered)
        node.kill()
        engine.lose(node.place.name, "Asterisk ended by itself.")
        assert (await told.next(Lost)).why == "Asterisk ended by itself."


async def test_a_call_whose_end_was_not_told_ends_as_its_call_record_says(start, voice_node, phone_network):
    engine = await start(voice_node, port=voice_node.port, patience=Patience(watch_seconds=0.1, late_seconds=0.1))
    await until(lambda: engine.room(TRUNK))
    node = engine._nodes.get("first")
    busy, answered = [await place(engine, TRUNK, dial_of(phone_network.number(ending))) for ending in ("0018", "0011")]
    for told in (busy, answered):
        # As if its events had been lost on the way.
        told.call.take = lambda _: None
        told.call.is_heard = True

    ends = [await told.next(HungUp) for told in (busy, answered)]

    assert [end.cause for end in ends] == [17, 16]
    assert (busy.kinds(), answered.kinds()) == ([HungUp], [Answered, HungUp])
    assert not node.channels


# One sends nothing from the beginning, the other stops to.
@pytest.mark.parametrize("ending", ["0013", "0014"])
async def test_a_call_without_media_is_ended(start, phone_network, ending):
    port = free_port()
    with running_voice_node("impatient", port, phone_network, media_timeout_seconds=2) as node:
        engine = await start(node, port=port)
        await until(lambda: engine.room(TRUNK))

        told = await place(engine, TRUNK, dial_of(phone_network.number(ending)))
        await told.next(Answered)
        end = await told.next(HungUp)

        assert end.cause == 44
        assert not end.by_us
        assert not engine.living()


async def test_calls_go_to_the_node_with_the_most_room_and_none_to_one_that_drains(start, voice_node, phone_network):
    engine = await start(voice_node, port=voice_node.port)
    with running_voice_node("second", voice_node.port, phone_network) as other:
        engine.let_in(other.place)
        await until(lambda: engine.condition(TRUNK).sessions == 2 and engine.room(TRUNK) == 800)

        several = [await place(engine, TRUNK, dial_of(phone_network.number("0013"))) for _ in range(4)]
        assert [engine.calls_on(name) for name in ("first", "second")] == [2, 2]
        engine.drain("first")
        several.append(await place(engine, TRUNK, dial_of(phone_network.number("0013"))))

        assert [engine.calls_on(name) for name in ("first", "second")] == [2, 3]
        for told in several:
            await told.next(Answered)
        drained = [told for told in several if told.call.node == "first"]
        for told in drained:
            await told.call.hang_up()
            await told.next(HungUp)
        assert engine.calls_on("first") == 0


async def test_the_node_itself_refuses_a_second_call_of_an_attempt(start, voice_node, relay, phone_network):
    first, second = await start(voice_node), await start(voice_node)
    await relay.mend(first.port)
    await until(lambda: first.room(TRUNK))
    number = phone_network.number("0013")
    dial = dial_of(number, longest_seconds=LONGEST_SECONDS)
    await (await place(first, TRUNK, dial)).next(Answered)
    await relay.cut()

    # Another process, which knows nothing of the call and is asked to place it before it could find it.
    told = Told()
    second.on_found = lambda found: told.hear
    await relay.mend(second.port)
    await until(lambda: second.room(TRUNK))
    with pytest.raises(NotDialed):
        await place(second, TRUNK, dial)

    assert len(phone_network.calls(number)) == 1


def number_of(network, ending: str) -> str:
    """Return the number that was called last with an ending."""
    return [call.number for call in network.calls() if call.number.endswith(ending)][-1]
