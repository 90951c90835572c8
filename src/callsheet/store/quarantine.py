"""Quarantine: attempts that a restored store has not recorded, and of which evidence comes.

A run that came out of a backup made attempts afterwards that nobody wrote down. When something is heard of one of them
(a receipt, a line in a carrier's books), it is written down after all, as `uncertain`, and what was heard settles it.
So the same person is not contacted again by this run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from callsheet.clock import to_micros
from callsheet.core.attempt import Happening, Kind
from callsheet.store.recording import Key

AFTER_BACKUP = "after_backup"
"""The code of the doubt that quarantine writes down."""


class Place(NamedTuple):
    """Where a person stands in the lists of a run."""

    list_no: int
    pos: int
    group_no: int


class Row(NamedTuple):
    """An attempt, as the columns of its row after the app and the run."""

    person: bytes
    n: int
    used: int
    list_no: int
    pos: int
    group_no: int
    at: int


def strangers(happenings: Iterable[Happening], attempts: Collection[Key]) -> dict[bytes, Happening]:
    """Return what names an attempt that is not recorded; of each person the furthest try."""
    found: dict[bytes, Happening] = {}
    for happening in happenings:
        if (happening.person, happening.n) in attempts or happening.n < 1:
            continue
        known = found.get(happening.person)
        if known is None or happening.n > known.n:
            found[happening.person] = happening
    return found


def missing_rows(
    unknown: Mapping[bytes, Happening], last_tries: Mapping[bytes, int], places: Mapping[bytes, Place]
) -> list[Row]:
    """Return the attempts to write down: the try of which something was heard, and the one after the last recorded.

    That one was made before it, and is what the run would try next. Who stands in no list of the run is left out: the
    run cannot contact him.
    """
    rows = []
    for person, happening in sorted(unknown.items()):
        place = places.get(person)
        if place is None:
            continue
        following = last_tries.get(person, 0) + 1
        rows += [
            Row(person, n, n, *place, to_micros(happening.at))
            for n in sorted({min(following, happening.n), happening.n})
        ]
    return rows


def doubts(rows: Sequence[Row], unknown: Mapping[bytes, Happening]) -> list[Happening]:
    """Say of the attempts that were written down that nobody knows yet what became of them."""
    return [
        Happening(heard.run_no, row.person, row.n, Kind.uncertain, heard.at, AFTER_BACKUP)
        for row in rows
        for heard in (unknown[row.person],)
    ]
