"""Contacts in the body of a call: all of them are read, and every column that is wrong is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from callsheet.core.contacts import (
    PHONE_NUMBER,
    Columns,
    Contact,
    RowError,
    RowReason,
    columns_of,
    read_contact,
)
from callsheet.core.errors import FieldError

_CONTACT_PRIORITY = "contactPriority"
_NESTED = "A contact's field is a text, a number, true, false or null."
_WHOLE_ROW = (RowReason.too_many_columns, RowReason.value_too_long, RowReason.unreadable_character)


def read_rows(rows: Sequence[object], path: str, region: str | None, wrong: list[FieldError]) -> list[Contact]:
    """Read contacts; what is wrong with them is added to `wrong`, under their places in `path`."""
    read = (read_row(row, f"{path}[{index}]", region, wrong) for index, row in enumerate(rows))
    return [contact for contact in read if contact is not None]


def read_row(row: object, path: str, region: str | None, wrong: list[FieldError]) -> Contact | None:
    """Read one contact, and name every column of it that is wrong."""
    if not isinstance(row, dict):
        wrong.append(FieldError(path, f"A contact is an object with a {PHONE_NUMBER}."))
        return None
    flat = {key: value for key, value in row.items() if not isinstance(value, dict | list)}
    faults = {f"{path}.{key}": _NESTED for key in row if key not in flat}
    columns = columns_of(tuple(flat))
    while isinstance(read := read_contact(flat, columns, region), RowError):
        if read.reason is RowReason.bad_priority and columns.contact_priority != _CONTACT_PRIORITY:
            # `priority` may mean anything in somebody's own data.
            columns = replace(columns, contact_priority=None)
            continue
        faults.setdefault(_place(path, columns, read.reason), read.message)
        # What was named is left out, and the rest is looked at once more.
        match read.reason:
            case RowReason.unknown_time_zone:
                columns = replace(columns, time_zone=None)
            case RowReason.bad_priority:
                columns = replace(columns, contact_priority=None)
            case _:
                break
    wrong.extend(FieldError(place, message) for place, message in faults.items())
    return read if not faults and isinstance(read, Contact) else None


def _place(path: str, columns: Columns, reason: RowReason) -> str:
    if reason in _WHOLE_ROW:
        return path
    if reason is RowReason.unknown_time_zone:
        return f"{path}.{columns.time_zone}"
    if reason is RowReason.bad_priority:
        return f"{path}.{columns.contact_priority}"
    return f"{path}.{PHONE_NUMBER}"
