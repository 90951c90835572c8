"""Copy a SQLite file as it stood at one moment, while others write to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from callsheet.core.errors import Unavailable

PAGES_AT_ONCE = 4096

OnPages = Callable[[int, int], None]
"""Is told how many pages are copied, and of how many."""

_COUNTED = ("app", "campaign", "run", "contact_list", "contact", "attempt", "dnc_entry", "opt_out")


def copy(source: Path, target: Path, on_pages: OnPages = lambda _done, _all: None) -> None:
    """Copy a database into a file of its own, without a WAL beside it. Raises Unavailable, FileNotFoundError.

    It is one snapshot: a read transaction is held meanwhile, so that writers go on beside it and the copy need not
    begin anew at each of their commits.
    """
    if not source.exists():
        raise FileNotFoundError(source)
    try:
        with closing(sqlite3.connect(source, isolation_level=None)) as reading:
            reading.execute("pragma busy_timeout=5000")
            reading.execute("begin")
            reading.execute("select count(*) from sqlite_master").fetchone()
            with closing(sqlite3.connect(target, isolation_level=None)) as writing:
                # Whoever wants the copy on the disk writes it there: until then it is good for nothing.
                writing.execute("pragma synchronous=off")
                reading.backup(
                    writing, pages=PAGES_AT_ONCE, progress=lambda _, left, total: on_pages(total - left, total)
                )
                writing.execute("pragma journal_mode=delete")
            reading.execute("rollback")
    except sqlite3.Error as error:
        raise Unavailable(f"{source} cannot be copied: {error}.") from error


def quick_check(path: Path) -> str:
    """Look whether a database is whole, without reading every index; return "ok", or what is wrong with it."""
    try:
        with closing(sqlite3.connect(path)) as raw:
            return str(raw.execute("pragma quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)


def count_rows(path: Path, tables: Iterable[str] = _COUNTED) -> dict[str, int]:
    """Return how many rows the tables of a database have that tell its size to a person."""
    with closing(sqlite3.connect(path)) as raw:
        return {table: raw.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}
