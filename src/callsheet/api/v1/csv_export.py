"""CSV files that our own resources give: safe against formula injection, and written while they are read."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated

from fastapi import Query
from starlette.responses import StreamingResponse

from callsheet.api.v1.contract import Responses
from callsheet.core.spreadsheet import tame

CSV: Responses = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
"""Declares in the contract that a route answers with a CSV."""

Bom = Annotated[bool, Query(description="Begin with a byte order mark, by which some spreadsheets know UTF-8.")]
"""Asks for a byte order mark."""
_BOM = codecs.BOM_UTF8.decode()


def write_rows(rows: Iterable[Sequence[str]]) -> str:
    """Write some rows (RFC 4180); no cell of them is a formula to a spreadsheet."""
    page = io.StringIO(newline="")
    csv.writer(page).writerows([tame(cell) for cell in row] for row in rows)
    return page.getvalue()


def csv_response(
    name: str, header: Sequence[str], blocks: AsyncIterator[Iterable[Sequence[str]]], *, bom: bool = False
) -> StreamingResponse:
    """Answer with a file `name` (without its ending): the header, then block by block as it is read."""

    async def pages() -> AsyncIterator[str]:
        yield (_BOM if bom else "") + write_rows([header])
        async for block in blocks:
            yield write_rows(block)

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(pages(), media_type="text/csv; charset=utf-8", headers=headers)
