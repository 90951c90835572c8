"""Experience flows: documents of the Flow Interoperability Specification, with versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.flow_documents import ShownFinding, checked, read_document, show_findings
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Instant, Limit, LongName, Page, Sifted, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, FlowNotFound, InUse, Invalid, NameTaken
from callsheet.core.flow.blocks.kind import Finding
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.documents import Document
from callsheet.store.flow_versions import ListedFlow

router = Router(prefix="/v1/apps/{app}/flows", tags=["flows"])


class NewFlow(Sifted):
    """A flow to be. The document may come later; until then a campaign with this flow cannot start."""

    _stand_ins: ClassVar[Mapping[str, Any]] = {"name": "?"}

    name: LongName
    document: dict[str, Any] | None = None


class NewDocument(Sifted):
    """The next version of a flow's document."""

    document: dict[str, Any]


class ChangedFlow(Sifted):
    """What is to change; what is not named stays as it is."""

    name: LongName | None = None
    """What campaigns call it."""
    document: dict[str, Any] | None = None
    """The next version of its document, which is published at once."""


class Flow(BaseModel):
    """A flow without its document."""

    id: str
    name: str


class ShownFlow(Flow):
    """A flow as lists of them show it."""

    version: int
    """The present one: with it runs and conversations begin."""
    latest_version: int
    """The one that was stored last; it may not be published yet."""
    created_at: Instant
    updated_at: Instant


class FlowWithDocument(Flow):
    """A flow at its present version."""

    version: int
    document: dict[str, Any] | None


class ImportedFlow(FlowWithDocument):
    """A flow after a change."""

    warnings: list[ShownFinding]
    """What was found in a document that came with it; a flow runs with warnings."""


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_flow(runtime: Served, app: Tenant, new: NewFlow) -> Flow:
    """Create a flow. Its document becomes version 1, the present one."""
    body, _ = await _checked(runtime, app, new) or ("", ())
    created = await runtime.store.flows.create(app.no, new.name, body, runtime.clock.now())
    return Flow(id=created.named.id, name=created.named.name)


@router.get("")
async def list_flows(runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT) -> Page[ShownFlow]:
    """Return the flows without their documents, oldest first."""
    last = await runtime.store.flow_versions.flow(app.no, after) if after else None
    if after and last is None:
        raise no_cursor()
    first = last.no if last is not None else 0
    found = await runtime.store.flow_versions.flows(app.no, after=first, limit=limit + 1)
    return page_of([_listed(one) for one in found], limit, lambda one: one.id)


@router.get("/{flow_id}", responses=problems(FlowNotFound))
async def get_flow(runtime: Served, app: Tenant, flow_id: str) -> FlowWithDocument:
    """Return a flow with the present version of its document."""
    found = _there(await runtime.store.flows.find(app.no, thing_id=flow_id))
    return FlowWithDocument(
        id=found.named.id, name=found.named.name, version=found.version, document=read_document(found.body)
    )


@router.put("/{flow_id}", responses=problems(FlowNotFound, BodyTooLarge))
async def put_document(runtime: Served, app: Tenant, flow_id: str, new: NewDocument) -> ImportedFlow:
    """Give a flow its document, or the next version of it, and publish it.

    Runs and conversations keep the version that they began with.
    """
    return await _change(runtime, app, flow_id, new)


@router.patch("/{flow_id}", responses=problems(FlowNotFound, NameTaken, BodyTooLarge))
async def change_flow(runtime: Served, app: Tenant, flow_id: str, changed: ChangedFlow) -> ImportedFlow:
    """Change a flow's name, or give it the next version of its document, and publish that.

    Runs and conversations keep what they began with.
    """
    return await _change(runtime, app, flow_id, changed)


@router.delete("/{flow_id}", status_code=204, responses=problems(FlowNotFound, InUse))
async def delete_flow(runtime: Served, app: Tenant, flow_id: str) -> None:
    """Delete a flow with its versions, where no campaign, sender, run or open conversation uses it."""
    if not await runtime.store.flows.delete(app.no, flow_id):
        raise FlowNotFound


async def _change(runtime: Runtime, app: App, flow_id: str, changed: ChangedFlow | NewDocument) -> ImportedFlow:
    body, found = await _checked(runtime, app, changed) or (None, ())
    now, name = runtime.clock.now(), changed.name if isinstance(changed, ChangedFlow) else None
    flow = _there(await runtime.store.flows.change(app.no, flow_id, now, name=name, body=body))
    return ImportedFlow(
        id=flow.named.id,
        name=flow.named.name,
        version=flow.version,
        document=read_document(flow.body),
        warnings=show_findings(found),
    )


async def _checked(
    runtime: Runtime, app: App, body: NewFlow | ChangedFlow | NewDocument
) -> tuple[str, Sequence[Finding]] | None:
    """Return the document as it is stored, and its warnings; None: there is none. Raises Invalid with all faults."""
    if body.document is not None:
        return await checked(runtime, app, body.document, body.faults)
    if body.faults:
        raise Invalid(body.faults)
    return None


def _there(found: Document | None) -> Document:
    if found is None:
        raise FlowNotFound
    return found


def _listed(flow: ListedFlow) -> ShownFlow:
    return ShownFlow(
        id=flow.id,
        name=flow.name,
        version=flow.version,
        latest_version=flow.latest_version,
        created_at=flow.created_at,
        updated_at=flow.updated_at,
    )
