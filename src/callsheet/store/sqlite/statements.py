"""Small pieces of SQL that several operations share."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=2048)
def marks(count: int) -> str:
    """Return `?,?,?` for an IN list. Statements of one size are prepared once and kept."""
    return ",".join("?" * count)


def select_in(
    raw: sqlite3.Connection, head: str, fixed: Sequence[Any], values: Collection[Any]
) -> Iterable[tuple[Any, ...]]:
    """Run `head` with an IN list of `values` at its end."""
    return raw.execute(f"{head} in ({marks(len(values))})", (*fixed, *values))


def count(raw: sqlite3.Connection, app: int, run_no: int, node_no: int, counters: Counter[str]) -> None:
    """Add to a run's counters, in the slot of a node."""
    raw.executemany(
        "insert into counter (app, run_no, node_no, name, value) values (?,?,?,?,?)"
        " on conflict do update set value = value + excluded.value",
        [(app, run_no, node_no, name, value) for name, value in counters.items() if value],
    )
