"""Rejects: which rows were left out, and why, as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

from callsheet.store.imports import ImportJob, Imports

_PAGE_ROWS = 1_000
_HEADER = ("row", "reason", "message")

# What makes a cell a formula in one spreadsheet or another (OWASP, CSV Injection), full-width signs included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


async def rejects_csv(imports: Imports, job: ImportJob) -> AsyncIterator[str]:
    """Write the rejected rows in the order of the file, a page at a time, as RFC 4180 has it."""
    yield _page([_HEADER])
    after = 0
    while page := await imports.rejects(job, after=after, limit=_PAGE_ROWS):
        yield _page([(str(each["row_no"]), each["reason"], each["message"]) for each in page])
        after = page[-1]["row_no"]


def tame(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _page(rows: list[tuple[str, ...]]) -> str:
    page = io.StringIO(newline="")
    csv.writer(page).writerows([tame(cell) for cell in row] for row in rows)
    return page.getvalue()
