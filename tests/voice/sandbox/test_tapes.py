"""Recordings of simulated calls: both sides with what is played, as long as it was heard; the other side without."""

import struct
import wave
from pathlib import Path

from callsheet.engine.virtual_time import VirtualClock
from callsheet.voice.audio.wave import write_wav
from callsheet.voice.base import Answered, Played, Recording, Sound
from callsheet.voice.sandbox.engine import SandboxVoice
from voice.sandbox.calling import call, dial
from voice.sandbox.test_phones import in_virtual_time

RATE = 8000
LOUD = 20_000
"""Nobody who is simulated speaks so loudly."""


def tone(folder: Path, seconds: float) -> Sound:
    path = folder / "tone.wav"
    path.write_bytes(write_wav(struct.pack("<h", LOUD) * round(RATE * seconds)))
    return Sound("tone", path, seconds)


def loud(recording: Recording | None) -> tuple[float, float]:
    """Return from when until when something loud is heard, in seconds; zeros: nothing is."""
    assert recording is not None
    with wave.open(str(recording.path)) as file:
        octets = file.readframes(file.getnframes())
    samples = struct.unpack(f"<{len(octets) // 2}h", octets)
    found = [place / RATE for place, sample in enumerate(samples) if abs(sample) >= LOUD - 6_500]
    return (round(found[0], 1), round(found[-1], 1)) if found else (0.0, 0.0)


def test_both_sides_hold_what_is_played_and_the_other_side_does_not(tmp_path: Path):
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        placed, ear = await call(voice, dial("9903"))
        await ear.until(lambda event: isinstance(event, Answered))
        assert await placed.record(both_sides=True)
        assert await placed.record(both_sides=False)
        assert await placed.record(both_sides=True), "it goes on"
        await placed.play(tone(tmp_path, 0.5))
        await ear.until(lambda event: isinstance(event, Played))
        await clock.sleep(0.1)
        both, theirs = await placed.stop_recording(both_sides=True), await placed.stop_recording(both_sides=False)

        assert loud(both) == (0.0, 0.5)
        assert loud(theirs) == (0.0, 0.0)
        assert await placed.stop_recording(both_sides=True) is None

    in_virtual_time(tmp_path, do)


def test_what_plays_already_is_heard_until_it_is_stopped(tmp_path: Path):
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        placed, ear = await call(voice, dial("9903"))
        await ear.until(lambda event: isinstance(event, Answered))
        await placed.play(tone(tmp_path, 30))
        await clock.sleep(0.2)
        await placed.record(both_sides=True)
        await clock.sleep(0.3)
        await placed.stop_playing()
        await ear.ended()

        assert loud(await placed.stop_recording(both_sides=True)) == (0.0, 0.3)

    in_virtual_time(tmp_path, do)
