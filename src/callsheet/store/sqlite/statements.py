"""Small pieces of SQL that several operations share."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from callsheet.store.many import parts_of

WHERE_ARM = " where app = ? and run_no = ? and node_no = ? and arm_no = ?"
"""For an `ArmKey`."""


@lru_cache(maxsize=2048)
def marks(count: int) -> str:
    """Return `?,?,?` for an IN list. Statements of one size are prepared once and kept."""
    return ",".join("?" * count)


@lru_cache(maxsize=128)
def _values(width: int, rows: int) -> str:
    return ",".join([f"({marks(width)})"] * rows)


def insert_many(raw: sqlite3.Connection, head: str, rows: Sequence[Sequence[Any]], tail: str = "") -> None:
    """Insert rows; `head` is the statement up to `values`, `tail` what comes after (a conflict clause).

    The sqlite3 module gives up the interpreter lock at every step, so a statement a row starves beside a busy loop; a
    statement of many rows gives it up once.
    """
    for part in parts_of(rows):
        raw.execute(f"{head} values {_values(len(part[0]), len(part))} {tail}", tuple(chain.from_iterable(part)))


def select_in(
    raw: sqlite3.Connection, head: str, fixed: Sequence[Any], values: Collection[Any]
) -> Iterable[tuple[Any, ...]]:
    """Run `head` with an IN list of `values` at its end."""
    return raw.execute(f"{head} in ({marks(len(values))})", (*fixed, *values))


_BLOBS = frozenset({"person", "sealed"})
"""The columns of `gather` that hold octets, which JSON cannot."""


@lru_cache(maxsize=64)
def _as_json(columns: str) -> tuple[str, tuple[int, ...]]:
    """Return what makes one value of all rows, and which of their columns hold octets."""
    names = columns.split(", ")
    values = ", ".join(f"hex({name})" if name in _BLOBS else name for name in names)
    return f"json_group_array(json_array({values}))", tuple(i for i, name in enumerate(names) if name in _BLOBS)


def gather(raw: sqlite3.Connection, columns: str, rest: str, params: Sequence[Any]) -> list[list[Any]]:
    """Return the many rows of `select {columns} {rest}`, in their order.

    They are read in one step, as `insert_many` writes them: a step for each row starves beside a busy loop.
    """
    value, octets = _as_json(columns)
    (text,) = raw.execute(f"select {value} from (select {columns} {rest})", params).fetchone()
    rows: list[list[Any]] = json.loads(text)
    for i in octets:
        for row in rows:
            row[i] = bytes.fromhex(row[i])
    return rows


def gather_in(
    raw: sqlite3.Connection, columns: str, rest: str, fixed: Sequence[Any], values: Collection[Any]
) -> list[list[Any]]:
    """Gather with an IN list of `values` at the end."""
    return gather(raw, columns, f"{rest} in ({marks(len(values))})", (*fixed, *values))


def count(raw: sqlite3.Connection, app: int, run_no: int, node_no: int, counters: Counter[str]) -> None:
    """Add to a run's counters, in the slot of a node."""
    insert_many(
        raw,
        "insert into counter (app, run_no, node_no, name, value)",
        [(app, run_no, node_no, name, value) for name, value in counters.items() if value],
        "on conflict do update set value = value + excluded.value",
    )
