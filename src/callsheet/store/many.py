"""Many rows in one statement.

Core makes something of every value of every row. SQLite's module gives up the interpreter lock at every step, so that a
statement a row starves beside a busy loop; and a server far away is asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

import sqlalchemy as sa

Rows = Sequence[Mapping[str, Any]]
"""Rows by the names of their columns: all have the same, in the same order."""

_SIZES = (256, 64, 16, 4, 1)
"""How many rows a statement of SQLite takes: few sizes, so that each stays prepared."""
Row = TypeVar("Row")


def parts_of(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Part rows so that the parts have few sizes."""
    start, left = 0, len(rows)
    for size in _SIZES:
        while left >= size:
            yield rows[start : start + size]
            start, left = start + size, left - size


def insert_rows(conn: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Insert rows in their order; columns that they do not name have their defaults."""
    _run(conn, _insert, table, (), rows)


def update_rows(conn: sa.Connection, table: sa.Table, key: tuple[str, ...], rows: Rows) -> None:
    """Update the rows that have the columns of `key` as given, with the other columns given."""
    _run(conn, _update, table, key, rows)


def _run(conn: sa.Connection, make: Callable[..., str], table: sa.Table, key: tuple[str, ...], rows: Rows) -> None:
    if not rows:
        return
    names = tuple(rows[0])
    values = [tuple(row.values()) for row in rows]
    if conn.dialect.name == "postgresql":
        source = _unnested(conn.dialect, table, names)
        conn.exec_driver_sql(make(table, key, names, source), tuple(map(list, zip(*values, strict=True))))
        return
    for part in parts_of(values):
        source = _listed(names, len(part))
        conn.exec_driver_sql(make(table, key, names, source), tuple(chain.from_iterable(part)))


@lru_cache(maxsize=256)
def _insert(table: sa.Table, _: tuple[str, ...], names: tuple[str, ...], source: str) -> str:
    return f"insert into {table.name} ({', '.join(names)}) {source}"


@lru_cache(maxsize=256)
def _update(table: sa.Table, key: tuple[str, ...], names: tuple[str, ...], source: str) -> str:
    changed = ", ".join(f"{name} = given.{name}" for name in names if name not in key)
    same = " and ".join(f"{table.name}.{name} = given.{name}" for name in key)
    return f"update {table.name} set {changed} from ({source}) as given where {same}"


@lru_cache(maxsize=256)
def _listed(names: tuple[str, ...], size: int) -> str:
    """Return so many rows as SQLite takes them."""
    marks = f"({', '.join('?' * len(names))})"
    columns = ", ".join(f"column{i} as {name}" for i, name in enumerate(names, 1))
    return f"select {columns} from (values {', '.join([marks] * size)})"


@lru_cache(maxsize=256)
def _unnested(dialect: sa.Dialect, table: sa.Table, names: tuple[str, ...]) -> str:
    """Return any number of rows as PostgreSQL takes them: an array a column."""
    arrays = ", ".join(f"${i}::{table.c[name].type.compile(dialect)}[]" for i, name in enumerate(names, 1))
    columns = ", ".join(names)
    return f"select {columns} from unnest({arrays}) with ordinality as row ({columns}, place) order by place"
