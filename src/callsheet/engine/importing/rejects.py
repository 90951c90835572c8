"""Rejects: which rows were left out, and why, as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

from callsheet.core.spreadsheet import tame
from callsheet.store.imports import ImportJob, Imports

_PAGE_ROWS = 1_000
_HEADER = ("row", "reason", "message")


async def rejects_csv(imports: Imports, job: ImportJob) -> AsyncIterator[str]:
    """Write the rejected rows in the order of the file, a page at a time, as RFC 4180 has it."""
    yield _page([_HEADER])
    after = 0
    while page := await imports.rejects(job, after=after, limit=_PAGE_ROWS):
        yield _page([(str(each["row_no"]), each["reason"], each["message"]) for each in page])
        after = page[-1]["row_no"]


def _page(rows: list[tuple[str, ...]]) -> str:
    page = io.StringIO(newline="")
    csv.writer(page).writerows([tame(cell) for cell in row] for row in rows)
    return page.getvalue()
