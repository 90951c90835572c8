"""Blocks: rows of a file, read, checked and sealed, as many as one transaction stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from callsheet.core.contacts import RowError, RowReason, read_contact
from callsheet.core.phone import BadNumber, Number
from callsheet.engine.importing.layout import Layout
from callsheet.engine.importing.rows import Row, RowSource
from callsheet.engine.sealing import seal, seal_entry
from callsheet.store.protocol import NewContact, NewEntry
from callsheet.store.vault import AppKey

BLOCK_ROWS = 2_000
BLOCK_BYTES = 1024**2
"""A block of wide rows ends sooner, so that memory is bounded by the bytes that were read."""


class Source(NamedTuple):
    """A file, what it is for, and how far it has come."""

    path: str
    numbers_only: bool
    """The numbers go on a DNC list; nothing else of a row is kept."""
    app_key: bytes
    region: str | None
    rows: int
    """How many of its rows are stored."""


class Block(msgspec.Struct, tag=True, frozen=True, array_like=True):
    """What came of some rows; `rows` and `bytes_done` count from the beginning of the file."""

    rows: int
    bytes_done: int
    done: bool
    contacts: Sequence[NewContact]
    entries: Sequence[NewEntry]
    rejects: Sequence[tuple[int, str, str]]
    """Row number, reason and sentence of each rejected row."""


class _Drafting:
    """Makes of the cells of rows what is to be stored, and keeps it until its block is full."""

    def __init__(self, source: Source, layout: Layout) -> None:
        self._key = AppKey(source.app_key)
        self._region = source.region
        self._layout = layout
        self._phone = layout.names.index(layout.columns.phone_number)
        self.contacts: list[NewContact] = []
        self.entries: list[NewEntry] = []
        self.rejects: list[tuple[int, str, str]] = []

    def take_contact(self, cells: list[str]) -> RowError | None:
        """Draft a contact, or say what is wrong with it. Cells that are missing at the end are empty ones."""
        layout = self._layout
        cells.extend([""] * (len(layout.names) - len(cells)))
        row = {name: cell for name, cell in zip(layout.names, cells, strict=True) if name is not None}
        contact = read_contact(row, layout.columns, self._region)
        if isinstance(contact, RowError):
            return contact
        self.contacts.append(seal(self._key, contact))
        return None

    def take_number(self, cells: list[str]) -> RowError | None:
        """Draft an entry of a DNC list, or say what is wrong with it."""
        text = cells[self._phone] if self._phone < len(cells) else ""
        if not text.strip():
            return RowError(RowReason.missing_number, "The row has no phone number.")
        try:
            number = Number.parse(text, self._region)
        except BadNumber as error:
            return RowError(RowReason(error.reason), error.fields[0].message)
        self.entries.append(seal_entry(self._key, number))
        return None

    def block(self, rows: int, bytes_done: int, *, done: bool) -> Block:
        """Return what was drafted, and begin anew."""
        block = Block(rows, bytes_done, done, self.contacts, self.entries, self.rejects)
        self.contacts, self.entries, self.rejects = [], [], []
        return block


def read_blocks(source: Source, rows: RowSource, layout: Layout) -> Iterator[Block]:
    """Read a file from where it has come to, block by block; the last one is `done`, and there is always one.

    `rows` begin after the one that names the columns.
    """
    drafting = _Drafting(source, layout)
    take = drafting.take_number if source.numbers_only else drafting.take_contact
    row_no, count, done = layout.first_row_no, 0, False
    # Read again what was stored before, for the blank lines in it: a row has the number that a spreadsheet shows.
    while count < source.rows and (row := rows.take()) is not None:
        count += _counts(row)
        row_no += 1
    while not done:
        most_rows, most_bytes = count + BLOCK_ROWS, rows.at + BLOCK_BYTES
        while count < most_rows and rows.at < most_bytes:
            row = rows.take()
            if row is None:
                done = True
                break
            if _counts(row):
                wrong = row.wrong or take(row.cells)
                if wrong is not None:
                    drafting.rejects.append((row_no, wrong.reason, wrong.message))
                count += 1
            row_no += 1
        yield drafting.block(count, rows.bytes_done, done=done)


def _counts(row: Row) -> bool:
    """Tell whether this is a row, and not a blank line."""
    return row.wrong is not None or bool(row.cells)
