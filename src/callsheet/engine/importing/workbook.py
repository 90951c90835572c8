"""Workbooks: the first sheet of an XLSX file that has a header, as rows.

A workbook is an archive that somebody sent us, and the library that reads it unpacks a whole sheet into memory. So it
is weighed first: unpacked once in small pieces, without keeping them, to see how large it becomes and how many cells
its sheets span. What an archive says of its own size is not believed.
"""

from __future__ import annotations

import copy
import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from callsheet.engine.importing.layout import Layout, UnreadableFile, lay_out
from callsheet.engine.importing.rows import Row

MOST_UNPACKED_BYTES = 512 * 1024**2
MOST_CELLS = 20_000_000
"""Rows times columns of a sheet: so many are some 600 MB."""

_ARCHIVE, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PIECE_BYTES = 1024**2
_CELL = re.compile(rb"<c\s[^>]{0,200}?\br\s*=\s*[\"']([A-Za-z]{1,3})([0-9]{1,7})")
_LONGEST_CELL_START = 256

_DAMAGED = "The workbook is damaged, or not complete. Save it again as XLSX or CSV, and import that."
_OTHER = "This is an archive, but not an XLSX workbook. Save the sheet as XLSX or CSV, and import that."
_PROTECTED = "The workbook is protected by a password. Save it without one, and import that."
_OLD = "This is a workbook of the old form (XLS). Save it as XLSX or CSV, and import that."
_TOO_LARGE = (
    f"The workbook is too large: unpacked it may have {MOST_UNPACKED_BYTES // 1024**2} MiB, and its sheets"
    f" {MOST_CELLS:,} cells, empty ones included. Save the sheet as CSV, and import that."
)
_NO_ROWS = "The workbook has no rows."


def is_workbook(head: bytes) -> bool:
    """Tell by its first bytes whether a file is a workbook, or something that can only have been meant as one."""
    return head.startswith((_ARCHIVE, _COMPOUND))


def open_workbook(path: Path, *, numbers_only: bool) -> tuple[Layout, SheetRows]:
    """Return the layout and the rows of the first sheet whose first row names columns. Raises UnreadableFile."""
    _refuse_protected(path)
    _weigh(path)
    size, problem = path.stat().st_size, ""
    for sheet in _sheets(path):
        try:
            layout = lay_out(SheetRows(sheet, size), numbers_only=numbers_only)
        except UnreadableFile as refused:
            problem = problem or str(refused)
        else:
            return layout, SheetRows(sheet, size, layout.first_row_no)
    raise UnreadableFile(problem or _NO_ROWS)


class SheetRows:
    """The rows of a sheet. A row of which every cell is blank has a number, and is no row."""

    def __init__(self, sheet: CalamineSheet, size: int, first_row_no: int = 1) -> None:
        """Read from a row on; `size` is that of the file."""
        self._rows = sheet.iter_rows()
        self._height = max(1, sheet.total_height)
        self._size = size
        self._taken = 0
        self.at = 0
        """How many characters were taken, and rows."""
        while self._taken < first_row_no - 1 and self.take() is not None:
            pass

    @property
    def bytes_done(self) -> int:
        """Return how far this is in the file, as if all rows were of one size."""
        return self._size * min(self._taken, self._height) // self._height

    def take(self) -> Row | None:
        """Return the next row, or None at the end."""
        values = next(self._rows, None)
        if values is None:
            self._taken = self._height
            return None
        cells = [_text(value) for value in values]
        self._taken += 1
        self.at += 1 + sum(map(len, cells))
        return Row(cells if any(map(str.strip, cells)) else [])


def _text(value: Any) -> str:
    """Write a cell as text: a whole number without a point, a date as ISO 8601 has it."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            # A spreadsheet computes with seventeen digits and shows fifteen.
            return str(int(value)) if value.is_integer() else f"{value:.15g}"
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _sheets(path: Path) -> Iterator[CalamineSheet]:
    """Return the sheets that somebody sees and that have rows."""
    try:
        with CalamineWorkbook.from_path(path) as book:
            for about in book.sheets_metadata:
                if about.typ is SheetTypeEnum.WorkSheet and about.visible is SheetVisibleEnum.Visible:
                    sheet = book.get_sheet_by_name(about.name)
                    if sheet.start is not None:
                        yield sheet
    except (CalamineError, OSError) as error:
        raise UnreadableFile(_DAMAGED) from error


def _refuse_protected(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_COMPOUND)) != _COMPOUND:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            raise UnreadableFile(_PROTECTED if content.find(_ENCRYPTED) >= 0 else _OLD)


def _weigh(path: Path) -> None:
    """Refuse what is no workbook, is damaged, or becomes too large."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if not any(part.filename.lower() == "xl/workbook.xml" for part in parts):
                raise UnreadableFile(_OTHER)
            left = MOST_UNPACKED_BYTES
            for part in parts:
                left -= _weigh_part(archive, part, left)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise UnreadableFile(_DAMAGED) from error


def _weigh_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, most: int) -> int:
    """Unpack a part, and return how large it is."""
    unbelieved = copy.copy(part)
    # Else reading would end where the archive says, and the rest of a part that lies would not be seen.
    unbelieved.file_size = most + 1
    total, spanned, before = 0, _Span(), b""
    with archive.open(unbelieved) as stream:
        while piece := stream.read(_PIECE_BYTES):
            total += len(piece)
            if part.filename.lower().startswith("xl/worksheets/"):
                spanned.grow(before + piece)
                before = piece[-_LONGEST_CELL_START:]
            if total > most or spanned.cells > MOST_CELLS:
                raise UnreadableFile(_TOO_LARGE)
    if total != part.file_size:
        raise zipfile.BadZipFile
    return total


class _Span:
    """How many rows and columns a sheet has, up to its farthest cells."""

    def __init__(self) -> None:
        self._rows = 0
        self._columns = 0

    @property
    def cells(self) -> int:
        """Return how many cells lie before the farthest ones."""
        return self._rows * self._columns

    def grow(self, piece: bytes) -> None:
        """Look at the cells of a piece."""
        places = _CELL.findall(piece)
        if places:
            self._rows = max(self._rows, *(int(row) for _, row in places))
            self._columns = max(self._columns, *map(_column, {column for column, _ in places}))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
