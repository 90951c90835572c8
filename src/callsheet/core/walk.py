"""Walking the lists: which part of which list comes next.

A run holds one cursor per (list, range, group). Nothing is expanded at the start. Next comes the open group with the
highest contact priority, then the list that was named first, then the lowest position (FIFO) or the highest (LIFO);
exact to within a chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from callsheet.core.campaign import Order


class Group(NamedTuple):
    """Contacts of one list that share their zones and their priority."""

    list_no: int
    group_no: int
    own_zone: str | None
    candidate_zones: frozenset[str]
    priority: int


class Cursor(NamedTuple):
    """How far a run has walked one group of one range of a list: positions lo to hi, both included, are left."""

    list_no: int
    range_no: int
    group_no: int
    lo: int
    hi: int


class Chunk(NamedTuple):
    """Positions of one group that one node holds for a while: lo to hi, both included."""

    app: int
    run_no: int
    list_no: int
    group_no: int
    first: int
    """Where it began. Positions are cut once, so this names the chunk for ever."""
    epoch: int
    lo: int
    hi: int


def choose(
    cursors: Iterable[Cursor], groups: Mapping[tuple[int, int], Group], lists: tuple[int, ...], order: Order
) -> Cursor | None:
    """Choose the cursor to take from next; `groups` holds only the open ones, `lists` the order of the lists."""
    rank = {list_no: i for i, list_no in enumerate(lists)}
    best: tuple[int, int, int] | None = None
    chosen: Cursor | None = None
    for cursor in cursors:
        group = groups.get((cursor.list_no, cursor.group_no))
        if group is None or cursor.lo > cursor.hi:
            continue
        head = cursor.lo if order is Order.fifo else -cursor.hi
        key = (-group.priority, rank[cursor.list_no], head)
        if best is None or key < best:
            best, chosen = key, cursor
    return chosen


@dataclass(frozen=True, slots=True)
class Doors:
    """Which groups of a run are open at an instant, and when to look again."""

    open: Mapping[tuple[int, int], Group]
    look_again_at: datetime | None
