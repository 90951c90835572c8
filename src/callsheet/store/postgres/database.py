"""One PostgreSQL database, and two pools of connections to it.

Statements written by hand and SQLAlchemy Core have a pool each, because the planner must behave differently for them.
A hot statement is prepared once, perhaps on an empty table, and has to be right for ten million rows: its connections
take index lookups for certain and never plan again. Reports keep the planner's freedom.

A transaction is begun on the raw connection in either case; SQLAlchemy runs in AUTOCOMMIT and begins nothing. Isolation
is READ COMMITTED: each statement sees what was committed when it began, so what a statement reads after it got a lock
is what the last holder of that lock left. Reads for people are one REPEATABLE READ snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Final, Protocol, TypeVar

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from callsheet.clock import outside
from callsheet.core.errors import Unavailable

T = TypeVar("T")

HOT_CONNECTIONS = 8
CORE_CONNECTIONS = 10
"""As many as a node's loops and its callers use side by side: one more is made in haste and thrown away again, which
costs more than a transaction, and knows no statement yet."""
_CORE_IN_HASTE = 4

_STATEMENT_SECONDS = 60.0
"""A statement that takes longer has lost its server."""

_SERVER_SETTINGS: Mapping[str, str] = {
    "application_name": "callsheet",
    # A node that stands still in a transaction holds what forbidding calls wait for: the server ends it.
    "idle_in_transaction_session_timeout": "10s",
}
_HOT_SETTINGS: Mapping[str, str] = {
    **_SERVER_SETTINGS,
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
}

_TRIES = 10
_AGAIN: Final = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        # Somebody inserted the same row meanwhile: whoever looks again finds it, and says so in words of its own.
        "23505",  # unique_violation
        "0A000",  # feature_not_supported: a prepared statement met a changed table; the driver has dropped it now
    }
)
_AWAY: Final = frozenset(
    {
        "25006",  # read_only_sql_transaction: the server became a standby
        "25P03",  # idle_in_transaction_session_timeout
        "57014",  # query_canceled: by a time limit of the server, or by hand
        "57P01",  # admin_shutdown
        "57P02",  # crash_shutdown
        "57P03",  # cannot_connect_now
    }
)
_CLOSE_SECONDS: Final = 10.0
"""How long a connection that does not come back is waited for at the end."""
_AWAY_CLASSES: Final = ("08", "53", "58")
"""Connection exceptions, resources that ran out (disk, memory, connections), and errors of the server's machine."""

_DRIVER_ERRORS = (
    asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, DBAPIError, PoolTimeout, OSError
)  # fmt: skip


class Raw(Protocol):
    """What the hot operations use of an asyncpg connection."""

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement and return its tag: `INSERT 0 5`."""

    async def fetch(self, query: str, *args: object) -> Sequence[Any]:
        """Run a statement and return its rows."""

    async def fetchrow(self, query: str, *args: object) -> Any:
        """Run a statement and return its first row, or None."""

    async def fetchval(self, query: str, *args: object) -> Any:
        """Run a statement and return the first value of its first row, or None."""

    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str:
        """Load rows by COPY."""

    def transaction(self, *, isolation: str | None = None, readonly: bool = False) -> AbstractAsyncContextManager[Any]:
        """Begin, and commit or roll back at the end."""

    def terminate(self) -> None:
        """Close the connection at once."""

    def is_closed(self) -> bool:
        """Tell whether the connection is gone."""


class PostgresDatabase:
    """A PostgreSQL database, as one node sees it. Make it with `open`."""

    def __init__(self, pool: Any, engine: AsyncEngine) -> None:
        self._pool = pool
        self._engine = engine

    @classmethod
    async def open(
        cls, url: str, *, hot_connections: int = HOT_CONNECTIONS, core_connections: int = CORE_CONNECTIONS
    ) -> PostgresDatabase:
        """Open the pools; `url` is a `postgresql://` URL as asyncpg reads it. Raises Unavailable."""
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=hot_connections,
                command_timeout=_STATEMENT_SECONDS,
                server_settings=dict(_HOT_SETTINGS),
                reset=_leave_as_it_is,
            )
        except _DRIVER_ERRORS as error:
            # Whoever starts a node must know why; whoever calls it later need not.
            raise Unavailable(f"The database does not let us in: {error}.") from error
        engine = create_async_engine(
            "postgresql+asyncpg://",
            # asyncpg reads the URL itself, so that both pools mean the same by it.
            async_creator=lambda: asyncpg.connect(
                url, command_timeout=_STATEMENT_SECONDS, server_settings=dict(_SERVER_SETTINGS)
            ),
            isolation_level="AUTOCOMMIT",
            pool_size=core_connections,
            max_overflow=_CORE_IN_HASTE,
            # The one that was used last knows most statements.
            pool_use_lifo=True,
            hide_parameters=True,
        )
        sa.event.listen(engine.sync_engine, "checkout", _refuse_closed)
        return cls(pool, engine)

    async def write(self, run: Callable[[sa.Connection], T]) -> T:
        """Run a function of Core statements in a transaction of its own and return after its commit.

        It runs again when another node was in its way, so it must do nothing but SQL. Raises Unavailable.
        """
        return await self._repeat(lambda: self._run_core(run))

    async def read(self, run: Callable[[sa.Connection], T]) -> T:
        """Run a function of Core statements on one snapshot. Raises Unavailable."""
        return await self._repeat(lambda: self._run_core(run, isolation="repeatable_read", readonly=True))

    async def write_raw(self, run: Callable[[Raw], Awaitable[T]]) -> T:
        """Do what `write` does for statements written by hand."""

        async def attempt() -> T:
            async with self.transaction() as raw:
                return await run(raw)

        return await self._repeat(attempt)

    async def ask(self, query: str, *args: object) -> Sequence[Any]:
        """Run one hot statement, which is a transaction by itself, and return its rows. Raises Unavailable."""

        async def attempt() -> Sequence[Any]:
            async with self._hot() as raw:
                return await raw.fetch(query, *args)

        return await self._repeat(attempt)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Raw]:
        """Begin a transaction for statements written by hand; it commits at the end. Raises Unavailable.

        When the connection dies at the commit nobody knows whether there was one.
        """
        async with self._hot() as raw, raw.transaction():
            yield raw

    async def close(self) -> None:
        """Let what runs finish, for a while, and close."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()
        await self._engine.dispose()

    @asynccontextmanager
    async def _hot(self) -> AsyncIterator[Raw]:
        with _shut_as_unavailable():
            raw = await self._pool.acquire()
        try:
            with _away_as_unavailable(raw):
                yield raw
        finally:
            await self._pool.release(raw)

    async def _run_core(self, run: Callable[[sa.Connection], T], **mode: Any) -> T:
        with _shut_as_unavailable():
            core = await self._engine.connect().start()
        try:
            raw = await _raw_of(core)
            with _away_as_unavailable(raw):
                async with raw.transaction(**mode):
                    return await core.run_sync(run)
        finally:
            await core.close()

    async def _repeat(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Repeat what another node was in the way of: nothing of it was committed."""
        with outside("postgres"):
            for _ in range(_TRIES - 1):
                try:
                    return await attempt()
                except _DRIVER_ERRORS as error:
                    if _state_of(error) not in _AGAIN and not isinstance(error, asyncpg.OutdatedSchemaCacheError):
                        raise
            return await attempt()


@contextmanager
def _shut_as_unavailable() -> Iterator[None]:
    """Say Unavailable where the database does not let us in, whatever its reason."""
    try:
        yield
    except _DRIVER_ERRORS as error:
        raise Unavailable from error


@contextmanager
def _away_as_unavailable(raw: Raw) -> Iterator[None]:
    """Say Unavailable where an error means that the database went away."""
    try:
        yield
    except asyncio.CancelledError:
        # Between two statements the driver loses count of its transactions; nobody is to have this connection again.
        raw.terminate()
        raise
    except _DRIVER_ERRORS as error:
        if _was_cut_off(error):
            raw.terminate()
            raise asyncio.CancelledError from error
        if _is_away(error) or _is_closed(raw):
            raise Unavailable from error
        if _is_confused(error):
            raw.terminate()
            raise Unavailable from error
        raise


def _was_cut_off(error: BaseException) -> bool:
    """Tell whether an error hides that we were cancelled: rolling back a cancelled connection fails in its stead."""
    context: BaseException | None = error
    while context is not None and not isinstance(context, asyncio.CancelledError):
        context = context.__context__
    return context is not None


def _is_away(error: BaseException) -> bool:
    state = _state_of(error)
    return isinstance(error, OSError | PoolTimeout) or state in _AWAY or state.startswith(_AWAY_CLASSES)


def _is_closed(raw: Raw) -> bool:
    try:
        return raw.is_closed()
    except asyncpg.InterfaceError:
        # The pool has taken it back already.
        return True


def _is_confused(error: BaseException) -> bool:
    """A server that ends a connection says so unasked, and the driver does not understand until it sees the end."""
    return isinstance(error, asyncpg.InternalClientError) and not isinstance(error, asyncpg.OutdatedSchemaCacheError)


def _state_of(error: BaseException) -> str:
    """Return the SQLSTATE of an error, of asyncpg or of SQLAlchemy around it; empty when it has none."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) or ""


async def _raw_of(core: AsyncConnection) -> Raw:
    connection: Any = (await core.get_raw_connection()).driver_connection
    raw: Raw = connection
    return raw


async def _leave_as_it_is(_connection: object) -> None:
    """Spare the round trip that would reset a connection: nothing of ours outlives its transaction."""


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Let the pool replace a connection that died while it lay there."""
    if connection.driver_connection.is_closed():
        raise sa.exc.DisconnectionError
