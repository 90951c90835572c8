"""Imports: files of contacts, or of numbers for a DNC list. The body is the file; it is stored as it comes in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contact_lists import find_contact_list
from callsheet.api.v1.contract import Responses, problems
from callsheet.api.v1.dnc_lists import find_dnc_list
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, ContactListNotFound, DncListNotFound, ImportNotFound, MalformedBody
from callsheet.engine.importer import CONTACT_LIST, DNC_LIST, file_name
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.dnc import DncList
from callsheet.store.imports import ImportJob
from callsheet.store.lists import ContactList

router = Router(prefix="/v1/apps/{app}/{kind}/{list_id}/imports", tags=["imports"])

_FILE_NAME = Query(
    max_length=200, description="What the file is called, for reports. Without it: import.csv or import.xlsx."
)
_NO_LIST = (ContactListNotFound, DncListNotFound)
_CSV: Responses = {200: {"content": {"text/csv": {}}}}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_A_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            _XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


class Kind(StrEnum):
    """What a file goes into, as the path names it."""

    contact_lists = "contact-lists"
    dnc_lists = "dnc-lists"


class StartedImport(BaseModel):
    """An import that has begun."""

    id: str


class ShownImport(BaseModel):
    """How far an import has come."""

    id: str
    state: str
    """`waiting`, `running`, `done` or `failed`."""
    file: str
    rows: int
    accepted: int
    rejected: int
    duplicates: int
    bytes_done: int
    bytes_total: int
    problem: str
    """Why it failed; empty when it did not."""


@router.post("", status_code=202, openapi_extra=_A_FILE, responses=problems(*_NO_LIST, BodyTooLarge))
async def start_import(
    runtime: Served,
    app: Tenant,
    kind: Kind,
    list_id: str,
    request: Request,
    response: Response,
    filename: Annotated[str, _FILE_NAME] = "",
) -> StartedImport:
    """Take a CSV or XLSX. When this answers it is stored, and its rows are being read."""
    target = await _target(runtime, app, kind, list_id)
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise MalformedBody("Send the file itself as the body, not as a form: curl --data-binary @contacts.csv.")
    job = await runtime.importer.submit(app, target, await _not_empty(request.stream()), filename)
    response.headers["Location"] = f"{request.url.path}/{job.id}"
    return StartedImport(id=job.id)


@router.get("/{import_id}", responses=problems(*_NO_LIST, ImportNotFound))
async def get_import(runtime: Served, app: Tenant, kind: Kind, list_id: str, import_id: str) -> ShownImport:
    """Return how far an import has come."""
    job = await _find(runtime, app, kind, list_id, import_id)
    names = ("id", "state", "rows", "accepted", "rejected", "duplicates", "bytes_done", "bytes_total", "problem")
    return ShownImport(file=file_name(job), **{name: getattr(job, name) for name in names})


@router.get(
    "/{import_id}/rejects",
    response_class=StreamingResponse,
    responses=_CSV | problems(*_NO_LIST, ImportNotFound),
)
async def get_rejects(runtime: Served, app: Tenant, kind: Kind, list_id: str, import_id: str) -> StreamingResponse:
    """Return the rejected rows as CSV: row number, reason, sentence."""
    job = await _find(runtime, app, kind, list_id, import_id)
    headers = {"Content-Disposition": f'attachment; filename="{job.id}-rejects.csv"'}
    return StreamingResponse(runtime.importer.rejects_csv(job), media_type="text/csv", headers=headers)


async def _target(runtime: Runtime, app: App, kind: Kind, list_id: str) -> ContactList | DncList:
    if kind is Kind.contact_lists:
        return await find_contact_list(runtime, app, list_id)
    return await find_dnc_list(runtime, app, list_id)


async def _find(runtime: Runtime, app: App, kind: Kind, list_id: str, import_id: str) -> ImportJob:
    target = await _target(runtime, app, kind, list_id)
    job = await runtime.store.imports.find(app.no, import_id)
    wanted = CONTACT_LIST if kind is Kind.contact_lists else DNC_LIST
    if job is None or job.list_no != target.no or job.target != wanted:
        raise ImportNotFound
    return job


async def _not_empty(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Return the chunks once there is something in them. Raises MalformedBody when nothing comes."""
    async for first in chunks:
        if first:
            return _with_first(first, chunks)
    raise MalformedBody("The body is empty; send the file itself as the body.")


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
