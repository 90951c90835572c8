"""What simulated phones do, in virtual time: each by the ending of its number."""

from __future__ import annotations

import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.calling import Clearing, Outcome, decide_outcome
from callsheet.core.condition import State
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.voice.base import Answered, CallGone, HungUp, NotDialed, Played, Ringing
from callsheet.voice.sandbox.engine import SandboxVoice
from callsheet.voice.sandbox.ledger import PlacedCall
from voice.sandbox.calling import PROMPT, START, TRUNK, Ear, call, dial, engine


@dataclass
class Told:
    """What was told of one call, and how it stands in the ledger."""

    ear: Ear
    placed: PlacedCall
    seconds: float


def in_virtual_time(folder: Path, do: Callable[[SandboxVoice, VirtualClock], Awaitable[Any]], **more: int) -> Any:
    """Do something with an engine that is open."""

    async def main(clock: VirtualClock) -> Any:
        voice = engine(folder, clock, **more)
        await voice.open()
        try:
            return await do(voice, clock)
        finally:
            await voice.close()

    return run(main, start=START)


def tell(folder: Path, ending: str, *, prompts: int = 0, **more: int) -> Told:
    """Call a number, play some prompts when it answers, one after the other, and wait for its end."""

    async def do(voice: SandboxVoice, clock: VirtualClock) -> Told:
        placed, ear = await call(voice, dial(ending, **more))
        if isinstance(await ear.answered(), Answered):
            for _ in range(prompts):
                await placed.play(PROMPT)
        end = await ear.ended()
        (entry,) = voice.calls(TRUNK, 0, 10)
        return Told(ear, entry, (end.at - START).total_seconds())

    told: Told = in_virtual_time(folder, do)
    return told


def outcome_of(told: Told) -> Outcome:
    end = told.ear.events[-1]
    assert isinstance(end, HungUp)
    kinds = told.ear.kinds
    rang_out = told.seconds >= 20
    was_cancelled = end.by_us and not rang_out
    return decide_outcome(
        Clearing(end.cause, end.sip_status, "Answered" in kinds, "Ringing" in kinds, rang_out, was_cancelled)
    )


@pytest.mark.parametrize(
    ("ending", "outcome", "status"),
    [
        ("9905", Outcome.invalid_number, "invalid_number"),
        ("9921", Outcome.busy, "busy"),
        ("9922", Outcome.no_answer, "no_answer"),
        ("9923", Outcome.rejected, "rejected"),
        ("9925", Outcome.trunk_failed, "trunk_failed"),
        ("9903", Outcome.human, "answered"),
        ("9924", Outcome.human, "answered"),
        ("0123", Outcome.human, "answered"),
    ],
)
def test_the_ending_of_a_number_says_what_comes_of_a_call(
    ending: str, outcome: Outcome, status: str, tmp_path: Path
) -> None:
    told = tell(tmp_path, ending)
    assert (outcome_of(told), told.placed.status) == (outcome, status)
    assert told.placed.reference == f"at-{ending}"


def test_a_phone_that_nobody_answers_rings_as_long_as_it_may(tmp_path: Path) -> None:
    told = tell(tmp_path, "9922", ring_seconds=17)
    assert told.ear.kinds == ["Ringing", "HungUp"]
    assert told.seconds == pytest.approx(17)


def test_a_person_presses_a_key_when_the_prompts_are_through(tmp_path: Path) -> None:
    told = tell(tmp_path, "9910", prompts=2)
    assert told.ear.kinds == ["Ringing", "Answered", "Played", "Played", "Pressed", "HungUp"]
    assert (told.ear.keys, told.placed.keys) == ("1", "1")


def test_some_press_more_keys(tmp_path: Path) -> None:
    assert tell(tmp_path, "9911", prompts=1).ear.keys == "1234#"


def test_who_hears_nothing_hangs_up_some_time(tmp_path: Path) -> None:
    told = tell(tmp_path, "0123")
    assert told.ear.kinds == ["Ringing", "Answered", "HungUp"]
    assert 30 < told.seconds < 40


def test_a_machine_records_for_a_minute(tmp_path: Path) -> None:
    assert 68 < tell(tmp_path, "9924", prompts=1).seconds < 74


def test_nobody_talks_for_longer_than_they_may(tmp_path: Path) -> None:
    told = tell(tmp_path, "9924", longest_seconds=9)
    assert told.seconds == pytest.approx(9)


def test_a_call_that_is_taken_back_is_cancelled(tmp_path: Path) -> None:
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        placed, ear = await call(voice, dial("9922"))
        await ear.until(lambda event: isinstance(event, Ringing))
        await placed.hang_up()
        end = await ear.ended()
        assert end.by_us
        assert voice.calls(TRUNK, 0, 10)[0].status == "cancelled"
        with pytest.raises(CallGone):
            await placed.hang_up()

    in_virtual_time(tmp_path, do)


def test_a_call_that_is_taken_back_when_it_has_rung_long_enough_was_not_answered(tmp_path: Path) -> None:
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        placed, ear = await call(voice, dial("9922", ring_seconds=20))
        await clock.sleep(19.5)
        await placed.hang_up()
        await ear.ended()
        assert voice.calls(TRUNK, 0, 10)[0].status == "no_answer"

    in_virtual_time(tmp_path, do)


def test_a_prompt_that_is_stopped_is_not_answered(tmp_path: Path) -> None:
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        placed, ear = await call(voice, dial("9910"))
        await ear.answered()
        tokens = [await placed.play(PROMPT) for _ in range(3)]
        await clock.sleep(6)
        await placed.stop_playing()
        played = [event for event in ear.events if isinstance(event, Played)]
        assert [(event.token, event.is_whole) for event in played] == list(
            zip(tokens, [True, False, False], strict=True)
        )
        await clock.sleep(5)
        assert ear.keys == ""
        await placed.play(PROMPT)
        await clock.sleep(10)
        assert ear.keys == "1"

    in_virtual_time(tmp_path, do)


def test_an_answer_that_is_recorded_is_spoken_and_ended_by_a_key(tmp_path: Path) -> None:
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        placed, ear = await call(voice, dial("9910"))
        await ear.answered()
        await placed.play(PROMPT)
        await ear.until(lambda event: isinstance(event, Played))
        await placed.record(both_sides=False)
        await clock.sleep(10)
        assert ear.keys == "#"
        recording = await placed.stop_recording(both_sides=False)
        assert recording is not None
        with wave.open(str(recording.path)) as heard:
            assert (heard.getframerate(), heard.getnchannels(), heard.getsampwidth()) == (8000, 1, 2)
            assert heard.getnframes() / 8000 == pytest.approx(recording.seconds) == pytest.approx(10)
            assert any(heard.readframes(80_000))
        assert await placed.stop_recording(both_sides=False) is None

    in_virtual_time(tmp_path, do)


def test_the_record_of_a_call_is_no_question(tmp_path: Path) -> None:
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        placed, ear = await call(voice, dial("9910"))
        await ear.answered()
        await placed.record(both_sides=True)
        await placed.play(PROMPT)
        await clock.sleep(10)
        assert ear.keys == "1"
        await placed.hang_up()
        await ear.ended()
        recording = await placed.stop_recording(both_sides=True)
        assert recording is not None
        assert recording.seconds == pytest.approx(10, abs=0.1)

    in_virtual_time(tmp_path, do)


def test_whoever_listens_hears_frames_of_the_other_side(tmp_path: Path) -> None:
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        placed, ear = await call(voice, dial("9924"))
        await ear.answered()
        heard: list[bytes] = []
        await placed.listen(heard.append)
        await clock.sleep(10.05)
        await placed.stop_listening()
        count = len(heard)
        assert {len(frame) for frame in heard} == {320}
        assert count == 500
        await clock.sleep(1)
        assert len(heard) == count
        silence = bytes(320)
        assert all(frame == silence for frame in heard[:25])
        assert all(frame != silence for frame in heard[30:370])
        assert heard[-1] == silence

    in_virtual_time(tmp_path, do)


def test_the_trunk_has_trouble_twice_also_across_a_restart(tmp_path: Path) -> None:
    def once() -> str:
        async def do(voice: SandboxVoice, clock: VirtualClock) -> str:
            _, ear = await call(voice, dial("9925", reference="at"))
            await ear.ended()
            return voice.calls(TRUNK, 0, 10)[-1].status

        status: str = in_virtual_time(tmp_path, do)
        return status

    assert [once() for _ in range(4)] == ["trunk_failed", "trunk_failed", "answered", "answered"]


def test_nobody_says_whether_some_calls_were_placed(tmp_path: Path) -> None:
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        with pytest.raises(NotDialed) as not_dialed:
            await call(voice, dial("9907"))
        assert not_dialed.value.kind is Kind.uncertain
        assert [entry.status for entry in voice.calls(TRUNK, 0, 10)] == ["unanswered"]
        assert voice.living() == []

    in_virtual_time(tmp_path, do)


def test_what_is_forbidden_is_not_placed(tmp_path: Path) -> None:
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        with pytest.raises(NotDialed) as not_dialed:
            await voice.dial(TRUNK, dial("0123"), lambda: False, Ear())
        assert not_dialed.value.kind is Kind.withdrawn
        assert voice.calls(TRUNK, 0, 10) == ()

    in_virtual_time(tmp_path, do)


def test_a_second_call_of_an_attempt_is_refused_by_the_engine_itself(tmp_path: Path) -> None:
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        _, first = await call(voice, dial("9922"))
        with pytest.raises(NotDialed):
            await call(voice, dial("9922"))
        await first.ended()
        assert len(voice.calls(TRUNK, 0, 10)) == 1

    in_virtual_time(tmp_path, do)


def test_there_is_room_again_when_a_call_ends(tmp_path: Path) -> None:
    async def do(voice: SandboxVoice, clock: VirtualClock) -> None:
        free: list[int] = []
        voice.on_free = lambda: free.append(voice.room(TRUNK))
        _, ear = await call(voice, dial("9921"))
        assert voice.room(TRUNK) == 0
        with pytest.raises(NotDialed) as not_dialed:
            await call(voice, dial("0123"))
        assert not_dialed.value.kind is Kind.refused
        await ear.ended()
        assert free == [1]

    in_virtual_time(tmp_path, do, room=1)


def test_a_network_that_closes_ends_its_calls(tmp_path: Path) -> None:
    ears: list[Ear] = []

    async def do(voice: SandboxVoice, clock: VirtualClock) -> SandboxVoice:
        for ending in ("9922", "9910", "9924"):
            _, ear = await call(voice, dial(ending))
            ears.append(ear)
        await ears[1].answered()
        assert voice.condition(TRUNK).state is State.open
        return voice

    voice = in_virtual_time(tmp_path, do)
    assert [ear.kinds[-1] for ear in ears] == ["HungUp"] * 3
    assert (voice.living(), voice.condition(TRUNK).state, voice.room(TRUNK)) == ([], State.closed, 0)


def test_the_same_seed_makes_the_same_calls(tmp_path: Path) -> None:
    def calls(folder: Path) -> list[PlacedCall]:
        folder.mkdir()

        async def do(voice: SandboxVoice, clock: VirtualClock) -> list[PlacedCall]:
            ears = [(await call(voice, dial(ending)))[1] for ending in ("0001", "9910", "9921", "9923", "9924")]
            for ear in ears:
                await ear.ended()
            return list(voice.calls(TRUNK, 0, 10))

        found: list[PlacedCall] = in_virtual_time(folder, do)
        return found

    assert calls(tmp_path / "a") == calls(tmp_path / "b")
