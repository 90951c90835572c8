"""The contacts of a list. No number stands in a URL, which servers write into their logs: one is found by a body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from callsheet.api.contact_rows import read_rows
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contact_lists import find_contact_list
from callsheet.api.v1.contract import problems
from callsheet.api.v1.csv_export import CSV, Bom, csv_response
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.contacts import HIGHEST_PRIORITY, LONGEST_VALUE, columns_of
from callsheet.core.errors import BodyTooLarge, ContactListNotFound, FieldError, Invalid, LimitReached
from callsheet.core.phone import BadNumber, Number
from callsheet.engine import contacts
from callsheet.engine.runtime import Runtime
from callsheet.store.contacts import Contact, Wanted
from callsheet.store.lists import ContactList, contact_id, read_contact_id

router = Router(prefix="/v1/apps/{app}/contact-lists/{list_id}", tags=["contacts"])

MOST_CONTACTS = 1000
"""In one call; more come as an import."""

_BLOCK = 1000


class NewContacts(Body):
    """Contacts to be, each an object: its phone number, as `phoneNumber` or its like, beside any other columns."""

    contacts: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_CONTACTS)]


class AddedContacts(BaseModel):
    """What came of contacts that were to be added."""

    added: int
    duplicates: int
    """Those of people who are in the list already, where it takes nobody twice."""


class ListedContact(BaseModel):
    """A contact in a list."""

    id: str
    number: str
    priority: int
    """0 to 10; higher goes first."""
    columns: dict[str, str]
    """What its columns say, except that of the number."""
    created_at: Instant


class SoughtNumber(Body):
    """A phone number, in international form, or local to the app's region."""

    number: Annotated[str, Field(max_length=64)]


@dataclass(frozen=True, slots=True)
class Sought:
    """What a contact must have, as the query says it."""

    roles: dict[str, str]
    """By what a column means: what stands there."""
    column: str | None
    value: str | None
    priority: int | None
    unique_id: str | None

    @property
    def is_anything(self) -> bool:
        """Tell whether every contact will do."""
        return not self.roles and self.column is None and self.priority is None and self.unique_id is None


Cell = Annotated[str | None, Query(max_length=LONGEST_VALUE)]


async def _sought(
    first_name: Annotated[Cell, Query(description="Only those with exactly this first name.")] = None,
    last_name: Annotated[Cell, Query(description="Only those with exactly this last name.")] = None,
    unique_id: Annotated[Cell, Query(description="Only those with exactly this key of yours.")] = None,
    column: Annotated[Cell, Query(description="Only those who have exactly `value` in this column.")] = None,
    value: Annotated[Cell, Query(description="What must stand in `column`.")] = None,
    priority: Annotated[int | None, Query(ge=0, le=HIGHEST_PRIORITY, description="Only this contact priority.")] = None,
) -> Sought:
    if (column is None) is not (value is None):
        missing = "value" if value is None else "column"
        raise Invalid([FieldError(missing, "Give a column and a value, or neither.")])
    roles = {"first_name": first_name, "last_name": last_name}
    return Sought({role: cell for role, cell in roles.items() if cell is not None}, column, value, priority, unique_id)


@router.get("/contacts", responses=problems(ContactListNotFound))
async def list_contacts(
    runtime: Served,
    app: Tenant,
    list_id: str,
    sought: Annotated[Sought, Depends(_sought)],
    after: After = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[ListedContact]:
    """Return the contacts of a list in its order; or only those with exactly these cells.

    A search looks through 20,000 contacts at most and then answers with what it has found, which may be nothing: go on
    while there is a `next`. By `unique_id` it looks nowhere else, and finds at once.
    """
    contact_list = await find_contact_list(runtime, app, list_id)
    first = _read_cursor(contact_list, after)
    if sought.is_anything:
        found = await runtime.store.contacts.page(contact_list, after=first, limit=limit + 1)
        return page_of([_show(contact) for contact in found], limit, lambda contact: contact.id)
    wanted = _wanted(contact_list, sought)
    if wanted is None:
        return Page(items=[], next=None)
    fits = await runtime.store.contacts.search(contact_list, wanted, after=first, limit=limit)
    cursor = None if fits.next_pos is None else contact_id(contact_list.no, fits.next_pos - 1)
    return Page(items=[_show(contact) for contact in fits.contacts], next=cursor)


@router.post("/contacts", responses=problems(ContactListNotFound, LimitReached, BodyTooLarge))
async def add_contacts(runtime: Served, app: Tenant, list_id: str, new: NewContacts) -> AddedContacts:
    """Add contacts, all of them or none. They are durable when this answers, and a run that is on takes them."""
    contact_list = await find_contact_list(runtime, app, list_id)
    wrong: list[FieldError] = []
    read = read_rows(new.contacts, "contacts", app.settings.region, wrong)
    if wrong:
        raise Invalid(wrong)
    appended = await contacts.add(runtime, contact_list, read)
    return AddedContacts(added=appended.added, duplicates=appended.duplicates)


@router.post("/contacts/find", responses=problems(ContactListNotFound, BodyTooLarge))
async def find_contacts(
    runtime: Served,
    app: Tenant,
    list_id: str,
    sought: SoughtNumber,
    after: After = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[ListedContact]:
    """Return the contacts with a number: more than one where the list takes a person twice. It changes nothing."""
    contact_list = await find_contact_list(runtime, app, list_id)
    first = _read_cursor(contact_list, after)
    try:
        number = Number.parse(sought.number, app.settings.region)
    except BadNumber as error:
        raise Invalid([FieldError("number", error.fields[0].message)]) from None
    key = runtime.store.vault.app(app.no)
    assert key is not None, "the app was opened when its token was read"
    found = await runtime.store.contacts.of_person(contact_list, key.person(number.e164), after=first, limit=limit + 1)
    return page_of([_show(contact) for contact in found], limit, lambda contact: contact.id)


@router.get("/contacts.csv", response_class=StreamingResponse, responses=CSV | problems(ContactListNotFound))
async def export_contacts(runtime: Served, app: Tenant, list_id: str, bom: Bom = False) -> StreamingResponse:
    """Return a list as a CSV with its columns. A text that a spreadsheet would run as a formula gets an apostrophe."""
    contact_list = await find_contact_list(runtime, app, list_id)
    phone = columns_of(contact_list.columns).phone_number
    header = tuple(dict.fromkeys((*contact_list.columns, phone)))
    return csv_response(f"{contact_list.id}-contacts", header, _rows(runtime, contact_list, header, phone), bom=bom)


async def _rows(
    runtime: Runtime, contact_list: ContactList, header: Sequence[str], phone: str
) -> AsyncIterator[Iterable[Sequence[str]]]:
    after = 0
    while found := await runtime.store.contacts.page(contact_list, after=after, limit=_BLOCK):
        yield [
            [contact.number if column == phone else contact.attributes.get(column, "") for column in header]
            for contact in found
        ]
        after = found[-1].pos + 1


def _read_cursor(contact_list: ContactList, after: str | None) -> int:
    """Return the position after the cursor."""
    if after is None:
        return 0
    place = read_contact_id(after)
    if place is None or place[0] != contact_list.no:
        raise no_cursor()
    return place[1] + 1


def _wanted(contact_list: ContactList, sought: Sought) -> Wanted | None:
    """Return in which columns of a list to look; None: it does not have them, or nobody can fit."""
    unique_id = (sought.unique_id or "").strip()
    if sought.unique_id is not None and not unique_id:
        return None
    columns = columns_of(contact_list.columns)
    cells: dict[str, str] = {}
    asked = [(getattr(columns, role), cell) for role, cell in sought.roles.items()]
    if sought.column is not None and sought.value is not None:
        asked.append((sought.column, sought.value))
    for column, cell in asked:
        if column not in contact_list.columns or cells.setdefault(column, cell) != cell:
            return None
    return Wanted(cells, sought.priority, unique_id)


def _show(contact: Contact) -> ListedContact:
    phone = columns_of(tuple(contact.attributes)).phone_number
    return ListedContact(
        id=contact.id,
        number=contact.number,
        priority=contact.priority,
        columns={column: cell for column, cell in contact.attributes.items() if column != phone},
        created_at=contact.created_at,
    )
