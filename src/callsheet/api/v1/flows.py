"""Experience flows: documents of the Flow Interoperability Specification, with versions."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Limit, LongName, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, FlowNotFound, InUse, Invalid, NameTaken
from callsheet.core.flow.opening import check
from callsheet.store.documents import Document

router = Router(prefix="/v1/apps/{app}/flows", tags=["flows"])

_encoder = msgspec.json.Encoder()


class NewFlow(Body):
    """A flow to be. The document may come later; until then a campaign with this flow cannot start."""

    name: LongName
    document: dict[str, Any] | None = None


class NewDocument(Body):
    """The next version of a flow's document."""

    document: dict[str, Any]


class ChangedFlow(Body):
    """What is to change; what is not named stays as it is."""

    name: LongName | None = None
    """What campaigns call it."""
    document: dict[str, Any] | None = None
    """The next version of its document."""


class Flow(BaseModel):
    """A flow without its document."""

    id: str
    name: str


class FlowWithDocument(Flow):
    """A flow at its present version."""

    version: int
    document: dict[str, Any] | None


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_flow(runtime: Served, app: Tenant, new: NewFlow) -> Flow:
    """Create a flow."""
    body = _checked(new.document) if new.document is not None else ""
    created = await runtime.store.flows.create(app.no, new.name, body, runtime.clock.now())
    return Flow(id=created.named.id, name=created.named.name)


@router.get("")
async def list_flows(runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT) -> Page[Flow]:
    """Return the flows without their documents, oldest first."""
    last = await runtime.store.flows.find(app.no, thing_id=after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await runtime.store.flows.of_app(app.no, after=last.named.no if last is not None else 0, limit=limit + 1)
    return page_of([Flow(id=one.id, name=one.name) for one in found], limit, lambda one: one.id)


@router.get("/{flow_id}", responses=problems(FlowNotFound))
async def get_flow(runtime: Served, app: Tenant, flow_id: str) -> FlowWithDocument:
    """Return a flow with its document."""
    return _show(await runtime.store.flows.find(app.no, thing_id=flow_id))


@router.put("/{flow_id}", responses=problems(FlowNotFound, BodyTooLarge))
async def put_document(runtime: Served, app: Tenant, flow_id: str, new: NewDocument) -> FlowWithDocument:
    """Give a flow its document, or the next version of it. Runs keep the version that they started with."""
    body = _checked(new.document)
    return _show(await runtime.store.flows.change(app.no, flow_id, runtime.clock.now(), body=body))


@router.patch("/{flow_id}", responses=problems(FlowNotFound, NameTaken, BodyTooLarge))
async def change_flow(runtime: Served, app: Tenant, flow_id: str, changed: ChangedFlow) -> FlowWithDocument:
    """Change a flow's name, or give it the next version of its document. Runs keep what they started with."""
    body = _checked(changed.document) if changed.document is not None else None
    return _show(await runtime.store.flows.change(app.no, flow_id, runtime.clock.now(), name=changed.name, body=body))


@router.delete("/{flow_id}", status_code=204, responses=problems(FlowNotFound, InUse))
async def delete_flow(runtime: Served, app: Tenant, flow_id: str) -> None:
    """Delete a flow that no campaign uses."""
    if not await runtime.store.flows.delete(app.no, flow_id):
        raise FlowNotFound


def _checked(document: dict[str, Any]) -> str:
    """Return a document as it is stored. Raises Invalid with everything that a flow cannot run with."""
    faults = check(document)
    if faults:
        raise Invalid(faults)
    return _encoder.encode(document).decode()


def _show(found: Document | None) -> FlowWithDocument:
    if found is None:
        raise FlowNotFound
    document = msgspec.json.decode(found.body) if found.body else None
    return FlowWithDocument(id=found.named.id, name=found.named.name, version=found.version, document=document)
