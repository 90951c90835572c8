"""Add contacts to a list, all of a call or none; and leaf through a list."""

from __future__ import annotations

from typing import Any

from callsheet.api.compat.answers import success
from callsheet.api.compat.call import Call
from callsheet.api.compat.fields import Fields
from callsheet.api.contact_rows import read_rows
from callsheet.api.instants import write_instant
from callsheet.core.contacts import PHONE_NUMBER, Contact, TooManyColumns, columns_of
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.names import no_such
from callsheet.engine import contact_lists, contacts
from callsheet.store.contacts import Contact as Listed
from callsheet.store.lists import ContactList

MOST_CONTACTS = 100
"""In one call, as documented."""

USUAL_PAGE, LARGEST_PAGE = 50, 100
"""Contacts on a page; the first is the documented sample's."""

_DEEPEST = 10**12
_LONGEST_NAME = 256
_ID_KEYS = ("contactListId", "contactListID", "contact_list_id")
_NAME_KEY = "contact_list_name"


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


async def leaf(call: Call) -> dict[str, Any]:
    """Return some contacts of a list. Pages are counted in contacts (`skip`, `offset`) or in pages (`page`)."""
    contact_list = await contact_lists.find(call.runtime, call.app, call.thing)
    skip, limit = _read_place(call)
    found = await call.runtime.store.contacts.page(contact_list, after=skip, limit=limit)
    data = {
        "results": [_show(contact) for contact in found],
        "skip": skip,
        "limit": limit,
        "hasMore": skip + len(found) < contact_list.size,
        "totalPages": -(-contact_list.size // limit),
        "totalResults": contact_list.size,
    }
    return success("Contacts retrieved successfully", data)


def _read_place(call: Call) -> tuple[int, int]:
    """Read where a page begins and how long it is, from the query or the body."""
    named = {name: call.parameter(name) for name in ("skip", "offset", "limit", "page")}
    fields = Fields({**named, **call.document}, [])
    limit = fields.whole("limit", least=1, most=LARGEST_PAGE, default=USUAL_PAGE)
    page = fields.whole("page", least=1, most=_DEEPEST, default=1)
    offset = fields.whole("offset", least=0, most=_DEEPEST, default=(page - 1) * limit)
    skip = fields.whole("skip", least=0, most=_DEEPEST, default=offset)
    if fields.wrong:
        raise Invalid(fields.wrong)
    return skip, limit


def _show(contact: Listed) -> dict[str, Any]:
    """Show a contact as the sample does: its number without the plus sign, beside its own columns."""
    number = contact.number.removeprefix("+")
    at = write_instant(contact.created_at)
    its_own = {**contact.attributes, columns_of(tuple(contact.attributes)).phone_number: number}
    return {**its_own, "_id": contact.id, "createdAt": at, "updatedAt": at, PHONE_NUMBER: number}


async def _find_list(call: Call, fields: Fields) -> ContactList | None:
    """Return the list, named by its name as on the page or by its id as in the release notes."""
    lists = call.runtime.store.lists
    id_key = next((key for key in _ID_KEYS if fields.get(key) is not None), None)
    key = id_key or _NAME_KEY
    said = fields.text(key, longest=_LONGEST_NAME, required=True).strip()
    if not said:
        return None
    by_id, by_name = await lists.find(call.app.no, list_id=said), await lists.find(call.app.no, name=said)
    # Either key is taken for what it says; some clients send the one under the other.
    found = (by_id or by_name) if id_key else (by_name or by_id)
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
    return read_rows(rows, "data", region, fields.wrong)
