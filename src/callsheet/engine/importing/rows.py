"""Rows: a file of cells, read line by line in bounded memory, going on after whatever is broken.

The form is RFC 4180's, read as people write it. A quoted text may run over several lines when it is closed properly,
that is by a mark before a delimiter or a line's end. Where it is not, the quotation mark was one too many: its line
is rejected, and the next line is a row again, so that one stray mark does not swallow the file.

Each line is UTF-8, or else Windows-1252, of which ISO 8859-1 is a part (WHATWG Encoding, section 9.1): files that were
put together from both are read right.
"""

from __future__ import annotations

import codecs
import csv
from collections import deque
from typing import BinaryIO, NamedTuple, Protocol, Self

from callsheet.core.contacts import RowError, RowReason

LONGEST_ROW_BYTES = 131_072
"""More than the documented 150 columns of 300 characters take."""

_READ_BYTES = 262_144

# The five bytes that the code page leaves open are control characters, as browsers read them.
_WINDOWS_1252 = "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in range(256))

_UNCLOSED = RowError(
    RowReason.unclosed_quote, "A quoted text does not end, or has a quotation mark inside that is not doubled."
)
_TOO_LONG = RowError(RowReason.row_too_long, f"The row is longer than {LONGEST_ROW_BYTES // 1024} KiB.")
_TOO_MANY = RowError(
    RowReason.more_cells_than_columns,
    "The row has more cells than the first row has columns; a text with a delimiter in it has to be quoted.",
)


class Line(NamedTuple):
    """A line with its end, and how many bytes of the file it is; `raw` is None when it is too long to keep."""

    raw: bytes | None
    size: int

    def text(self) -> str:
        """Return what the line says; nothing when it is too long."""
        raw = self.raw or b""
        try:
            # Halves of surrogate pairs pass, so that the row that has one can be rejected by name.
            return raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return codecs.charmap_decode(raw, "strict", _WINDOWS_1252)[0]


class Lines:
    """The lines of a file from a place on. They end in LF, CR LF or CR."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        file.seek(start)
        self._file = file
        self._ready: deque[Line] = deque()
        self._rest = b""
        self._dropped = 0
        self._ended = False
        self.at = start
        """Where the next line begins."""

    def take(self) -> Line | None:
        """Return the next line, or None at the end."""
        if not self._ready:
            self._read()
            if not self._ready:
                return None
        line = self._ready.popleft()
        self.at += line.size
        return line

    def give_back(self, lines: list[Line]) -> None:
        """Return lines that were taken last, to be taken again."""
        self._ready.extendleft(reversed(lines))
        self.at -= sum(line.size for line in lines)

    def _read(self) -> None:
        while not self._ready and not self._ended:
            data = self._file.read(_READ_BYTES)
            self._ended = not data
            lines = (self._rest + data).splitlines(keepends=True)
            # A CR at the very end may have its LF in what comes next.
            self._rest = lines.pop() if lines and data and not lines[-1].endswith(b"\n") else b""
            if self._dropped and lines:
                self._ready.append(Line(None, self._dropped + len(lines.pop(0))))
                self._dropped = 0
            self._ready.extend(Line(raw if len(raw) <= LONGEST_ROW_BYTES else None, len(raw)) for raw in lines)
            if len(self._rest) > LONGEST_ROW_BYTES:
                self._dropped += len(self._rest) - 1
                self._rest = self._rest[-1:]


class Row(NamedTuple):
    """A row: its cells, or what is wrong with it. A line with nothing on it has no cells and is not a row."""

    cells: list[str]
    wrong: RowError | None = None


class RowSource(Protocol):
    """Where rows come from, one after the other."""

    @property
    def at(self) -> int:
        """Return how much was taken: more with every row, about a byte for each character."""

    @property
    def bytes_done(self) -> int:
        """Return how far this is in the file."""

    def take(self) -> Row | None:
        """Return the next row, or None at the end."""


class Rows:
    """The rows of a file from a line's beginning on."""

    def __init__(self, lines: Lines, delimiter: str, columns: int | None = None) -> None:
        """Read rows that may have at most so many cells; blank ones that are too many are cut off."""
        self._lines = lines
        self._delimiter = delimiter
        self._columns = columns
        self._feed = _Feed(lines)
        # Strict: it says where a quoted text is not closed properly, instead of guessing.
        self._reader = csv.reader(self._feed, delimiter=delimiter, strict=True)

    @property
    def at(self) -> int:
        """Return where the next row begins, in bytes."""
        return self._lines.at

    @property
    def bytes_done(self) -> int:
        """Return the same: it is the place in the file."""
        return self._lines.at

    def take(self) -> Row | None:
        """Return the next row, or None at the end."""
        used = self._feed.used
        used.clear()
        try:
            cells = next(self._reader)
        except StopIteration:
            return None
        except _LineTooLong:
            return Row([], _TOO_LONG)
        except (csv.Error, _RowTooLong):
            return self._recover(used)
        if len(cells) < 2 and not "".join(cells).strip():
            return Row([])
        if self._columns is not None and len(cells) > self._columns:
            if any(cell.strip() for cell in cells[self._columns :]):
                return self._recover(used) if len(used) > 1 else Row([], _TOO_MANY)
            del cells[self._columns :]
        return Row(cells)

    def _recover(self, used: list[Line]) -> Row:
        """Take one line for the row, and leave those after it to be read again."""
        self._lines.give_back(used[1:])
        text = used[0].text()
        if len(used) > 1 or text.count('"') % 2:
            return Row([], _UNCLOSED)
        # Marks come in pairs, so nothing runs on: `"Ada" Lovelace` can be read as it was meant.
        cells = next(csv.reader([text], delimiter=self._delimiter))
        if self._columns is not None and len(cells) > self._columns:
            return Row([], _TOO_MANY)
        return Row(cells)


class _LineTooLong(Exception):
    """A row begins with a line that is too long to keep."""


class _RowTooLong(Exception):
    """A quoted text runs on for too long."""


class _Feed:
    """What the csv module reads from: it takes exactly the lines of one row, which `used` has afterwards."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.used: list[Line] = []
        self._size = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._lines.take()
        if line is None:
            raise StopIteration
        used = self.used
        self._size = line.size if not used else self._size + line.size
        used.append(line)
        if line.raw is None or self._size > LONGEST_ROW_BYTES:
            raise _RowTooLong if len(used) > 1 else _LineTooLong
        return line.text()
