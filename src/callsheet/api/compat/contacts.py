"""Add contacts to a list: all of a call, or none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from callsheet.api.compat.call import Call
from callsheet.api.compat.fields import Fields
from callsheet.core.contacts import (
    PHONE_NUMBER,
    Columns,
    Contact,
    RowError,
    RowReason,
    TooManyColumns,
    columns_of,
    read_contact,
)
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.names import no_such
from callsheet.engine import contacts
from callsheet.store.lists import ContactList

MOST_CONTACTS = 100
"""In one call, as documented."""

_LONGEST_NAME = 256
_ID_KEYS = ("contactListId", "contactListID", "contact_list_id")
_NAME_KEY = "contact_list_name"
_CONTACT_PRIORITY = "contactPriority"
_NESTED = "A contact's field is a text, a number, true, false or null."
_WHOLE_ROW = (RowReason.too_many_columns, RowReason.value_too_long, RowReason.unreadable_character)


async def add(call: Call) -> dict[str, Any]:
    """Add contacts. They are durable when this answers, and a run that is on takes them.

    The documented answer says that adding is in progress; waiting for it is never needed.
    """
    fields = Fields(call.document, [])
    contact_list = await _find_list(call, fields)
    read = _read_rows(fields, call.app.settings.region)
    if fields.wrong or contact_list is None:
        raise Invalid(fields.wrong)
    try:
        await contacts.add(call.runtime, contact_list, read)
    except TooManyColumns as error:
        raise Invalid([FieldError("data", error.message)]) from None
    return {"message": "Adding contacts to public list is in progress"}


async def _find_list(call: Call, fields: Fields) -> ContactList | None:
    """Return the list, named by its name as on the page or by its id as in the release notes."""
    lists = call.runtime.store.lists
    id_key = next((key for key in _ID_KEYS if fields.get(key) is not None), None)
    key = id_key or _NAME_KEY
    said = fields.text(key, longest=_LONGEST_NAME, required=True).strip()
    if not said:
        return None
    found = await lists.find(call.app.no, list_id=said) if id_key else await lists.find(call.app.no, name=said)
    if found is None:
        fields.blame(key, no_such("contact list", said, await lists.names(call.app.no)))
    return found


def _read_rows(fields: Fields, region: str | None) -> list[Contact]:
    rows = fields.get("data")
    if not isinstance(rows, list) or not rows:
        fields.blame("data", "Give an array of contacts.")
        return []
    if len(rows) > MOST_CONTACTS:
        fields.blame("data", f"Give at most {MOST_CONTACTS} contacts in one call; there are {len(rows)}.")
        return []
    read: list[Contact] = []
    for index, row in enumerate(rows):
        contact = _read_row(row, f"data[{index}]", region, fields.wrong)
        if contact is not None:
            read.append(contact)
    return read


def _read_row(row: object, path: str, region: str | None, wrong: list[FieldError]) -> Contact | None:
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
