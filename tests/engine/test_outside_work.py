import asyncio
import sys
import threading
from datetime import UTC, datetime

import pytest

from callsheet.clock import outside
from callsheet.engine.virtual_time import VirtualLoop, run

START = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


def test_the_clock_stands_still_while_a_thread_works():
    async def main(clock):
        fired = []
        asyncio.get_running_loop().call_later(5, lambda: fired.append("too early"))
        gate = threading.Event()
        working = asyncio.create_task(asyncio.to_thread(gate.wait))
        for _ in range(200):
            await asyncio.sleep(0)
        gate.set()
        async with asyncio.timeout(1):
            assert await working
        return fired, clock.monotonic()

    assert run(main, start=START) == ([], 0)


def test_a_thread_is_out_until_it_ends_even_if_nobody_awaits_it_any_more():
    async def main(clock):
        begun, gate = threading.Event(), threading.Event()
        left = []

        def work():
            begun.set()
            gate.wait()
            left.append(clock.monotonic())

        task = asyncio.create_task(asyncio.to_thread(work))
        while not begun.is_set():
            await asyncio.sleep(0)
        task.cancel()
        threading.Timer(0.02, gate.set).start()
        await clock.sleep(1_000)
        return left, clock.monotonic()

    assert run(main, start=START) == ([0], 1_000)


def test_a_thread_whose_work_was_never_begun_does_not_stop_the_clock_for_ever():
    async def main(clock):
        loop = asyncio.get_running_loop()
        gate = threading.Event()
        first = [loop.run_in_executor(None, gate.wait) for _ in range(64)]  # more than there are threads
        last = loop.run_in_executor(None, gate.wait)
        last.cancel()
        gate.set()
        await asyncio.gather(*first)
        await clock.sleep(10)
        return clock.monotonic()

    assert run(main, start=START) == 10


def test_an_error_in_a_thread_comes_back_and_time_goes_on():
    async def main(clock):
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        await clock.sleep(4)
        return clock.monotonic()

    assert run(main, start=START) == 4


class Writer:
    """A thread of its own that answers by `call_soon_threadsafe`, as a store's writer does."""

    def __init__(self, declare):
        self.declare = declare
        self.answers = 0

    async def ask(self, pause):
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        token = self.declare("store writer")

        def answer():
            pause()
            self.answers += 1
            loop.call_soon_threadsafe(future.set_result, self.answers)
            token.back()
            token.back()  # a second time changes nothing

        threading.Thread(target=answer).start()
        return await future


@pytest.mark.parametrize("through_the_clock_module", [True, False])
def test_a_declared_writer_thread_answers_before_any_timeout(through_the_clock_module):
    async def main(clock):
        writer = Writer(outside if through_the_clock_module else clock.loop.outside)
        asyncio.get_running_loop().call_later(0.5, lambda: None)
        for _ in range(200):
            async with asyncio.timeout(1e-6):
                await writer.ask(lambda: None)
        both = await asyncio.gather(writer.ask(lambda: None), writer.ask(lambda: None))
        before = clock.monotonic()
        await clock.sleep(3)
        return sorted(both), before, clock.monotonic()

    answers, before, after = run(main, start=START)
    assert answers == [201, 202]
    assert (before, after) == (0, 3)


def test_an_answer_that_comes_while_the_loop_decides_how_far_to_jump_is_still_seen_first():
    class Deciding(VirtualLoop):
        before_next_reading = None

        def time(self):
            step, self.before_next_reading = self.before_next_reading, None
            if step:
                step()
            return super().time()

    async def main():
        answer = loop.create_future()
        work = loop.outside("writer")

        def write():
            loop.call_soon_threadsafe(answer.set_result, "written")
            work.back()

        writer = threading.Thread(target=write)
        alarm = loop.call_later(100, answer.set_result, "too late")
        # The loop reads the time when it has found nothing ready: the writer comes exactly then.
        loop.before_next_reading = lambda: (writer.start(), writer.join())
        said = await answer
        alarm.cancel()
        return said, loop.time()

    loop = Deciding()
    try:
        assert loop.run_until_complete(main()) == ("written", 0)
    finally:
        loop.close()


def test_a_child_process_is_waited_for_in_real_time():
    async def main(clock):
        with clock.loop.real_work():
            async with asyncio.timeout(1):
                child = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", "print('done')", stdout=asyncio.subprocess.PIPE
                )
                said, _ = await child.communicate()
        await clock.sleep(2)
        return said, child.returncode, clock.monotonic()

    assert run(main, start=START) == (b"done\n", 0, 2)


@pytest.mark.parametrize("watch_io", [True, False])
def test_sockets_are_served_while_the_clock_stands(watch_io):
    async def main(clock):
        async def echo(reader, writer):
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            with clock.loop.real_work("loopback"):
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                writer.write(b"hello\n")
                said = await reader.readline()
                writer.close()
                await writer.wait_closed()
        return said, clock.monotonic()

    assert run(main, start=START, watch_io=watch_io) == (b"hello\n", 0)


def test_work_that_never_comes_back_is_named_when_patience_ends():
    async def main(clock):
        clock.loop.outside("the lost writer")
        await clock.sleep(1)

    with pytest.raises(RuntimeError, match="the lost writer"):
        run(main, start=START, patience_seconds=0.01)


def test_a_stuck_thread_is_named_without_its_arguments():
    gate = threading.Event()

    def stay(number):
        gate.wait()

    async def main(clock):
        await asyncio.to_thread(stay, "+4915112345678")

    with pytest.raises(RuntimeError, match="stay") as caught:
        run(main, start=START, patience_seconds=0.01)
    gate.set()
    assert "+49" not in str(caught.value)


def test_work_that_comes_back_after_the_end_disturbs_nobody():
    loop = VirtualLoop()
    work = loop.outside("late")
    loop.close()

    work.back()
    thread = threading.Thread(target=work.back)
    thread.start()
    thread.join()
