"""Read what was pulled: JSON or CSV becomes rows, and rows become contacts that can be stored.

All of it works on a thread, contact by contact, so that the loop goes on beside an answer of many megabytes: JSON is
cut into its contacts first, and each is read by itself.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from callsheet.core.contacts import Columns, Contact, RowError, columns_of, read_contact
from callsheet.core.pull import PullPlan, row_of
from callsheet.engine.importing.layout import UnreadableFile, read_names
from callsheet.engine.importing.rows import Lines, Rows
from callsheet.engine.importing.spool import Plain

BLOCK_ROWS = 1_000

Row = tuple[int, Mapping[str, object] | RowError]
"""Its number, from 1 (of CSV: the one that a spreadsheet shows), and what it holds or what is wrong with it."""

_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_arrays = msgspec.json.Decoder(list[msgspec.Raw])
_values = msgspec.json.Decoder()

_BROKEN = "The answer is not JSON that can be read."


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of an answer, read."""

    rows: int
    contacts: Sequence[Contact]
    rejects: Sequence[tuple[int, RowError]]


class Pulled:
    """The contacts of an answer, block by block."""

    def __init__(self, plan: PullPlan, body: bytes, content_type: str, region: str | None) -> None:
        self._rows = _read(plan, body, content_type)
        self.mode = plan.mode
        self._region = region
        self._columns: dict[tuple[str, ...], Columns] = {}

    def take(self, most: int = BLOCK_ROWS) -> Block:
        """Return the next rows; none at the end. Raises UnreadableFile."""
        rows = 0
        contacts: list[Contact] = []
        rejects: list[tuple[int, RowError]] = []
        for row_no, row in islice(self._rows, most):
            rows += 1
            read = row if isinstance(row, RowError) else read_contact(row, self._columns_of(row), self._region)
            if isinstance(read, RowError):
                rejects.append((row_no, read))
            else:
                contacts.append(read)
        return Block(rows, contacts, rejects)

    def _columns_of(self, row: Mapping[str, object]) -> Columns:
        names = tuple(row)
        if names not in self._columns:
            if len(self._columns) > BLOCK_ROWS:
                self._columns.clear()  # every row has keys of its own
            self._columns[names] = columns_of(names)
        return self._columns[names]


def _read(plan: PullPlan, body: bytes, content_type: str) -> Iterator[Row]:
    """Read the rows of an answer. What begins as JSON is JSON, whatever its type says."""
    if "csv" in content_type.lower() or not ("json" in content_type.lower() or body.lstrip()[:1] in (b"[", b"{")):
        return _read_csv(plan, body)
    return _read_json(plan, body)


def _read_json(plan: PullPlan, body: bytes) -> Iterator[Row]:
    items = _find_items(plan.items_path, msgspec.Raw(body.removeprefix(b"\xef\xbb\xbf")))
    for row_no, item in enumerate(items, 1):
        yield row_no, row_of(_decode(_values, item), plan.mapping)


def _find_items(path: str, document: msgspec.Raw) -> Sequence[msgspec.Raw]:
    for step in path.split(".") if path else ():
        if bytes(document).lstrip()[:1] == b"[" and step.isdecimal():
            array: list[msgspec.Raw] = _decode(_arrays, document)
            found = array[int(step)] if int(step) < len(array) else None
        else:
            found = _decode(_objects, document, f"There is nothing at {path} in the answer.").get(step)
        if found is None:
            raise UnreadableFile(f"There is nothing at {path} in the answer.")
        document = found
    items: list[msgspec.Raw] = _decode(
        _arrays, document, f"There is no array at {path} in the answer." if path else "The answer is not an array."
    )
    return items


def _decode(decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw, otherwise: str = _BROKEN) -> Any:
    """Decode a part of an answer. Raises UnreadableFile, which quotes nothing of it."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        raise UnreadableFile(otherwise) from None
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise UnreadableFile(_BROKEN) from None


def _read_csv(plan: PullPlan, body: bytes) -> Iterator[Row]:
    plain = Plain()
    file = io.BytesIO(plain.take(body) + plain.finish())
    layout = read_names(file)
    rows = Rows(Lines(file, layout.rows_begin), layout.delimiter, len(layout.names))
    row_no = layout.first_row_no
    while (row := rows.take()) is not None:
        if row.wrong is not None:
            yield row_no, row.wrong
        elif row.cells:
            cells = [*row.cells, *[""] * (len(layout.names) - len(row.cells))]
            named = {name: cell for name, cell in zip(layout.names, cells, strict=True) if name is not None}
            yield row_no, row_of(named, plan.mapping)
        row_no += 1
