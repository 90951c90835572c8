"""The numbers on a DNC list. None of them stands in a URL, which servers write into their logs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated

from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from callsheet.api.instants import write_instant
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.csv_export import CSV, Bom, csv_response
from callsheet.api.v1.dnc_lists import find_dnc_list
from callsheet.api.v1.numbers import AnyNumber
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, DncListNotFound
from callsheet.core.ids import PERSON_BYTES
from callsheet.engine import contacts, dnc_lists
from callsheet.engine.runtime import Runtime
from callsheet.store.dnc import DncList
from callsheet.store.dnc_entries import DncEntry

router = Router(prefix="/v1/apps/{app}/dnc-lists/{list_id}", tags=["DNC lists"])

MOST_NUMBERS = 10_000
"""In one call; more come as an import."""

_BLOCK = 1000


class Numbers(Body):
    """Phone numbers, in international form, or local to the app's region."""

    numbers: Annotated[list[AnyNumber], Field(max_length=MOST_NUMBERS)]


class RejectedNumber(BaseModel):
    """A number that was not added."""

    number: str
    reason: str


class AddedNumbers(BaseModel):
    """What came of numbers that were to be added; those that were on the list already count as neither."""

    added: int
    rejected: list[RejectedNumber]


class RemovedNumbers(BaseModel):
    """What came of numbers that were to be removed."""

    removed: int
    unknown: list[str]
    """Those that were not on the list."""


class ListedNumber(BaseModel):
    """A number on a DNC list."""

    id: str
    number: str
    source: str
    """How it came there: `api`, or `import`."""
    added_at: Instant


class FoundNumbers(BaseModel):
    """Which of some numbers are on a list."""

    items: list[ListedNumber]
    unknown: list[str]
    """Those that are not on the list."""


@router.post("/numbers", responses=problems(DncListNotFound, BodyTooLarge))
async def add_numbers(runtime: Served, app: Tenant, list_id: str, new: Numbers) -> AddedNumbers:
    """Add numbers. When this answers, nothing more leaves for any of them, in running campaigns either."""
    dnc_list = await find_dnc_list(runtime, app, list_id)
    added, rejected = await contacts.forbid(runtime, app, dnc_list, new.numbers)
    return AddedNumbers(
        added=added, rejected=[RejectedNumber(number=one.number, reason=one.reason) for one in rejected]
    )


@router.post("/numbers/remove", responses=problems(DncListNotFound, BodyTooLarge))
async def remove_numbers(runtime: Served, app: Tenant, list_id: str, old: Numbers) -> RemovedNumbers:
    """Remove numbers. Whoever opted out, or is on another list that applies, is not contacted all the same."""
    dnc_list = await find_dnc_list(runtime, app, list_id)
    removed, unknown = await dnc_lists.remove(runtime, app, dnc_list, old.numbers)
    return RemovedNumbers(removed=removed, unknown=list(unknown))


@router.post("/numbers/find", responses=problems(DncListNotFound, BodyTooLarge))
async def find_numbers(runtime: Served, app: Tenant, list_id: str, sought: Numbers) -> FoundNumbers:
    """Say which of these numbers are on a list. It changes nothing."""
    dnc_list = await find_dnc_list(runtime, app, list_id)
    found, unknown = await dnc_lists.find(runtime, app, dnc_list, sought.numbers)
    return FoundNumbers(items=[_show(entry) for entry in found], unknown=list(unknown))


@router.get("/numbers", responses=problems(DncListNotFound))
async def list_numbers(
    runtime: Served, app: Tenant, list_id: str, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ListedNumber]:
    """Return the numbers on a list, in no order that means anything."""
    dnc_list = await find_dnc_list(runtime, app, list_id)
    last = _read_id(after) if after else None
    found = await runtime.store.dnc_entries.page(dnc_list, after=last, limit=limit + 1)
    return page_of([_show(entry) for entry in found], limit, lambda entry: entry.id)


@router.get("/numbers.csv", response_class=StreamingResponse, responses=CSV | problems(DncListNotFound))
async def export_numbers(runtime: Served, app: Tenant, list_id: str, bom: Bom = False) -> StreamingResponse:
    """Return the numbers on a list as a CSV."""
    dnc_list = await find_dnc_list(runtime, app, list_id)
    header = ("number", "source", "added_at")
    return csv_response(f"{dnc_list.id}-numbers", header, _rows(runtime, dnc_list), bom=bom)


async def _rows(runtime: Runtime, dnc_list: DncList) -> AsyncIterator[Iterable[Sequence[str]]]:
    after: bytes | None = None
    while found := await runtime.store.dnc_entries.page(dnc_list, after=after, limit=_BLOCK):
        yield [(entry.number, entry.source, write_instant(entry.added_at)) for entry in found]
        after = found[-1].person


def _read_id(text: str) -> bytes:
    try:
        person = bytes.fromhex(text)
    except ValueError:
        raise no_cursor() from None
    if len(person) != PERSON_BYTES:
        raise no_cursor()
    return person


def _show(entry: DncEntry) -> ListedNumber:
    return ListedNumber(id=entry.person.hex(), number=entry.number, source=entry.source, added_at=entry.added_at)
