import asyncio
import hashlib
import os
import random
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from callsheet.engine.virtual_time import VirtualClock, run

START = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


class Simulation:
    """Producers, a queue, time-outs, task groups and races: all that happens goes into a digest, in order."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.digest = hashlib.sha256()
        self.events = 0

    def note(self, *facts):
        self.events += 1
        self.digest.update(repr((self.clock.now().isoformat(), self.clock.monotonic(), *facts)).encode())

    async def produce(self, number):
        while True:
            await self.clock.sleep(self.chance.expovariate(0.1))
            await self.queue.put((number, self.chance.random()))
            self.note("put", number)

    async def consume(self, number):
        while True:
            try:
                async with asyncio.timeout(self.chance.uniform(0, 2)):
                    item = await self.queue.get()
            except TimeoutError:
                self.note("tired", number)
            else:
                self.note("got", number, item)

    async def race(self, lane):
        try:
            await self.clock.sleep(self.chance.choice((50, 60)))
        finally:
            self.note("end of race", lane)
        return lane

    async def hold_races(self):
        while True:
            racers = {asyncio.create_task(self.race(lane)) for lane in range(20)}
            done, late = await asyncio.wait(racers, return_when=asyncio.FIRST_COMPLETED)
            for racer in done:
                self.note("first", racer.result())
            for racer in late:
                racer.cancel()
                await self.clock.sleep(1)

    async def main(self, clock: VirtualClock):
        self.clock = clock
        self.queue = asyncio.Queue(maxsize=5)
        async with asyncio.timeout(self.seconds), asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(self.produce(number))
                group.create_task(self.consume(number))
            group.create_task(self.hold_races())


def simulate(seed, *, seconds=2_000.0):
    simulation = Simulation(seed)
    simulation.seconds = seconds
    with pytest.raises(TimeoutError):
        run(simulation.main, start=START)
    return simulation.digest.hexdigest()


def test_the_same_seed_gives_the_same_events_and_another_seed_gives_others():
    first = simulate(1)
    ballast = [object() for _ in range(1_000)]  # other memory addresses for the second run's tasks
    again = simulate(1)

    assert first == again
    assert simulate(2) != first
    assert ballast


def test_another_process_gives_the_same_events_for_the_same_seed():
    program = f"import sys; sys.path.insert(0, {str(__file__.rpartition('/')[0])!r})\n"
    program += "import test_virtual_time as t; print(t.simulate(7, seconds=2_000.0))"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }

    assert digests == {simulate(7, seconds=2_000.0) + "\n"}


def test_a_million_seconds_pass_without_being_waited_for():
    async def main(clock):
        async def tick():
            for _ in range(1_000):
                await clock.sleep(1_000)

        await asyncio.gather(*(tick() for _ in range(10)))
        return clock.monotonic(), clock.now()

    monotonic, now = run(main, start=START)

    assert monotonic == 1_000_000
    assert now == START + timedelta(seconds=1_000_000)


def test_wall_and_monotonic_begin_at_start_and_zero():
    async def main(clock):
        return clock.now(), clock.monotonic(), clock.loop.time()

    assert run(main, start=START) == (START, 0, 0)


def test_the_wall_shows_the_exact_microsecond_of_a_timer():
    async def main(clock):
        seen = []
        for micros in (1, 333_333, 999_999, 60_000_001, 86_400_000_000 * 300):
            before = clock.now()
            await clock.sleep(micros / 1_000_000)
            seen.append((clock.now() - before) // timedelta(microseconds=1) - micros)
        return seen

    assert run(main, start=START) == [0, 0, 0, 0, 0]


def test_a_start_without_a_zone_is_refused():
    async def main(clock):
        return None

    with pytest.raises(TypeError):
        run(main, start=datetime(2026, 3, 28))  # noqa: DTZ001 (the mistake under test)


def test_a_stepped_wall_clock_moves_neither_the_monotonic_clock_nor_the_timers():
    async def main(clock):
        fired = []
        asyncio.get_running_loop().call_later(10, lambda: fired.append(clock.monotonic()))
        await clock.sleep(5)
        for step in (-86_400, -3_600.5, 3_600.5, 86_400 * 2):
            clock.step_wall(step)
            assert clock.monotonic() == 5
        await clock.sleep(6)
        return fired, clock.monotonic(), clock.now()

    assert run(main, start=START) == ([10], 11, START + timedelta(days=1, seconds=11))


def test_a_deadlock_is_reported_with_the_tasks_that_wait():
    async def waits_for_nobody():
        await asyncio.Event().wait()

    async def main(clock):
        await clock.sleep(3)
        await asyncio.gather(waits_for_nobody(), asyncio.Event().wait())

    with pytest.raises(RuntimeError, match=r"^idle") as caught:
        run(main, start=START)
    assert str(caught.value) == "idle: every task waits and no timer is set"
    assert any("waits_for_nobody" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("after_seconds", [0, 2.0**23, 2.0**26, 1e9])
def test_tiny_sleeps_end_even_when_the_loop_is_old(after_seconds):
    # A float cannot tell 1e9 from 1e9 + 1e-9: a clock that adds such a wait would stand still for ever.
    async def main(clock):
        await clock.sleep(after_seconds)
        for _ in range(100):
            await clock.sleep(1e-9)
            await clock.sleep(1e-7)
            await clock.sleep(0.1)
        return clock.monotonic()

    assert run(main, start=START) >= after_seconds + 9.9


def test_ready_tasks_run_before_time_moves():
    async def main(clock):
        async def spin():
            for _ in range(1_000):
                await asyncio.sleep(0)
            return clock.monotonic()

        alarm = asyncio.create_task(clock.sleep(0.001))
        times = await asyncio.gather(*(spin() for _ in range(10)))
        await alarm
        return set(times)

    assert run(main, start=START) == {0}


def test_a_timeout_around_a_queue_ends():
    async def main(clock):
        for _ in range(100):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(7):
                    await asyncio.Queue().get()
        return clock.monotonic()

    assert run(main, start=START) == 700


def test_every_task_is_cancelled_at_the_end_oldest_first():
    ended = []

    async def forever(number):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)
            await asyncio.sleep(1)  # a clean-up may take virtual time
            ended.append("all")

    async def main(clock):
        tasks = [asyncio.create_task(forever(number)) for number in range(50)]
        await asyncio.sleep(0)
        return len(tasks)

    assert run(main, start=START) == 50
    assert ended == [*range(50), *["all"] * 50]


def test_asynchronous_generators_are_shut():
    ended = []

    async def numbers():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            ended.append("shut")

    kept = numbers()

    async def main(clock):
        return await anext(kept)

    assert run(main, start=START) == 1
    assert ended == ["shut"]


def test_threads_have_ended_when_the_run_has():
    async def main(clock):
        await asyncio.gather(*(asyncio.to_thread(threading.get_ident) for _ in range(5)))

    run(main, start=START)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("virtual-time")]


def test_a_task_that_fails_in_its_clean_up_is_reported(caplog):
    async def fails():
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("clean-up failed")

    async def main(clock):
        task = asyncio.create_task(fails())
        await asyncio.sleep(0)
        return task.done()

    assert run(main, start=START) is False
    assert "clean-up failed" in caplog.text


def test_an_error_in_main_comes_out_and_the_loop_is_closed():
    loops = []

    async def main(clock):
        loops.append(clock.loop)
        await clock.sleep(1)
        raise LookupError("main failed")

    with pytest.raises(LookupError, match="main failed"):
        run(main, start=START)
    assert loops[0].is_closed()
