"""DNC lists: numbers that must not be contacted."""

from __future__ import annotations

from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Name, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, DncListNotFound, InUse, NameTaken
from callsheet.engine import dnc_lists
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.dnc import DncList

router = Router(prefix="/v1/apps/{app}/dnc-lists", tags=["DNC lists"])


class NewDncList(Body):
    """A DNC list to be."""

    name: Name


class CreatedDncList(BaseModel):
    """A DNC list that was made."""

    id: str
    name: str


class ShownDncList(CreatedDncList):
    """A DNC list."""

    is_global: bool
    """It spares its people from every campaign of the app."""
    size: int
    created_at: Instant


class RenamedDncList(Body):
    """What a DNC list is called from now on."""

    name: Name


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_dnc_list(runtime: Served, app: Tenant, new: NewDncList) -> CreatedDncList:
    """Create an empty DNC list."""
    created = await runtime.store.dnc_lists.create(app.no, new.name, runtime.clock.now())
    return CreatedDncList(id=created.id, name=created.name)


@router.get("")
async def list_dnc_lists(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownDncList]:
    """Return the DNC lists, the global one among them, oldest first."""
    last = await runtime.store.dnc_lists.find(app.no, list_id=after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await runtime.store.dnc_lists.of_app(app.no, after=last.no if last is not None else 0, limit=limit + 1)
    return page_of([_show(one) for one in found], limit, lambda one: one.id)


@router.get("/{list_id}", responses=problems(DncListNotFound))
async def get_dnc_list(runtime: Served, app: Tenant, list_id: str) -> ShownDncList:
    """Return a DNC list."""
    return _show(await find_dnc_list(runtime, app, list_id))


@router.patch("/{list_id}", responses=problems(DncListNotFound, NameTaken, BodyTooLarge))
async def rename_dnc_list(runtime: Served, app: Tenant, list_id: str, renamed: RenamedDncList) -> ShownDncList:
    """Give a DNC list another name."""
    dnc_list = await find_dnc_list(runtime, app, list_id)
    return _show(await runtime.store.dnc_lists.rename(dnc_list, renamed.name, runtime.clock.now()))


@router.delete("/{list_id}", status_code=204, responses=problems(DncListNotFound, InUse))
async def delete_dnc_list(runtime: Served, app: Tenant, list_id: str) -> None:
    """Delete a DNC list with its numbers. One that a campaign names stays, and so does the global one."""
    await runtime.store.dnc_lists.delete(await find_dnc_list(runtime, app, list_id))


@router.post("/{list_id}/make-global", responses=problems(DncListNotFound))
async def make_dnc_list_global(runtime: Served, app: Tenant, list_id: str) -> ShownDncList:
    """Make this the app's global DNC list; the one that was is an ordinary list from then on.

    When this answers, nothing more leaves for anybody on it, in running campaigns either.
    """
    return _show(await dnc_lists.make_global(runtime, await find_dnc_list(runtime, app, list_id)))


async def find_dnc_list(runtime: Runtime, app: App, list_id: str) -> DncList:
    """Return a DNC list of the app by its id. Raises DncListNotFound."""
    found = await runtime.store.dnc_lists.find(app.no, list_id=list_id)
    if found is None:
        raise DncListNotFound
    return found


def _show(found: DncList) -> ShownDncList:
    return ShownDncList(
        id=found.id, name=found.name, is_global=found.is_global, size=found.size, created_at=found.created_at
    )
