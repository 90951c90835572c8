"""What a node bears: packets that nobody can read, many calls at once, and a full disk."""

import asyncio
import resource
import wave
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace

import pytest

from callsheet.clock import SystemClock
from callsheet.voice.asterisk.engine import AsteriskEngine
from callsheet.voice.base import Answered, HungUp, Played
from ports import free_port
from strangers.sipp import answering, throw
from voice.asterisk.calls import dial_of, make_tone, place, until
from voice.asterisk.voice_node import TRUNK, VoiceNode, running_voice_node

MOST_FILE_OCTETS = 64 << 10


@pytest.fixture
async def open_engine() -> AsyncIterator[Callable]:
    """Open an engine for a node: `await open_engine(node)`."""
    engines = []

    async def open_one(node: VoiceNode) -> AsteriskEngine:
        engine = AsteriskEngine(SystemClock(), port=node.port)
        engines.append(engine)
        engine.let_in(node.place)
        engine.use([node.trunk])
        await engine.open()
        await until(lambda: engine.room(TRUNK))
        return engine

    yield open_one
    for engine in engines:
        await engine.close()


@pytest.mark.parametrize("times", [60, pytest.param(3000, marks=pytest.mark.full)])
async def test_packets_that_nobody_can_read_break_no_call(engine, voice_node, phone_network, call, tmp_path, times):
    talking = await call("0001")
    await talking.next(Answered)

    throwing = asyncio.create_task(
        asyncio.to_thread(throw, "malformed", voice_node.sip_port, tmp_path, times=times, times_a_second=100)
    )
    while not throwing.done():
        told = await call("0001")
        await told.next(Answered)
        await told.call.hang_up()
        assert (await told.next(HungUp)).by_us
    await throwing

    assert voice_node.process.poll() is None
    assert talking.kinds()[-1] is Answered
    await talking.call.play(make_tone(tmp_path / "tone.wav", seconds=0.2))
    assert (await talking.next(Played)).is_whole
    assert engine.living() == [talking.call.id]


@pytest.mark.parametrize("count", [25, pytest.param(300, marks=pytest.mark.full)])
async def test_many_calls_of_a_provider_that_answers_all_end_and_free_their_slots(open_engine, tmp_path, count):
    with (
        answering("answers", tmp_path) as provider_port,
        running_voice_node("busy", free_port(), SimpleNamespace(port=provider_port)) as node,
    ):
        engine = await open_engine(node)

        async def call_one(index: int) -> int:
            told = await place(engine, TRUNK, dial_of(f"+1202555{index:04}"))
            await told.next(Answered)
            await told.call.hang_up()
            return (await told.next(HungUp)).cause

        assert await asyncio.gather(*(call_one(index) for index in range(count))) == [16] * count
        assert not engine.living()
        await until(lambda: "0 active channels" in node.ask("core show channels"))


async def test_a_disk_that_is_full_ends_a_recording_and_no_call(open_engine, phone_network, tmp_path):
    with running_voice_node("full", free_port(), phone_network) as node:
        engine = await open_engine(node)
        # No file of its own may be larger: as if there were no room for more.
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (MOST_FILE_OCTETS, MOST_FILE_OCTETS))
        told = await place(engine, TRUNK, dial_of(phone_network.number("0001")))
        await told.next(Answered)
        await told.call.record(both_sides=True)
        await told.call.play(make_tone(tmp_path / "tone.wav", seconds=10))
        assert (await told.next(Played)).is_whole

        recording = await told.call.stop_recording(both_sides=True)
        assert not recording.is_whole
        with wave.open(str(recording.path)) as kept:
            assert 0 < kept.getnframes() <= MOST_FILE_OCTETS // 2
        again = await place(engine, TRUNK, dial_of(phone_network.number("0001")))
        await again.next(Answered)

        assert node.process.poll() is None
        assert set(engine.living()) == {told.call.id, again.call.id}
