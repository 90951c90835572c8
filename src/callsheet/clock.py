"""The clock, as an argument: everything above `core` asks the time here and nowhere else.

Production passes a `SystemClock`; simulations pass `engine.virtual_time.VirtualClock`. Two readings are
kept apart on purpose: `now()` is the wall clock, which people set and which may jump; `monotonic()` never
goes back and decides about leases and time-outs.

Work that leaves the event loop (a thread, a child process, a database connection) declares itself with
`outside(...)`, so that virtual time waits for it. With an ordinary loop that costs one failed look-up.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Protocol, Self

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SINCE_BOOT: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)  # Linux only
_MICROSECOND: Final = timedelta(microseconds=1)


class Clock(Protocol):
    """What the engine, the store and the carriers may know about time."""

    def now(self) -> datetime:
        """Give the wall clock's instant, aware and in UTC. It may jump, backwards too."""

    def monotonic(self) -> float:
        """Give seconds since some fixed moment. They never go back and do not follow the wall clock."""

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop for so many seconds; zero lets every other ready task run once."""


class SystemClock(Clock):
    """The machine's clock."""

    __slots__ = ()

    def now(self) -> datetime:
        """Give the machine's wall clock in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give seconds since the machine was started, those included in which it slept: no lease survives a nap."""
        return time.clock_gettime(_SINCE_BOOT) if _SINCE_BOOT is not None else time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop for so many seconds."""
        await asyncio.sleep(seconds)


def to_micros(at: datetime) -> int:
    """Give an aware instant as whole microseconds since 1970 UTC, as the store keeps it. Exact.

    Raises TypeError for an instant without a zone.
    """
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """Give the aware UTC instant of whole microseconds since 1970. Exact; the inverse of `to_micros`.

    Raises OverflowError outside the years 1 to 9999.
    """
    return EPOCH + _MICROSECOND * micros


class Outside(Protocol):
    """Says that work is out; `back()` says once that it has come back. Also a context manager."""

    def back(self) -> None:
        """Say that the work is back. From any thread; a second call changes nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class _NotCounted:
    """The answer of an ordinary loop, whose clock waits for nobody."""

    __slots__ = ()

    def back(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        return None


_NOT_COUNTED: Final = _NotCounted()


def outside(what: str) -> Outside:
    """Declare that work named `what` leaves the running event loop, until its `back()` is called.

    On the loop, around an await that waits for something real:

        with outside("postgres"):
            rows = await connection.fetch(query)

    With a thread of one's own, take it on the loop before the work leaves, and give it back after the result
    was handed to the loop, in this order, or the clock may jump in between:

        token = outside("store writer")
        writer.put(work, lambda result: (loop.call_soon_threadsafe(future.set_result, result), token.back()))

    `asyncio.to_thread` and `loop.run_in_executor` declare themselves. Without a running loop, or with an
    ordinary one, nothing happens.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _NOT_COUNTED
    declare = getattr(loop, "outside", None)
    if declare is None:
        return _NOT_COUNTED
    token: Outside = declare(what)
    return token
