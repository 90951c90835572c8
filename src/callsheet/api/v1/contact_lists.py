"""Contact lists: named sets of contacts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, StrictBool

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import (
    USUAL_LIMIT,
    After,
    Body,
    Description,
    Instant,
    Limit,
    Name,
    Page,
    no_cursor,
    page_of,
)
from callsheet.api.v1.strict import Router
from callsheet.core.errors import (
    BodyTooLarge,
    ContactListNotFound,
    LimitReached,
    ListInUse,
    ListNotEmpty,
    NameTaken,
)
from callsheet.engine import contact_lists
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.lists import ContactList

router = Router(prefix="/v1/apps/{app}/contact-lists", tags=["contact lists"])

SOURCE = "upload"

Part = Annotated[str, Query(max_length=128, description="Only lists with this in their names, in any case.")]


class NewContactList(Body):
    """A contact list to be."""

    name: Name
    description: Description = ""
    allow_duplicates: StrictBool = False
    """Whether one person may stand in the list twice; a run contacts nobody twice in any case."""


class ChangedContactList(Body):
    """What is to change of a contact list; what is absent, or null, stays."""

    name: Name | None = None
    """Campaigns that use the list follow its name."""
    description: Description | None = None
    allow_duplicates: StrictBool | None = None
    """Can be changed only while nobody is in the list."""


class Linked(BaseModel):
    """A campaign that uses the list."""

    id: str
    name: str


class ShownContactList(BaseModel):
    """A contact list."""

    id: str
    name: str
    description: str
    allow_duplicates: bool
    size: int
    columns: list[str]
    in_use: bool
    """A running campaign uses it."""
    campaigns: list[Linked]
    created_at: Instant
    updated_at: Instant


@router.post("", status_code=201, responses=problems(NameTaken, LimitReached, BodyTooLarge))
async def create_contact_list(runtime: Served, app: Tenant, new: NewContactList) -> ShownContactList:
    """Create an empty contact list."""
    created = await runtime.store.lists.create(
        app.no,
        name=new.name,
        description=new.description,
        source=SOURCE,
        allow_duplicates=new.allow_duplicates,
        now=runtime.clock.now(),
    )
    return _show(created)


@router.get("")
async def list_contact_lists(
    runtime: Served, app: Tenant, name: Part = "", after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownContactList]:
    """Return the contact lists, or those with a part of a name, oldest first."""
    last = await runtime.store.lists.find(app.no, list_id=after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await runtime.store.lists.of_app(
        app.no, after=last.no if last is not None else 0, limit=limit + 1, part=name
    )
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


@router.get("/{list_id}", responses=problems(ContactListNotFound))
async def get_contact_list(runtime: Served, app: Tenant, list_id: str) -> ShownContactList:
    """Return a contact list."""
    return _show(await find_contact_list(runtime, app, list_id, with_uses=True))


@router.patch("/{list_id}", responses=problems(ContactListNotFound, NameTaken, ListNotEmpty, BodyTooLarge))
async def change_contact_list(
    runtime: Served, app: Tenant, list_id: str, changed: ChangedContactList
) -> ShownContactList:
    """Change a contact list."""
    contact_list = await find_contact_list(runtime, app, list_id)
    return _show(
        await runtime.store.lists.change(
            contact_list,
            name=changed.name,
            description=changed.description,
            allow_duplicates=changed.allow_duplicates,
            now=runtime.clock.now(),
        )
    )


@router.delete("/{list_id}", status_code=204, responses=problems(ContactListNotFound, ListInUse))
async def delete_contact_list(runtime: Served, app: Tenant, list_id: str) -> None:
    """Delete a contact list with its contacts. One that a campaign uses stays; what runs did is kept."""
    await contact_lists.delete(runtime, await find_contact_list(runtime, app, list_id))


async def find_contact_list(runtime: Runtime, app: App, list_id: str, *, with_uses: bool = False) -> ContactList:
    """Return a contact list of the app by its id. Raises ContactListNotFound."""
    found = await runtime.store.lists.find(app.no, list_id=list_id, with_uses=with_uses)
    if found is None:
        raise ContactListNotFound
    return found


def _show(found: ContactList) -> ShownContactList:
    return ShownContactList(
        id=found.id,
        name=found.name,
        description=found.description,
        allow_duplicates=found.allow_duplicates,
        size=found.size,
        columns=list(found.columns),
        in_use=found.in_use,
        campaigns=[Linked(id=campaign.id, name=campaign.name) for campaign in found.linked],
        created_at=found.created_at,
        updated_at=found.updated_at,
    )
