"""DNC lists: numbers that must not be contacted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Name, Page, no_cursor, page_of
from callsheet.core.errors import BodyTooLarge, DncListNotFound, NameTaken
from callsheet.engine import contacts
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.dnc import DncList

router = APIRouter(prefix="/v1/apps/{app}/dnc-lists", tags=["DNC lists"])

MOST_NUMBERS = 10_000
"""In one call; more come as an import."""

_LONGEST_NUMBER = 64


def _as_text(value: object) -> object:
    """Return a number that was written without quotes as the text that it means."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Number = Annotated[str, Field(max_length=_LONGEST_NUMBER), BeforeValidator(_as_text)]


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


class NewNumbers(Body):
    """Numbers that must not be contacted, in international form, or local to the app's region."""

    numbers: Annotated[list[_Number], Field(max_length=MOST_NUMBERS)]


class RejectedNumber(BaseModel):
    """A number that was not added."""

    number: str
    reason: str


class AddedNumbers(BaseModel):
    """What came of numbers that were to be added; those that were on the list already count as neither."""

    added: int
    rejected: list[RejectedNumber]


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


@router.post("/{list_id}/numbers", responses=problems(DncListNotFound, BodyTooLarge))
async def add_numbers(runtime: Served, app: Tenant, list_id: str, new: NewNumbers) -> AddedNumbers:
    """Add numbers. When this answers, nothing more leaves for any of them, in running campaigns either."""
    dnc_list = await find_dnc_list(runtime, app, list_id)
    added, rejected = await contacts.forbid(runtime, app, dnc_list, [str(number) for number in new.numbers])
    return AddedNumbers(
        added=added, rejected=[RejectedNumber(number=one.number, reason=one.reason) for one in rejected]
    )


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
