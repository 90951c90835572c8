"""Virtual time: an event loop whose clock jumps to the next timer instead of waiting for it.

The same loops that run in production run here a million seconds in moments, and the same seed gives the same
order of events. Loop time starts at 0; the wall clock is `start` plus loop time plus what was stepped.

**The clock stands still while work is out.** A thread or a child process works in real time; if virtual time
ran on meanwhile, every time-out would fire before its answer. A component declares that it is out like this:

- `asyncio.to_thread` and `loop.run_in_executor` are counted by themselves, until the function has ended, even
  if the task that awaited it was cancelled.
- Awaits of something real (a subprocess, a socket to another process): `with loop.real_work():` around them.
- A thread of its own, such as a store's writer: `token = loop.outside("store writer")` on the loop, before
  the work leaves; in the thread first `loop.call_soon_threadsafe(...)` with the result, then `token.back()`.
- Code below the engine cannot import this module and calls `callsheet.clock.outside`, which does the same.

Timers stand too while work is out: a time-out cannot end it. If nothing comes back for `patience_seconds` of
real time, the run ends with an error that says who is out.

**Same seed, same order.** Tasks hash by their order of birth, so `asyncio.wait` and `TaskGroup`, which keep
tasks in sets, go through them in the same order in every run. What remains outside the promise: work in
threads and sockets (it comes back at some real moment), `asyncio.as_completed` over bare coroutines, and
tasks' default names, which are numbered through the whole process.

Only `asyncio.timeout` limits a wait; the older call for that hung here on Python 3.11.
"""

import asyncio
import concurrent.futures
import functools
import math
import selectors
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar, TypeVarTuple

from callsheet.clock import Clock, from_micros, to_micros

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

PATIENCE_SECONDS: Final = 60.0
_POLLS_PER_LOOK: Final = 64
# Timers within this are due together. The stock figure of 1e-9 is finer than a float can tell from 2**23
# seconds (97 days) on, and the loop would spin for ever; 2**-23 (0.12 µs) is good for 34 years.
_RESOLUTION_SECONDS: Final = 2.0**-23
_IDLE: Final = "idle: every task waits and no timer is set"
_TASKS_TO_NAME: Final = 10


class OutsideWork:
    """A piece of work that is out. `VirtualLoop.outside` makes it; also a context manager."""

    __slots__ = ("_loop", "what")

    def __init__(self, loop: "VirtualLoop", what: str) -> None:
        self._loop = loop
        self.what = what

    def back(self) -> None:
        """Say that the work is back. From any thread, after its result was handed to the loop; idempotent."""
        self._loop.take_back(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.back()


class _NumberedTask(asyncio.Task[T]):
    """A task that hashes by its order of birth in its loop, so that sets of tasks have an order."""

    __slots__ = ("number",)

    def __init__(self, coro: Any, *, number: int, **options: Any) -> None:
        self.number = number  # before the base class, which puts the task into a set
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class _VirtualSelector(selectors.BaseSelector):
    """Moves the loop's clock where an ordinary selector would wait."""

    def __init__(self, *, patience_seconds: float, watch_io: bool) -> None:
        self._real = selectors.DefaultSelector()
        self._patience_seconds = patience_seconds
        self._polls_between_looks = 1 if watch_io else _POLLS_PER_LOOK
        self._polls = 0
        self.now_seconds = 0.0
        self.out: dict[OutsideWork, None] = {}
        self.gave_up = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout == 0:
            # Must come first: callbacks are ready, and waiting for outside work would hold them up.
            return self._poll()
        if self.out:
            return self._await_outside()
        if timeout is None:
            ready = self._real.select(0)
            if not ready:
                raise RuntimeError(_IDLE)
            return ready
        ready = self._poll()
        if not ready:
            # A wait shorter than a float can tell at this time must still move the clock.
            now = self.now_seconds
            self.now_seconds = max(now + timeout, math.nextafter(now, math.inf))
        return ready

    def _poll(self) -> list[tuple[selectors.SelectorKey, int]]:
        """Look at real files now and then only: a system call for each event would cost half the speed."""
        self._polls += 1
        if self._polls < self._polls_between_looks:
            return []
        self._polls = 0
        return self._real.select(0)

    def _await_outside(self) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(self._patience_seconds)
        if not ready:
            self.gave_up = True
            names = ", ".join(sorted({work.what for work in self.out}))
            raise RuntimeError(f"outside work did not come back in {self._patience_seconds} s: {names}")
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.get_key(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with virtual time: see the module's text. Use `run`, which also closes it properly.

    `patience_seconds` is how much real time outside work may take without a sign of life. `watch_io` looks at
    sockets before every jump instead of at every 64th poll; needed only where sockets are used undeclared.
    """

    # Names of the base class that a loop of one's own has to know.
    _clock_resolution: float
    _default_executor: concurrent.futures.Executor | None
    _executor_shutdown_called: bool
    _thread_id: int | None  # None while the loop does not run

    def __init__(self, *, patience_seconds: float = PATIENCE_SECONDS, watch_io: bool = False) -> None:
        self._virtual = _VirtualSelector(patience_seconds=patience_seconds, watch_io=watch_io)
        self._births = 0
        super().__init__(self._virtual)
        self._clock_resolution = _RESOLUTION_SECONDS
        self.set_task_factory(self._bear)

    def time(self) -> float:
        """Give virtual seconds since the loop was made."""
        return self._virtual.now_seconds

    def outside(self, what: str) -> OutsideWork:
        """Stop the clock until the returned work's `back()`. Call it on the loop, before the work leaves."""
        work = OutsideWork(self, what)
        self._virtual.out[work] = None
        return work

    def real_work(self, what: str = "real work") -> OutsideWork:
        """Stop the clock inside `with loop.real_work():`, for awaits of something real, like a subprocess."""
        return self.outside(what)

    def take_back(self, work: OutsideWork) -> None:
        """Count work as back; `OutsideWork.back` calls it, from any thread."""
        if self.is_closed():
            return
        if self._thread_id in (None, threading.get_ident()):
            self._virtual.out.pop(work, None)
            return
        # Through the queue, behind the result: counted back at once, the loop might jump before it sees it.
        try:
            self.call_soon_threadsafe(self._virtual.out.pop, work, None)
        except RuntimeError:
            if not self.is_closed():
                raise

    def run_in_executor(
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """Run a function in a thread or process; the clock stands still until it has ended."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        inner = (executor or self._threads()).submit(func, *args)
        work = self.outside(_name_of(func))
        outer = asyncio.wrap_future(inner, loop=self)
        # On the inner future: a cancelled await does not stop the thread. Added last, it is told last.
        inner.add_done_callback(lambda _: work.back())
        return outer

    def _threads(self) -> concurrent.futures.Executor:
        if self._executor_shutdown_called:
            raise RuntimeError("Executor shutdown has been called")
        if self._default_executor is None:
            self._default_executor = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="virtual-time")
        return self._default_executor

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 (the base class's signature)
        """End the default executor's threads, waiting for them in real time and without an await.

        The stock one waits on the loop for a thread that it did not declare: an idle error on 3.11.
        """
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=not self._virtual.gave_up, cancel_futures=True)

    def _bear(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **options: Any,
    ) -> "_NumberedTask[Any]":
        self._births += 1
        return _NumberedTask(coro, number=self._births, loop=loop, **options)


def _name_of(func: Callable[..., Any]) -> str:
    """Name a function for an error, without its arguments: they may be personal."""
    if isinstance(func, functools.partial):  # asyncio.to_thread passes partial(context.run, function, ...)
        func = func.args[0] if func.args and callable(func.args[0]) else func.func
    return str(getattr(func, "__qualname__", type(func).__name__))


class VirtualClock(Clock):
    """A `Clock` over a virtual loop: the wall is `start` plus loop time plus all steps.

    `start` is aware; its microsecond is the unit of the wall clock. Raises TypeError if it is naive.
    """

    __slots__ = ("_loop", "_offset_micros", "_start_micros")

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        self._loop = loop
        self._start_micros = to_micros(start)
        self._offset_micros = 0

    @property
    def loop(self) -> VirtualLoop:
        """The loop whose time this clock shows, for `outside` and `real_work`."""
        return self._loop

    def now(self) -> datetime:
        """Give the virtual wall clock in UTC, to the nearest microsecond."""
        elapsed_micros = round(self._loop.time() * 1_000_000)
        return from_micros(self._start_micros + elapsed_micros + self._offset_micros)

    def monotonic(self) -> float:
        """Give virtual seconds since the loop was made; steps of the wall clock do not move them."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many virtual seconds."""
        await asyncio.sleep(seconds)

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock forward, or back by a negative figure, as an operator or NTP would."""
        self._offset_micros += round(seconds * 1_000_000)


def run(
    main: Callable[[VirtualClock], Awaitable[T]],
    *,
    start: datetime,
    patience_seconds: float = PATIENCE_SECONDS,
    watch_io: bool = False,
) -> T:
    """Run `main` in virtual time from the aware instant `start` to its end, and give what it returns.

    Afterwards every other task is cancelled, oldest first, and asynchronous generators and threads are
    closed. Raises RuntimeError when every task waits and no timer is set, or when outside work did not come
    back in `patience_seconds` of real time; TypeError for a naive start.
    """
    loop = VirtualLoop(patience_seconds=patience_seconds, watch_io=watch_io)
    try:
        clock = VirtualClock(loop, start)
        return loop.run_until_complete(_begin(main, clock))
    except RuntimeError as error:
        _name_waiting(loop, error)
        raise
    finally:
        _close(loop)


async def _begin(main: Callable[[VirtualClock], Awaitable[T]], clock: VirtualClock) -> T:
    return await main(clock)


def _tasks(loop: VirtualLoop) -> list[asyncio.Task[Any]]:
    """List the unfinished tasks, oldest first."""
    return sorted(asyncio.all_tasks(loop), key=hash)


def _name_waiting(loop: VirtualLoop, error: RuntimeError) -> None:
    """Say in an idle error which tasks wait: without it the error leaves the reader alone."""
    if error.args == (_IDLE,):
        for task in _tasks(loop)[:_TASKS_TO_NAME]:
            error.add_note(f"waits: {task!r}")
        error.add_note("a thread that would have answered must be declared: loop.outside(...)")


def _close(loop: VirtualLoop) -> None:
    try:
        tasks = _tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(_gather(tasks))
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                loop.call_exception_handler(
                    {"message": "a task failed while virtual time ended", "exception": error, "task": task}
                )
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


async def _gather(tasks: list[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
