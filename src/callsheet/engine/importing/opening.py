"""Open a file: a workbook or a text, as its first bytes say, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NamedTuple

from callsheet.engine.importing.layout import Layout, read_layout
from callsheet.engine.importing.rows import Lines, Rows, RowSource
from callsheet.engine.importing.workbook import is_workbook, open_workbook

HEAD_BYTES = 8


def usual_name(path: Path) -> str:
    """Return what a file is called that came without a name."""
    with path.open("rb") as file:
        return "import.xlsx" if is_workbook(file.read(HEAD_BYTES)) else "import.csv"


class Table(NamedTuple):
    """The rows of a file after the one that names the columns."""

    layout: Layout
    rows: RowSource


def open_table(path: Path, file: BinaryIO, *, numbers_only: bool) -> Table:
    """Find out what the first row says, and stand at the next; `file` is open as long as rows are taken.

    Raises UnreadableFile.
    """
    file.seek(0)
    if is_workbook(file.read(HEAD_BYTES)):
        return Table(*open_workbook(path, numbers_only=numbers_only))
    layout = read_layout(file, numbers_only=numbers_only)
    return Table(layout, Rows(Lines(file, layout.rows_begin), layout.delimiter, len(layout.names)))
