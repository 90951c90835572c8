"""Small pieces of SQL that several operations share, and how hot statements are written.

A hot statement is planned once, perhaps when its tables are empty and have no statistics, and the plan has to be right
for ten million rows. So statements leave the planner no choice:

* For a handful of keys (`unnest`), each key is a look-up of its own: `cross join lateral (... offset 0)`, or a
  sub-select with LIMIT. A plain join may be turned round and read the whole table for the handful.
* Where two indexes begin with the same columns, ORDER BY names those of the right one, so that the other would have to
  sort.
* What was found and locked is changed by its `ctid`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MICROS = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
"""The database's clock at the moment when this is computed, in microseconds UTC."""


WITHIN_GROUP = (
    "app = $1 and list_no = $2 and (group_no, pos) >= ($3, $4::bigint) and (group_no, pos) <= ($3, $5::bigint)"
    " order by group_no {0}, pos {0}"
)
"""Contacts of a group between two positions, `asc` or `desc`, by the index that knows the group."""


def now_or(parameter: int) -> str:
    """Return SQL for the present instant: that of a test's clock if the parameter is one, else the database's."""
    return f"coalesce(${parameter}::bigint, {MICROS})"


def columns(rows: Iterable[Sequence[Any]], width: int) -> tuple[Sequence[Any], ...]:
    """Turn rows into arrays for `unnest`; no row gives empty arrays."""
    return tuple(zip(*rows, strict=True)) or ((),) * width


def rows_of(tag: str) -> int:
    """Return how many rows a statement changed, from its tag."""
    return int(tag.rpartition(" ")[2])
