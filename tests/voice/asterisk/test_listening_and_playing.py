"""What is played is heard, what is heard is brought to us, keys come through, and recordings hold what was said."""

import asyncio
import struct
import wave
from datetime import datetime

import pytest

from callsheet.voice.asterisk.wire import Ask, read_channels
from callsheet.voice.base import Answered, CallGone, CannotHear, HungUp, Played, Pressed
from strangers.phones import PHONES
from voice.asterisk.calls import PATIENCE_SECONDS, loudness, make_tone, until

LONG_SECONDS = 60


async def test_the_echo_of_what_we_play_is_brought_to_us(call, tmp_path):
    told = await call("0001")
    await told.next(Answered)
    heard: list[bytes] = []
    await told.call.listen(heard.append)

    await told.call.play(make_tone(tmp_path / "tone.wav", hertz=700, seconds=2))
    await told.next(Played)

    assert {len(octets) for octets in heard} == {320}
    loudest = max(range(len(heard) - 20), key=lambda n: loudness(b"".join(heard[n : n + 20]), 700))
    assert loudness(b"".join(heard[loudest : loudest + 20]), 700) > 0.9


async def test_audio_comes_only_as_long_as_somebody_listens(call, engine):
    # A snoop channel goes with the next audio of its call: this phone talks.
    told = await call("0010")
    await told.next(Answered)
    heard: list[bytes] = []
    await told.call.listen(heard.append)
    await until(lambda: len(heard) > 5)

    await told.call.stop_listening()
    count = len(heard)
    await until_channels(engine, 1)

    assert len(heard) == count
    await told.call.listen(heard.append)
    await until(lambda: len(heard) > count)


async def test_nobody_waits_until_the_node_has_put_an_ear_away(call, engine):
    told = await call("0010")
    await told.next(Answered)
    await told.call.listen(lambda _: None)
    stopping = told.call.stop_listening()

    with pytest.raises(StopIteration):
        stopping.send(None)  # it is through at once

    await until_channels(engine, 1)
    channels, *others = leftovers(engine)
    await until(lambda: not any(others))
    assert len(channels) == 1, "the call goes on"


async def test_what_belonged_to_a_call_goes_with_it(call, engine):
    told = await call("0014")
    await told.next(Answered)
    await told.call.listen(lambda _: None)
    await told.call.record(both_sides=True)
    await until_channels(engine, 4)

    await told.call.hang_up()
    end = await told.next(HungUp)

    # The cause is that of the call, not of a bridge that was taken away under it.
    assert end.cause == 16
    await until_channels(engine, 0)
    assert (await node_of(engine).ask(Ask("GET", "bridges"))).message_body == "[]"
    await until(lambda: not any(leftovers(engine)))


async def test_sounds_play_one_after_the_other_and_each_tells_that_it_is_through(call, tmp_path):
    told = await call("0013")
    await told.next(Answered)
    sound = make_tone(tmp_path / "tone.wav", seconds=0.3)

    tokens = [await told.call.play(sound), await told.call.play(sound)]

    ends = [await told.next(Played), await told.next(Played)]
    assert [(end.token, end.is_whole) for end in ends] == [(token, True) for token in tokens]
    assert (ends[1].at - ends[0].at).total_seconds() > 0.2


async def test_a_key_stops_the_prompt(call, tmp_path):
    told = await call("0009")
    await told.next(Answered)
    sound = make_tone(tmp_path / "tone.wav", seconds=LONG_SECONDS)
    tokens = [await told.call.play(sound), await told.call.play(sound)]

    pressed = [await told.next(Pressed)]
    await told.call.stop_playing()
    ends = [await told.next(Played), await told.next(Played)]
    told._read = 0
    pressed = [(await told.next(Pressed)).digit for _ in PHONES["0009"].presses]

    assert "".join(pressed) == PHONES["0009"].presses
    assert {end.token for end in ends} == set(tokens)
    assert not any(end.is_whole for end in ends)


async def test_a_sound_that_is_not_there_is_told_as_not_played(call, tmp_path):
    told = await call("0013")
    await told.next(Answered)
    sound = make_tone(tmp_path / "tone.wav")
    sound.path.unlink()

    token = await told.call.play(sound)

    end = await told.next(Played)
    assert (end.token, end.is_whole) == (token, False)


async def test_a_recording_of_both_sides_holds_both(call, tmp_path):
    told = await call("0001")
    await told.next(Answered)
    await told.call.record(both_sides=True)

    await told.call.play(make_tone(tmp_path / "tone.wav", hertz=700, seconds=1))
    await told.next(Played)
    recording = await told.call.stop_recording(both_sides=True)

    with wave.open(str(recording.path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        octets = file.readframes(file.getnframes())
    assert recording.seconds == pytest.approx(len(octets) / 16000)
    assert max(loudness(octets[start : start + 3200], 700) for start in range(0, len(octets) - 3200, 1600)) > 0.9


async def test_a_recording_of_the_other_side_lacks_ours(call, tmp_path):
    told = await call("0013")
    await told.next(Answered)
    await told.call.record(both_sides=False)

    await told.call.play(make_tone(tmp_path / "tone.wav", seconds=0.5))
    await told.next(Played)
    recording = await told.call.stop_recording(both_sides=False)

    with wave.open(str(recording.path)) as file:
        octets = file.readframes(file.getnframes())
    assert max(map(abs, struct.unpack(f"<{len(octets) // 2}h", octets))) < 100


async def test_an_answer_is_recorded_while_the_whole_call_is(call, tmp_path):
    told = await call("0013")
    await told.next(Answered)
    assert await told.call.record(both_sides=True)
    await told.call.play(make_tone(tmp_path / "tone.wav", hertz=700, seconds=1))
    await told.next(Played)
    assert await told.call.record(both_sides=False)
    await told.call.play(make_tone(tmp_path / "tone.wav", hertz=700, seconds=1))
    await told.next(Played)

    answer = await told.call.stop_recording(both_sides=False)
    whole = await told.call.stop_recording(both_sides=True)

    assert answer.is_whole
    assert whole.is_whole
    assert answer.path != whole.path
    assert whole.seconds > answer.seconds + 0.5


async def test_a_recording_can_be_fetched_after_the_call(call, engine):
    told = await call("0011")
    await told.next(Answered)
    await told.call.record(both_sides=True)
    await told.next(HungUp)

    recording = await told.call.stop_recording(both_sides=True)

    assert 0.5 < recording.seconds < 5
    assert recording.path.exists()
    assert await told.call.stop_recording(both_sides=True) is None
    assert not any(leftovers(engine))


async def test_a_call_that_is_over_takes_no_orders(call, tmp_path):
    told = await call("0002")
    await told.next(HungUp)

    for order in (
        told.call.play(make_tone(tmp_path / "tone.wav")), told.call.stop_playing(), told.call.hang_up(),
        told.call.listen(lambda _: None), told.call.stop_listening(), told.call.record(both_sides=False),
    ):  # fmt: skip
        with pytest.raises(CallGone):
            await order


async def test_a_call_that_ends_while_it_is_asked_for_something_is_gone_not_broken(call, tmp_path):
    told = await call("0001")
    await told.next(Answered)
    sound = make_tone(tmp_path / "tone.wav", seconds=LONG_SECONDS)

    results = await asyncio.gather(
        told.call.hang_up(), told.call.play(sound), told.call.listen(lambda _: None), told.call.record(both_sides=True),
        return_exceptions=True,
    )  # fmt: skip
    await told.next(HungUp)

    # Who listens may learn from the node that there is nothing to hear, before the end itself is told.
    assert {type(result) for result in results} <= {type(None), str, bool, datetime, CallGone, CannotHear}


def node_of(engine):
    return engine._nodes.get("first")


def leftovers(engine):
    node = node_of(engine)
    return node.channels, node.helpers, node.ears, node.tapes, node._tasks, node._link._waiting


async def until_channels(engine, count):
    """Wait until the node has so many channels."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(read_channels((await node_of(engine).ask(Ask("GET", "channels"))).message_body)) != count:
            await asyncio.sleep(0.02)
