"""Bring a database to the schema of this program, whatever it was before.

The steps are in `migrations/versions`; all that wait are walked in one transaction, on SQLite too, so a walk that
fails or is killed leaves the database as it was.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from callsheet.core.errors import Conflict, Unavailable
from callsheet.store.sqlite.statistics import tell_planner
from callsheet.store.tables import metadata

FOLDER = Path(__file__).parent / "migrations"

_WALK_LOCK = 0x63616C6C
"""Number of the advisory lock on PostgreSQL that lets one program walk at a time."""

T = TypeVar("T")


class Revision(NamedTuple):
    """One step of the schema: its number, and what it did."""

    number: str
    sentence: str


async def migrate(url: str | Path) -> list[Revision]:
    """Walk the steps that wait and return them; none when the schema is that of this program already.

    `url` is the path of a SQLite file, which is made if need be, or a PostgreSQL URL as asyncpg reads it.
    Raises Conflict when a newer program made the database or a file is none, Unavailable when it does not let us in.
    """
    return await _on(url, upgrade)


async def current(url: str | Path) -> str | None:
    """Return the number of the last step that the database walked; None when it is empty, or not there."""
    if _is_missing(url):
        return None
    return await _on(url, _now)


async def pending(url: str | Path) -> list[Revision]:
    """Return the steps that wait, oldest first, and change nothing. Raises Conflict and Unavailable as `migrate`."""
    return await _on(":memory:" if _is_missing(url) else url, waiting)


def upgrade(connection: sa.Connection) -> list[Revision]:
    """Do what `migrate` does, inside the transaction of a connection."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WALK_LOCK)))
    steps = waiting(connection)
    if steps:
        command.upgrade(alembic_config(connection), "head")
    elif _now(connection) is not None:
        _refuse_incomplete(connection)
    if connection.dialect.name == "sqlite":
        # What it is told changes without a step too. The store is opened afterwards, so all of its connections know.
        tell_planner(connection)
    return steps


def _now(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_incomplete(connection: sa.Connection) -> None:
    """Refuse a database that says it walked all steps and lacks something of the schema. Raises Conflict.

    Before the first release the first step still changes, so a database of that time may be one of these.
    """
    found = {table: {column["name"] for column in columns} for (_, table), columns in _columns(connection).items()}
    lacking = sorted(
        name if name not in found else f"{name}.{column.name}"
        for name, table in metadata.tables.items()
        for column in table.columns
        if column.name not in found.get(name, ())
    )
    if lacking:
        raise Conflict(
            f"This database was made before the first release, and lacks {lacking[0]}, for instance. Move it away, or"
            " name another folder: what was made then cannot be brought along."
        )


def _columns(connection: sa.Connection) -> dict[Any, Any]:
    return dict(sa.inspect(connection).get_multi_columns())


def waiting(connection: sa.Connection) -> list[Revision]:
    """Do what `pending` does, on a connection."""
    steps = list(ScriptDirectory.from_config(alembic_config(connection)).walk_revisions())
    now = _now(connection)
    numbers = [step.revision for step in steps]
    if now is not None and now not in numbers:
        raise Conflict(f"A newer Callsheet made this database (revision {now}): run that version, or a newer one.")
    newer = steps[: numbers.index(now)] if now is not None else steps
    return [Revision(step.revision, step.doc) for step in reversed(newer)]


def alembic_config(connection: sa.Connection) -> Config:
    """Return what Alembic would read in a file of its own."""
    config = Config()
    # Alembic reads % as the start of a name.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


async def _on(url: str | Path, run: Callable[[sa.Connection], T]) -> T:
    if not _is_postgres(url):
        return await asyncio.to_thread(_on_sqlite, Path(url), run)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: _connect(str(url)),
        poolclass=NullPool,
        hide_parameters=True,
    )
    async with engine.begin() as connection:
        return await connection.run_sync(run)


def _is_postgres(url: str | Path) -> bool:
    return str(url).startswith(("postgresql://", "postgres://"))


def _is_missing(url: str | Path) -> bool:
    return not _is_postgres(url) and not Path(url).exists()


async def _connect(url: str) -> asyncpg.Connection:
    """Let asyncpg read the URL itself, as it does for the store: one dialect of URLs."""
    try:
        return await asyncpg.connect(url)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise Unavailable(f"The database does not let us in: {error}.") from error


def _on_sqlite(path: Path, run: Callable[[sa.Connection], T]) -> T:
    _knock(path)
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), poolclass=NullPool, hide_parameters=True)
    # The driver would commit before each CREATE: what begins here ends here.
    sa.event.listen(engine, "connect", _leave_transactions_to_us)
    sa.event.listen(engine, "begin", _begin)
    with engine.begin() as connection:
        return run(connection)


def _knock(path: Path) -> None:
    """Read the file's first page, so that one that is no database is a sentence. Raises Conflict."""
    try:
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("pragma schema_version")
    except sqlite3.Error as error:
        raise Conflict(
            f"{path} cannot be opened as a database: {error}. Put it back from a copy, or name another folder."
        ) from error


def _leave_transactions_to_us(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("begin")
