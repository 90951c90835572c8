"""Call detail records: the second source on how a call ended, written by the node even while nobody listens."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from callsheet.voice.asterisk.guarded import open_plain

MOST_OCTETS: Final = 4 << 20
"""So much of the end of the file is looked at: some 10,000 calls."""
OLD: Final = "Master.old.csv"
"""What was put aside, as it had become long."""
_ANSWER, _END, _DISPOSITION, _UNIQUE_ID = 10, 11, 14, 16
_CAUSES: Final[Mapping[str, int]] = {"ANSWERED": 16, "BUSY": 17, "NO ANSWER": 19, "CONGESTION": 34}
"""Q.850. `FAILED` says nothing: a number that does not exist, or one that did not want us."""


class Record(NamedTuple):
    """How a call ended."""

    ended_at: datetime
    cause: int
    answered_at: datetime | None
    """None: it was not answered."""


def find_records(path: Path, ids: Collection[str]) -> dict[str, Record]:
    """Return what is said of calls; those of which nothing is said, or nothing clear, are left out."""
    wanted = set(ids)
    found: dict[str, Record | None] = {}
    # What ended just before a file was put aside stands there.
    for one in (path.with_name(OLD), path):
        found |= {row[_UNIQUE_ID]: _record(row) for row in _rows(one) if row[_UNIQUE_ID] in wanted}
    return {name: record for name, record in found.items() if record is not None}


def _rows(path: Path) -> list[list[str]]:
    """Return the rows at the end of a file that say something clear; none, where it is none to be read."""
    try:
        with open_plain(path) as file:
            start = max(0, file.seek(0, 2) - MOST_OCTETS)
            file.seek(start)
            # The first line of a part has no beginning, and a quotation mark in it would swallow all that follows.
            lines = file.read(MOST_OCTETS).decode(errors="replace").splitlines()[bool(start) :]
    except OSError:
        return []
    rows = [_parse(line) for line in lines]
    return [row for row in rows if len(row) > _UNIQUE_ID and row[_DISPOSITION] in _CAUSES]


def _parse(line: str) -> list[str]:
    """Return the fields of a line; of one that was cut off, none."""
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def _record(row: list[str]) -> Record | None:
    try:
        is_answered = row[_DISPOSITION] == "ANSWERED"
        return Record(_at(row[_END]), _CAUSES[row[_DISPOSITION]], _at(row[_ANSWER]) if is_answered else None)
    except (ValueError, OverflowError, OSError):
        return None


def _at(written: str) -> datetime:
    """Read an instant; the node writes seconds since 1970."""
    return datetime.fromtimestamp(float(written), UTC)
