"""Opens stores on both databases: one place a test, as many stores on it as the test wants."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from callsheet.clock import Clock
from callsheet.store.migrate import migrate
from callsheet.store.sqlite.database import SqliteDatabase
from callsheet.store.sqlite.hot import SqliteHot
from callsheet.store.store import Store
from callsheet.store.vault import KEY_BYTES, Vault

MASTER_KEY = bytes(range(KEY_BYTES))

DATABASES = ("sqlite", "postgres")

_newest: list[bytes] = []
_spoken: dict[str, sa.Dialect] = {}
_compiled: dict[Any, Any] = {}


async def make_file(path: Path) -> None:
    """Make a SQLite file with the newest schema: once by its migrations, and copies of that."""
    if _newest:
        path.write_bytes(_newest[0])
        return
    await migrate(path)
    _newest.append(path.read_bytes())


class Place:
    """A database with the newest schema, and the stores that a test opened on it."""

    def __init__(self, kind: str, address: str, clock: Clock) -> None:
        """Name a place: the path of a SQLite file, or the URL of a PostgreSQL database."""
        self.kind = kind
        self.address = address
        self.clock = clock
        self._stores: list[Store] = []

    async def open(self) -> Store:
        """Open a store: on PostgreSQL a further node, on SQLite only when the one before is closed."""
        assert self.kind != "sqlite" or not self._stores, "one process owns a SQLite file"
        store = await self._open()
        self._stores.append(store)
        # Whoever sends has opened the keys of all apps before, as bootstrap does.
        await store.apps.open_all()
        return store

    async def close(self, store: Store) -> None:
        """Close a store, as a clean stop does."""
        self._stores.remove(store)
        await store.close()

    async def reopen(self, store: Store) -> Store:
        """Stop and start again."""
        await self.close(store)
        return await self.open()

    async def close_all(self) -> None:
        """Close what is still open."""
        for store in list(self._stores):
            await self.close(store)

    async def _open(self) -> Store:
        vault = Vault(MASTER_KEY)
        if self.kind == "sqlite":
            sqlite = SqliteDatabase(Path(self.address))
            # Nobody pulls the plug on a test; waiting for the disk would be most of its time.
            sqlite._writer.raw.execute("pragma synchronous=off")
            return Store(sqlite, SqliteHot(sqlite, vault, self.clock), vault)
        from callsheet.store.postgres.database import PostgresDatabase  # noqa: PLC0415
        from callsheet.store.postgres.hot import PostgresHot  # noqa: PLC0415

        postgres = await PostgresDatabase.open(self.address)
        _share_compiled(postgres._engine.sync_engine)
        return Store(postgres, PostgresHot(postgres, vault, self.clock), vault)


def _share_compiled(engine: sa.Engine) -> None:
    """Let what one store has made of a statement serve the stores of all tests: it is a good part of their time."""
    engine.dialect = _spoken.setdefault("postgres", engine.dialect)
    engine.update_execution_options(compiled_cache=_compiled)


async def rows(store: Store, statement: str | sa.Select[Any], **values: Any) -> Sequence[sa.Row[Any]]:
    """Look into the tables, past the store."""
    query = sa.text(statement) if isinstance(statement, str) else statement
    return await store._database.read(lambda conn: conn.execute(query, values).all())


async def waiters(store: Store, count: int) -> None:
    """Return when so many transactions wait for a lock on PostgreSQL."""
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with asyncio.timeout(60):
        while (await rows(store, waiting))[0][0] < count:
            await asyncio.sleep(0)


async def change(store: Store, statement: str, **values: Any) -> int:
    """Change the tables, past the store, and return how many rows that were."""
    return await store._database.write(lambda conn: conn.execute(sa.text(statement), values).rowcount)


@contextmanager
def away(store: Store, *, hangs: bool = False) -> Iterator[None]:
    """Take a SQLite store away: it refuses everything, or, if it hangs, answers nothing until it is back."""
    database = store._database
    assert isinstance(database, SqliteDatabase)
    if not hangs:
        database._closed = True
        yield
        database._closed = False
        return
    back, write, read = asyncio.Event(), database._write, database._read

    async def hang(plain: Callable[..., Any], run: Any) -> Any:
        await back.wait()
        return await plain(run)

    database._write, database._read = partial(hang, write), partial(hang, read)  # type: ignore[method-assign]
    yield
    database._write, database._read = write, read  # type: ignore[method-assign]
    back.set()
