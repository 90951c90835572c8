"""Stop: what SIGTERM and Ctrl-C do to a command."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from callsheet.cli.exits import INTERRUPTED

T = TypeVar("T")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Told(asyncio.Event):
    """That somebody wants an end: set by the first signal."""

    def __init__(self) -> None:
        super().__init__()
        self.waits_for: Callable[[], int] = lambda: 0
        """Returns how many things are waited for that the next signal breaks off."""
        self.again = asyncio.Event()
        """It did."""

    def hear(self, number: signal.Signals) -> None:
        """Take a signal."""
        if not self.is_set():
            self.set()
        elif self.waits_for() and not self.again.is_set():
            self.again.set()
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


@contextmanager
def told_to_stop() -> Iterator[Told]:
    """Give an event that the first SIGTERM or SIGINT sets; the second one ends the process at once.

    While calls are waited for it ends these, and the third one the process.
    """
    loop = asyncio.get_running_loop()
    told = Told()

    for number in _SIGNALS:
        loop.add_signal_handler(number, partial(told.hear, number))
    try:
        yield told
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


async def until_told() -> None:
    """Wait for the signal that is the ordinary end of a command under `run`."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


async def _unless_told(work: Coroutine[Any, Any, T]) -> T:
    with told_to_stop() as told:
        task = asyncio.create_task(work)
        telling = asyncio.create_task(told.wait())
        await asyncio.wait({task, telling}, return_when=asyncio.FIRST_COMPLETED)
        telling.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        return await task


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; a signal cancels it, and what it opened is closed in order."""
    try:
        return asyncio.run(_unless_told(work))
    except asyncio.CancelledError:
        raise SystemExit(INTERRUPTED) from None
