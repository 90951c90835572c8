"""Many calls of all kinds at once: each is told its own, and nothing is left of any of them."""

import asyncio
import gc

import pytest

from callsheet.voice.asterisk.channel import Channel
from callsheet.voice.base import Answered, CallGone, HungUp, Played
from strangers.phones import PHONES
from voice.asterisk.calls import dial_of, make_tone, place, until
from voice.asterisk.voice_node import TRUNK

ENDINGS = ("0001", "0002", "0003", "0004", "0005", "0006", "0008", "0011", "0012", "0014", "0016")


@pytest.mark.parametrize("count", [33, pytest.param(400, marks=pytest.mark.full)])
async def test_nothing_is_left_of_many_calls(engine, phone_network, tmp_path, count):
    sound = make_tone(tmp_path / "tone.wav", seconds=0.3)
    at_once = asyncio.Semaphore(40)

    async def lead(ending: str) -> None:
        async with at_once:
            number = phone_network.number(ending)
            told = await place(engine, TRUNK, dial_of(number, ring_seconds=2))
            if PHONES[ending].answers:
                await told.next(Answered)
                try:
                    await told.call.listen(lambda _: None)
                    await told.call.record(both_sides=True)
                    await told.call.play(sound)
                    await told.next(Played)
                    await told.call.hang_up()
                except CallGone:
                    assert ending == "0011"  # it hangs up on us
            await told.next(HungUp)
            recording = await told.call.stop_recording(both_sides=True)
            if recording is not None:
                recording.path.unlink()
            assert len(phone_network.calls(number)) == 1

    await asyncio.gather(*(lead(ENDINGS[n % len(ENDINGS)]) for n in range(count)))

    node = engine._nodes.get("first")
    left = (node.channels, node.helpers, node.ears, node.tapes, node._tasks, node._link._waiting)
    await until(lambda: not any(left))
    assert not node._unwanted
    gc.collect()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, Channel)]
