"""One SQLite file: a writer thread that commits in groups, and readers beside it.

WAL with `synchronous=FULL`: what a call answered survives a power cut. A write is a function that runs on the writer
thread inside a savepoint of its own, so that one that fails takes nothing of its neighbours with it. In simulation
everything runs inline, on the thread of the loop.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from callsheet.core.errors import Unavailable

T = TypeVar("T")

GROUP_SIZE = 64
"""At most this many writes share a commit."""

READERS = 2

_PRAGMAS = (
    "pragma journal_mode=wal",
    "pragma synchronous=full",
    "pragma cache_size=-65536",
    "pragma temp_store=memory",
    "pragma wal_autocheckpoint=16000",
    "pragma busy_timeout=5000",
)

_AWAY: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
"""What a disk that is full or failing says, and a file that somebody else has locked."""

_PRIMARY: Final = 0xFF
"""The bits of an error code that name its family; the others tell details."""


@dataclass(slots=True)
class Session:
    """A connection in two languages: `raw` for statements written by hand, `core` for SQLAlchemy Core.

    Both speak in the transaction that the database began; neither may commit.
    """

    raw: sqlite3.Connection
    core: sa.Connection

    def close(self) -> None:
        """Close the connection itself."""
        self.raw.close()


_fresh = threading.local()
# One for all connections: what one has made of a statement, the others need not make again.
_engine = sa.create_engine(
    "sqlite+pysqlite://",
    creator=lambda: _fresh.raw,
    poolclass=NullPool,
    pool_reset_on_return=None,
    query_cache_size=1_000,
    # They may be phone numbers, and what an error quotes is logged.
    hide_parameters=True,
)
# Many rows are one statement: the sqlite3 module gives up the interpreter lock at every step, and a writer that has to
# get it back for each row stands still beside a busy loop, and all who wait for the writer with it.
_engine.dialect.use_insertmanyvalues_wo_returning = True


def connect(path: Path | str) -> Session:
    """Open a connection for both languages."""
    raw = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in _PRAGMAS:
        raw.execute(pragma)
    _fresh.raw = raw
    try:
        # SQLAlchemy begins for itself once, here, and never ends: BEGIN and COMMIT are said on the raw connection.
        core = _engine.connect()
    finally:
        del _fresh.raw
    if raw.in_transaction:
        raw.execute("rollback")
    return Session(raw, core)


@dataclass(slots=True)
class _Write:
    run: Callable[[Session], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


def _settle(writes: Sequence[_Write]) -> None:
    for write in writes:
        if write.future.done():
            continue
        if write.error is not None:
            write.future.set_exception(write.error)
        else:
            write.future.set_result(write.result)


@contextmanager
def _away_as_unavailable() -> Iterator[None]:
    """Say Unavailable where an error means that the file cannot be used now."""
    try:
        yield
    except (sqlite3.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if getattr(cause, "sqlite_errorcode", 0) & _PRIMARY in _AWAY:
            raise Unavailable(f"The database cannot take this now: {cause}. Nothing was stored.") from error
        raise


class SqliteDatabase:
    """The one owner of a database file.

    Every call raises Unavailable while the file cannot be used: its disk is full or failing, or it is locked.
    """

    def __init__(self, path: Path | str, *, inline: bool = False) -> None:
        """Open `path`. With `inline` every call runs on the caller's thread, for simulated time."""
        self.path = path
        self._inline = inline
        self._closed = False
        self._writer = connect(path)
        if inline:
            # Simulated time has no power cuts: its disk need not be waited for.
            self._writer.raw.execute("pragma synchronous=off")
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._readers: queue.SimpleQueue[Session] = queue.SimpleQueue()
        self._pool: ThreadPoolExecutor | None = None
        if not inline:
            self._thread = threading.Thread(target=self._work, name="callsheet-writer", daemon=True)
            self._thread.start()
            self._pool = ThreadPoolExecutor(READERS, "callsheet-reader")
            for _ in range(READERS):
                reader = connect(path)
                # Reports leaf through; only the writer comes back to its pages again and again.
                reader.raw.execute("pragma cache_size=-8192")
                self._readers.put(reader)

    async def write(self, run: Callable[[sa.Connection], T]) -> T:
        """Run a function of Core statements in a transaction of its own and return after its commit."""
        return await self._write(lambda session: run(session.core))

    async def write_raw(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Do the same for statements written by hand."""
        return await self._write(lambda session: run(session.raw))

    async def read(self, run: Callable[[sa.Connection], T]) -> T:
        """Run a function of Core statements on one snapshot, beside the writer."""
        return await self._read(lambda session: run(session.core))

    async def _write(self, run: Callable[[Session], T]) -> T:
        self._refuse_closed()
        with _away_as_unavailable():
            if self._inline:
                write = _Write(run, None)  # type: ignore[arg-type]
                self._commit([write])
                if write.error is not None:
                    raise write.error
                result: T = write.result
                return result
            future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            self._queue.put(_Write(run, future))
            return await future

    async def _read(self, run: Callable[[Session], T]) -> T:
        self._refuse_closed()
        with _away_as_unavailable():
            if self._pool is None:
                return run(self._writer)
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._look, run)

    def _refuse_closed(self) -> None:
        """Say at once what would otherwise wait for a thread that has ended."""
        if self._closed:
            raise Unavailable("The database is closed.")

    def _look(self, run: Callable[[Session], T]) -> T:
        session = self._readers.get()
        try:
            session.raw.execute("begin")
            try:
                return run(session)
            finally:
                if session.raw.in_transaction:
                    session.raw.execute("rollback")
        finally:
            self._readers.put(session)

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            writes, stop = [first], False
            while len(writes) < GROUP_SIZE and not stop:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stop = True
                else:
                    writes.append(more)
            self._commit(writes)
            self._tell(writes)
            if stop:
                return

    @staticmethod
    def _tell(writes: Sequence[_Write]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Write]] = {}
        for write in writes:
            by_loop.setdefault(write.future.get_loop(), []).append(write)
        for loop, mine in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, mine)

    def _commit(self, writes: Sequence[_Write]) -> None:
        raw = self._writer.raw
        try:
            raw.execute("begin immediate")
            for write in writes:
                self._attempt(write)
            raw.execute("commit")
        except BaseException as error:  # noqa: BLE001 - whoever waits must learn of it, whatever it is
            for write in writes:
                write.error = write.error or error
            # On a disk that fails this may fail too; the writer has to outlive it.
            with suppress(sqlite3.Error):
                if raw.in_transaction:
                    raw.execute("rollback")

    def _attempt(self, write: _Write) -> None:
        raw = self._writer.raw
        raw.execute("savepoint mine")
        try:
            write.result = write.run(self._writer)
        except BaseException as error:
            write.error = error
            if not raw.in_transaction:
                raise
            raw.execute("rollback to mine")
        raw.execute("release mine")

    async def close(self) -> None:
        """Finish what is queued and close. A second call changes nothing."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.get_running_loop().run_in_executor(self._pool, self._thread.join)
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            while not self._readers.empty():
                self._readers.get().close()
        self._writer.close()
