"""Pulls: a contact list that fetches its contacts from a URL, by hand or at an interval."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contact_lists import find_contact_list
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.contacts import LONGEST_VALUE, MOST_COLUMNS, Contact, columns_of
from callsheet.core.errors import BodyTooLarge, ContactListNotFound, FieldError, Invalid, PullNotFound
from callsheet.core.fence import LONGEST_URL
from callsheet.core.pull import (
    LONGEST_MINUTES,
    LONGEST_PATH,
    SHORTEST_MINUTES,
    Method,
    Mode,
    PullPlan,
    fault_of_header,
    fault_of_path,
)
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.pulls import Entry, Pull, State

router = Router(prefix="/v1/apps/{app}/contact-lists/{list_id}/pull", tags=["pulls"])

_MOST_HEADERS = 50
_LONGEST_HEADER = 4000
_LONGEST_BODY = 100_000

_Path = Annotated[str, Field(max_length=LONGEST_PATH)]
_Column = Annotated[str, Field(min_length=1, max_length=LONGEST_VALUE)]
_HeaderValue = Annotated[str, Field(max_length=_LONGEST_HEADER)]


class NewPull(Body):
    """Where contacts come from, and how they are read."""

    url: Annotated[str, Field(max_length=LONGEST_URL)]
    """What is asked: `https://` or `http://`, an address of the open internet, without a user and a password."""
    method: Method = Method.get
    headers: Annotated[dict[str, _HeaderValue], Field(default_factory=dict, max_length=_MOST_HEADERS)]
    """Sent along. The values are kept sealed and never shown; give them all each time."""
    body: Annotated[str, Field(max_length=_LONGEST_BODY)] = ""
    """Sent along with `POST`."""
    content_type: Annotated[str, Field(max_length=200)] = "application/json"
    """Of the body."""
    items_path: _Path = ""
    """Where in the answer the array of contacts is, such as `data.contacts`; empty: the answer is the array."""
    mapping: Annotated[dict[_Column, _Path], Field(default_factory=dict, max_length=MOST_COLUMNS)]
    """By column of the list: where in a contact its value is, such as `contact.name.first`. Empty: each key of a
    contact is a column."""
    interval_minutes: Annotated[int, Field(ge=SHORTEST_MINUTES, le=LONGEST_MINUTES, strict=True)] | None = None
    """How often; null: only when it is asked for."""
    mode: Mode = Mode.append
    """What becomes of somebody who is in the list already: they stay as they are (`append`), get the new values
    (`replace_duplicates`), or one more row (`allow_duplicates`)."""


class ShownPull(BaseModel):
    """Where the contacts of a list come from."""

    url: str
    """Empty when what is stored of the plan cannot be read: then nothing is asked, until it is written anew."""
    method: Method
    headers: list[str]
    """Their names."""
    body: str
    content_type: str
    items_path: str
    mapping: dict[str, str]
    interval_minutes: int | None
    mode: Mode
    next_at: Instant | None
    """When it is pulled next; null: not by itself."""
    is_running: bool
    failures: int
    """How many pulls in a row have failed."""
    updated_at: Instant


class ShownEntry(BaseModel):
    """A pull that was."""

    at: Instant
    state: State
    rows: int
    """How many were read."""
    added: int
    updated: int
    rejected: int
    problem: str
    """Why it failed, or what to know of one that did not."""


class ShownRow(BaseModel):
    """A contact as it would be stored."""

    number: str
    columns: dict[str, str]
    """What its columns say, except that of the number."""


class ShownReject(BaseModel):
    """A row that would be rejected."""

    row: int
    reason: str
    message: str


class ShownSample(BaseModel):
    """What a pull would bring: the first contacts and rejects."""

    rows: list[ShownRow]
    rejects: list[ShownReject]
    problem: str
    """Why there is nothing to show; empty: there is."""


_NOT_FOUND = (ContactListNotFound, PullNotFound)


@router.put("", responses=problems(ContactListNotFound, BodyTooLarge))
async def put_pull(runtime: Served, app: Tenant, list_id: str, new: NewPull) -> ShownPull:
    """Let a list pull. With an interval it begins at once; what was set before is gone."""
    contact_list = await find_contact_list(runtime, app, list_id)
    await runtime.store.pulls.put(app.no, contact_list.no, _plan(runtime, new), await runtime.store.hot.now())
    runtime.puller.wake()
    _, pull = await _find(runtime, app, list_id)
    return _show(pull)


@router.get("", responses=problems(*_NOT_FOUND))
async def get_pull(runtime: Served, app: Tenant, list_id: str) -> ShownPull:
    """Return where the contacts of a list come from."""
    _, pull = await _find(runtime, app, list_id)
    return _show(pull)


@router.delete("", status_code=204, responses=problems(*_NOT_FOUND))
async def delete_pull(runtime: Served, app: Tenant, list_id: str) -> None:
    """Let a list pull no more. Its contacts stay."""
    list_no, _ = await _find(runtime, app, list_id)
    await runtime.store.pulls.delete(app.no, list_no)


@router.post("/run", status_code=202, responses=problems(*_NOT_FOUND))
async def run_pull(runtime: Served, app: Tenant, list_id: str) -> ShownPull:
    """Pull now. The log says what came of it."""
    list_no, _ = await _find(runtime, app, list_id)
    await runtime.store.pulls.ask(app.no, list_no, await runtime.store.hot.now())
    runtime.puller.wake()
    _, pull = await _find(runtime, app, list_id)
    return _show(pull)


@router.post("/test", responses=problems(*_NOT_FOUND, BodyTooLarge))
async def try_pull(runtime: Served, app: Tenant, list_id: str, new: NewPull | None = None) -> ShownSample:
    """Show the first contacts that the body's plan brings, or without a body the list's own. Nothing is stored."""
    plan: PullPlan | None
    if new is not None:
        await find_contact_list(runtime, app, list_id)
        plan = _plan(runtime, new)
    else:
        _, pull = await _find(runtime, app, list_id)
        plan = pull.plan
    sample = await runtime.puller.test(app, plan)
    return ShownSample(
        rows=[_show_row(one) for one in sample.contacts],
        rejects=[ShownReject(row=no, reason=wrong.reason, message=wrong.message) for no, wrong in sample.rejects],
        problem=sample.problem,
    )


@router.get("/log", responses=problems(ContactListNotFound))
async def list_pulls(
    runtime: Served, app: Tenant, list_id: str, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownEntry]:
    """Return the pulls of the last 90 days, the latest first."""
    contact_list = await find_contact_list(runtime, app, list_id)
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) < 19):
        raise no_cursor()
    before = int(after) if after is not None else None
    found = await runtime.store.pulls.entries(app.no, contact_list.no, before=before, limit=limit + 1)
    page = page_of(found, limit, lambda one: str(one.no))
    return Page(items=[_show_entry(one) for one in page.items], next=page.next)


async def _find(runtime: Runtime, app: App, list_id: str) -> tuple[int, Pull]:
    contact_list = await find_contact_list(runtime, app, list_id)
    pull = await runtime.store.pulls.find(app.no, contact_list.no, await runtime.store.hot.now())
    if pull is None:
        raise PullNotFound
    return contact_list.no, pull


def _plan(runtime: Runtime, new: NewPull) -> PullPlan:
    """Make a plan of a body. Raises Invalid with every wrong field."""
    faults = [("url", runtime.outside.fence.fault_of(new.url))]
    faults += [(f"headers.{name}", fault_of_header(name, value)) for name, value in new.headers.items()]
    faults += [(f"mapping.{column}", fault_of_path(path)) for column, path in new.mapping.items()]
    if new.items_path:
        faults.append(("items_path", fault_of_path(new.items_path)))
    if new.content_type:
        faults.append(("content_type", fault_of_header("x", new.content_type)))
    if new.body and new.method is Method.get:
        faults.append(("body", "A GET has no body."))
    wrong = [FieldError(path, fault) for path, fault in faults if fault is not None]
    if wrong:
        raise Invalid(wrong)
    return PullPlan(**{name: getattr(new, name) for name in NewPull.model_fields})


def _show(pull: Pull) -> ShownPull:
    plan = pull.plan or PullPlan("")
    return ShownPull(
        url=plan.url,
        method=plan.method,
        headers=list(plan.headers),
        body=plan.body,
        content_type=plan.content_type,
        items_path=plan.items_path,
        mapping=dict(plan.mapping),
        interval_minutes=plan.interval_minutes,
        mode=plan.mode,
        next_at=pull.next_at,
        is_running=pull.is_running,
        failures=pull.failures,
        updated_at=pull.updated_at,
    )


def _show_row(contact: Contact) -> ShownRow:
    phone = columns_of(tuple(contact.attributes)).phone_number
    columns = {name: value for name, value in contact.attributes.items() if name != phone}
    return ShownRow(number=contact.number.e164, columns=columns)


def _show_entry(entry: Entry) -> ShownEntry:
    outcome = entry.outcome
    return ShownEntry(
        at=entry.at,
        state=outcome.state,
        rows=outcome.rows,
        added=outcome.added,
        updated=outcome.updated,
        rejected=outcome.rejected,
        problem=outcome.problem,
    )
