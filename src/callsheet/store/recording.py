"""Recording, the part that is the same on both databases: what a batch of happenings changes.

An event is unique by (attempt, kind), a state never moves backwards, and counters hold attempts by their present
state: so a repeated receipt, or a batch whose commit nobody heard of, changes nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from callsheet.core.attempt import PENDING, Happening, Kind, advance, fold

SEGMENTS = "segments"
"""Counter: segments that carriers took."""


class Changes(NamedTuple):
    """What a batch changes in one run."""

    events: Sequence[Happening]
    doubts: Sequence[Happening]
    """Attempts that became uncertain."""
    settled: Sequence[Happening]
    """Attempts that were uncertain and are not any more."""
    moved: Sequence[Happening]
    """Events that moved their attempt's state: what comes again is decided for these."""
    counters: Counter[str]
    unknown: int


def weigh(
    happenings: Sequence[Happening],
    seen: Mapping[tuple[bytes, int], Collection[str]],
    attempts: Collection[tuple[bytes, int]],
) -> Changes:
    """Find out what is new.

    `seen` holds the kinds of the events that are stored already, `attempts` the attempts without an event that exist:
    what is in neither was never ours.
    """
    events: list[Happening] = []
    doubts: list[Happening] = []
    settled: list[Happening] = []
    moved: list[Happening] = []
    counters: Counter[str] = Counter()
    kinds_of: dict[tuple[bytes, int], set[str]] = {}
    unknown = 0
    for happening in happenings:
        key = (happening.person, happening.n)
        kinds = kinds_of.get(key)
        if kinds is None:
            stored = seen.get(key)
            if stored is None and key not in attempts:
                unknown += 1
                continue
            kinds = kinds_of[key] = set(stored or ())
        kind = happening.kind
        if kind in kinds:
            continue
        before = fold(kinds)
        after = advance(before, kind)
        kinds.add(kind)
        events.append(happening)
        if happening.segments:
            counters[SEGMENTS] += happening.segments
        if after == before:
            continue
        moved.append(happening)
        counters[after] += 1
        if before != PENDING:
            counters[before] -= 1
        if after == Kind.uncertain:
            doubts.append(happening)
        elif before == Kind.uncertain:
            settled.append(happening)
    return Changes(events, doubts, settled, moved, counters, unknown)
