"""Who writes the ledger: a thread that commits together what arrived together, or the calling thread."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from callsheet.carriers.sandbox.tables import Entry, write_together
from callsheet.clock import Outside, outside

_ENTRIES_PER_COMMIT: Final = 1_000

After = Callable[[], None]
"""Called on the event loop once an entry is durable, also when nobody waits for it any more."""


class Writer(Protocol):
    """Makes entries durable, in the order in which they come."""

    commits: int
    """How many transactions were committed so far."""

    async def commit(self, entry: Entry, after: After | None = None) -> None:
        """Return once the entry is durable. Being cancelled does not take the entry back."""

    def close(self) -> None:
        """Write what was given, and let go of the connection."""


class InlineWriter:
    """Writes on the calling thread, one transaction an entry: for simulated time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.commits = 0

    async def commit(self, entry: Entry, after: After | None = None) -> None:
        """Write the entry at once, without letting any other task run."""
        write_together(self._connection, [entry])
        self.commits += 1
        if after is not None:
            after()

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


class _Waiting(NamedTuple):
    entry: Entry
    future: asyncio.Future[None]
    after: After | None
    out: Outside


class ThreadWriter:
    """Writes on a thread of its own; what arrives while one commit is under way shares the next."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._closed = False
        self.commits = 0
        self._thread = threading.Thread(target=self._run, name="sandbox-ledger", daemon=True)
        self._thread.start()

    async def commit(self, entry: Entry, after: After | None = None) -> None:
        """Wait for the commit that the entry shares with others. Raises RuntimeError after `close`."""
        if self._closed:
            raise RuntimeError("the sandbox ledger is closed")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put(_Waiting(entry, future, after, outside("sandbox ledger")))
        await future

    def close(self) -> None:
        """Write what was given, end the thread, and let go of the connection."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
            self._connection.close()

    def _run(self) -> None:
        while batch := self._collect():
            errors = self._write(batch)
            self._hand_back(batch, errors)

    def _collect(self) -> list[_Waiting]:
        """Wait for an entry, and take all that is there; nothing means the end."""
        batch: list[_Waiting] = []
        waiting = self._queue.get()
        while waiting is not None:
            batch.append(waiting)
            if len(batch) == _ENTRIES_PER_COMMIT or self._queue.empty():
                return batch
            waiting = self._queue.get()
        if batch:
            self._queue.put(None)  # the end, for the next turn: nothing comes after it
        return batch

    def _write(self, batch: Sequence[_Waiting]) -> list[Exception | None]:
        """Write a batch, and say for each entry what went wrong."""
        try:
            write_together(self._connection, [waiting.entry for waiting in batch])
        except Exception as error:  # noqa: BLE001 (whatever it is, the one who waits has to know)
            if len(batch) == 1:
                return [error]
            # One entry that cannot be written must not take its neighbours with it.
            return [self._write([waiting])[0] for waiting in batch]
        self.commits += 1
        return [None] * len(batch)

    def _hand_back(self, batch: Sequence[_Waiting], errors: Sequence[Exception | None]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Exception | None]]] = {}
        for waiting, error in zip(batch, errors, strict=True):
            by_loop.setdefault(waiting.future.get_loop(), []).append((waiting, error))
        for loop, outcomes in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle, outcomes)
            except RuntimeError:  # the loop is closed: nobody waits there
                if not loop.is_closed():
                    raise
        for waiting in batch:
            waiting.out.back()


def _settle(outcomes: Sequence[tuple[_Waiting, Exception | None]]) -> None:
    for waiting, error in outcomes:
        if error is None and waiting.after is not None:
            waiting.after()
        if waiting.future.done():  # cancelled meanwhile
            continue
        if error is None:
            waiting.future.set_result(None)
        else:
            waiting.future.set_exception(error)
