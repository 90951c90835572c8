"""The simulated network outlives who led its calls: the next process finds them."""

from __future__ import annotations

from pathlib import Path

from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.voice.base import Found, Hear
from voice.sandbox.calling import START, TRUNK, Ear, call, dial, engine


def begin(folder: Path) -> None:
    """Place calls, and die while they go on."""

    async def main(clock: VirtualClock) -> None:
        voice = engine(folder, clock)
        await voice.open()
        await call(voice, dial("9922", ring_seconds=30))
        _, talking = await call(voice, dial("9910"))
        _, busy = await call(voice, dial("9921"))
        await talking.answered()
        await busy.ended()

    run(main, start=START)


def test_calls_of_a_process_that_died_are_found_and_go_on(tmp_path: Path) -> None:
    begin(tmp_path)
    ears: dict[str, Ear] = {}
    found: dict[str, Found] = {}

    def find(one: Found) -> Hear | None:
        found[one.call.id] = one
        ears[one.call.id] = Ear()
        return ears[one.call.id]

    async def main(clock: VirtualClock) -> list[str]:
        voice = engine(tmp_path, clock)
        voice.on_found = find
        await voice.open()
        assert sorted(voice.living()) == ["at-9910", "at-9922"]
        for ear in ears.values():
            await ear.ended()
        statuses = [entry.status for entry in voice.calls(TRUNK, 0, 10)]
        await voice.close()
        return statuses

    assert run(main, start=START) == ["no_answer", "answered", "busy"]
    assert {name: one.is_answered for name, one in found.items()} == {"at-9910": True, "at-9922": False}
    assert ears["at-9922"].kinds == ["Ringing", "HungUp"]
    assert ears["at-9910"].kinds == ["HungUp"]


def test_calls_that_nobody_knows_are_hung_up(tmp_path: Path) -> None:
    begin(tmp_path)

    async def main(clock: VirtualClock) -> list[str]:
        voice = engine(tmp_path, clock)
        await voice.open()
        await clock.sleep(1)
        assert voice.living() == []
        statuses = [entry.status for entry in voice.calls(TRUNK, 0, 10)]
        await voice.close()
        return statuses

    assert run(main, start=START) == ["cancelled", "answered", "busy"]
