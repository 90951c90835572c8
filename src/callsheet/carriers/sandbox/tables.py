"""The ledger's tables, and how entries that arrived together are written in one commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

MEMORY: Final = ":memory:"
_VERSION: Final = 1

_TABLES: Final = """
create table messages (
    id integer primary key,
    reference text not null,
    to_number text not null,
    from_number text not null,
    text text not null,
    segments integer not null,
    campaign_id text not null,
    status text not null,
    accepted_at integer not null
);
create table tellings (
    id integer primary key,
    message_id integer not null references messages (id),
    due_at integer not null,
    kind text not null,
    text text not null,
    acknowledged_at integer
);
create index tellings_pending on tellings (id) where acknowledged_at is null;
create table refusals (
    number text not null,
    code text not null,
    times integer not null,
    last_at integer not null,
    primary key (number, code)
) without rowid;
"""

Row = tuple[Any, ...]


class Entry(NamedTuple):
    """What one operation adds to the ledger: rows of each table in the order of its columns, and changes."""

    messages: Sequence[Row] = ()
    tellings: Sequence[Row] = ()
    refusals: Sequence[Row] = ()
    changes: Sequence[tuple[str, Row]] = ()


class _Insert(NamedTuple):
    field: str
    columns: int
    ending: str


_INSERTS: Final = (
    _Insert("messages", 9, ""),
    _Insert("tellings", 6, ""),
    _Insert("refusals", 4, " on conflict do update set times = times + 1, last_at = excluded.last_at"),
)

# 64 rows of 9 values stay under 999 parameters, the least limit of any SQLite.
_ROWS_PER_STATEMENT: Final = 64


def connect(path: Path | str, *, durable: bool) -> sqlite3.Connection:
    """Open the ledger for writing, and make it where there is none.

    `durable` waits for the disk at each commit (`synchronous=FULL`), so that a power cut takes nothing back;
    without it a commit outlives the death of the process, not of the machine.
    Raises RuntimeError for a ledger of another version.
    """
    if str(path) != MEMORY:
        Path(path).touch(mode=0o600)  # it holds plain numbers and texts; its WAL inherits the mode
    # More statements than the default of 128: one per table and number of rows.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("pragma journal_mode = wal")
    connection.execute(f"pragma synchronous = {'full' if durable else 'off'}")
    (version,) = connection.execute("pragma user_version").fetchone()
    if version == 0:
        connection.executescript(f"begin immediate; {_TABLES} pragma user_version = {_VERSION}; commit;")
    elif version != _VERSION:
        connection.close()
        raise RuntimeError(f"this sandbox ledger has version {version}, not {_VERSION}: move it away to begin anew")
    return connection


def connect_to_read(path: Path | str) -> sqlite3.Connection:
    """Open a ledger for reading, from any process, while another one writes or after it was killed."""
    address = Path(path).resolve().as_uri() + "?mode=ro"
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)


def write_together(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Write entries in one transaction: all of them, or none and the error is raised."""
    connection.execute("begin immediate")
    try:
        for insert in _INSERTS:
            _insert_all(connection, insert, [row for entry in entries for row in getattr(entry, insert.field)])
        for entry in entries:
            for statement, values in entry.changes:
                connection.execute(statement, values)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def _insert_all(connection: sqlite3.Connection, insert: _Insert, rows: list[Row]) -> None:
    # Many rows in one statement: sqlite3 lets go of the interpreter at each step and has to win it back, up
    # to 5 ms later beside a busy event loop. A step per row wrote 200 messages a second there, this 80,000.
    row_of_marks = f"({','.join('?' * insert.columns)})"
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        block = rows[start : start + _ROWS_PER_STATEMENT]
        statement = f"insert into {insert.field} values {','.join([row_of_marks] * len(block))}{insert.ending}"
        connection.execute(statement, [value for row in block for value in row])
