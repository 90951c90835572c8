"""Groups of contacts: flows put people into them, and take them out."""

from __future__ import annotations

from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.messages import read_person
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import NotFound

router = Router(prefix="/v1/apps/{app}/contact-groups", tags=["contacts"])


class ShownGroup(BaseModel):
    """A group that somebody is in."""

    key: str
    """By which flows name it."""
    name: str
    members: int


class ShownMember(BaseModel):
    """Somebody in a group."""

    person_id: str
    number: str
    """Empty when nothing has it any more."""
    since: Instant


@router.get("")
async def list_groups(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownGroup]:
    """Return the groups by their keys. One that everybody has left is none."""
    groups = runtime.store.contact_groups
    if after and await groups.find(app.no, after) is None:
        raise no_cursor()
    found = await groups.page(app.no, after=after or "", limit=limit + 1)
    shown = [ShownGroup(key=one.key, name=one.name, members=one.members) for one in found]
    return page_of(shown, limit, lambda one: one.key)


@router.get("/{group_key}/members", responses=problems(NotFound))
async def list_members(
    runtime: Served, app: Tenant, group_key: str, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownMember]:
    """Return the members of a group."""
    groups = runtime.store.contact_groups
    if await groups.find(app.no, group_key) is None:
        raise NotFound("There is no such contact group in this app, or everybody has left it.")
    first = read_person(after, "after") if after else b""
    found = await groups.members(app.no, group_key, after=first, limit=limit + 1)
    shown = [ShownMember(person_id=one.person.hex(), number=one.number, since=one.at) for one in found]
    return page_of(shown, limit, lambda one: one.person_id)
