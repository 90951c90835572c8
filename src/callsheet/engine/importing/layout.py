"""Layout: what the first row of a file says about the others.

- The delimiter is the one of `,` `;` and tab that the first row has most of, outside quoted texts.
- A column whose name is blank is left out: no message could name it.
- A name that was there before gets its number: `Name`, `Name 2`, `Name 3`.
- A list of numbers for a DNC list may be a single column, with a first row that names it or without one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from callsheet.core.contacts import LONGEST_VALUE, MOST_COLUMNS, Columns, NoPhoneColumn, guess_columns
from callsheet.engine.importing.rows import Lines, Rows, RowSource

_DELIMITERS = ",;\t"
_QUOTED = re.compile(r'"[^"]*"?')
_NAMES_SHOWN = 20
_NAME_SHOWN_LENGTH = 48
_FEWEST_DIGITS = 7
"""A name with so many digits is somebody's number rather than a name, and is not repeated."""


class UnreadableFile(Exception):
    """A file of which no row can be imported; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a file are to be read."""

    delimiter: str
    names: tuple[str | None, ...]
    """The name of each column; None: it is left out."""
    columns: Columns
    rows_begin: int
    """Where the first row after the names begins, in bytes."""
    first_row_no: int
    """The number of that row, as a spreadsheet shows it: 2 as a rule, or 1 when the file has no names."""

    @property
    def kept(self) -> tuple[str, ...]:
        """Return the names of the columns that are not left out."""
        return tuple(name for name in self.names if name is not None)


def read_layout(file: BinaryIO, *, numbers_only: bool) -> Layout:
    """Read the first row. With `numbers_only` a lone column holds the numbers, whatever its name.

    Raises UnreadableFile.
    """
    delimiter = _guess_delimiter(file)
    return lay_out(Rows(Lines(file, 0), delimiter), delimiter, numbers_only=numbers_only)


class Names(NamedTuple):
    """What the first row of a text names, whatever it names: None for a column without one."""

    delimiter: str
    names: tuple[str | None, ...]
    rows_begin: int
    first_row_no: int


def read_names(file: BinaryIO) -> Names:
    """Read the first row of a text of which others know which column is which. Raises UnreadableFile."""
    delimiter = _guess_delimiter(file)
    rows = Rows(Lines(file, 0), delimiter)
    cells, next_row_no = _first_row(rows)
    return Names(delimiter, _name_columns(cells), rows.at, next_row_no)


def lay_out(rows: RowSource, delimiter: str = "", *, numbers_only: bool) -> Layout:
    """Read the first row of a text, or of a sheet, which has no delimiter. Raises UnreadableFile."""
    cells, next_row_no = _first_row(rows)
    if numbers_only and sum(bool(cell.strip()) for cell in cells) == 1:
        return _lone_column(cells, delimiter, rows.at, next_row_no)
    names = _name_columns(cells)
    kept = [name for name in names if name is not None]
    try:
        columns = guess_columns(kept)
    except NoPhoneColumn as error:
        raise UnreadableFile(f"{error.message} {_shown(kept)}") from error
    if len(kept) > MOST_COLUMNS and not numbers_only:
        raise UnreadableFile(f"The file has {len(kept)} columns; it may have {MOST_COLUMNS}.")
    return Layout(delimiter, names, columns, rows.at, next_row_no)


def _guess_delimiter(file: BinaryIO) -> str:
    lines, text = Lines(file, 0), ""
    while not text.strip() and (line := lines.take()) is not None:
        text = line.text()
    return max(_DELIMITERS, key=_QUOTED.sub("", text).count)


def _first_row(rows: RowSource) -> tuple[list[str], int]:
    """Return the cells of the first row that is not blank, and the number of the row after it."""
    row_no = 1
    while (row := rows.take()) is not None:
        row_no += 1
        if row.wrong is not None:
            raise UnreadableFile(f"The first row, with the names of the columns, cannot be read: {row.wrong.message}")
        if row.cells:
            return _checked(row.cells), row_no
    raise UnreadableFile("The file is empty.")


def _checked(cells: list[str]) -> list[str]:
    for cell in cells:
        if len(cell) > LONGEST_VALUE:
            raise UnreadableFile(f"The name of a column is longer than {LONGEST_VALUE} characters.")
        if "\0" in cell or any("\ud800" <= character <= "\udfff" for character in cell):
            raise UnreadableFile("The name of a column has a character that is no text (NUL, or half of a pair).")
    return cells


def _lone_column(cells: Sequence[str], delimiter: str, second_row: int, second_row_no: int) -> Layout:
    """Lay out a list of numbers: the only cell that is not blank names the column, or is the first number."""
    names_it = any(any(map(str.isalpha, cell)) and _digits(cell) < _FEWEST_DIGITS for cell in cells)
    names = tuple("phoneNumber" if cell.strip() else None for cell in cells)
    columns = Columns(phone_number="phoneNumber")
    if names_it:
        return Layout(delimiter, names, columns, second_row, second_row_no)
    return Layout(delimiter, names, columns, rows_begin=0, first_row_no=1)


def _name_columns(cells: Sequence[str]) -> tuple[str | None, ...]:
    given = set(cells)
    names: list[str | None] = []
    seen: set[str] = set()
    for cell in cells:
        name, number = cell, 2
        while name in seen or (name != cell and name in given):
            name, number = f"{cell} {number}", number + 1
        seen.add(name)
        names.append(name if cell.strip() else None)
    return tuple(names)


def _shown(names: Sequence[str]) -> str:
    """List names in a sentence. A file without them has somebody's data in its first row."""
    shown = [
        "(a number)" if _digits(name) >= _FEWEST_DIGITS else name.strip()[:_NAME_SHOWN_LENGTH]
        for name in names[:_NAMES_SHOWN]
    ]
    more = len(names) - len(shown)
    listed = ", ".join(shown) + (f", and {more} more" if more > 0 else "")
    return f"The file has: {listed}." if listed else "The file has no names."


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))
