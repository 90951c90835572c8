"""The versions of a flow: stored, looked at, and published."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.flow_documents import ShownFinding, checked, read_document, show_findings
from callsheet.api.v1.flows import NewDocument
from callsheet.api.v1.shapes import USUAL_LIMIT, Instant, Limit, Page, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, FlowNotFound, FlowVersionNotFound
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.flow_versions import FlowVersion, ListedFlow

router = Router(prefix="/v1/apps/{app}/flows/{flow_id}/versions", tags=["flows"])

_MOST = 1_000_000_000
Number = Annotated[int, Path(ge=1, le=_MOST, description="The number of a version, from 1.")]


class ShownVersion(BaseModel):
    """A version without its document."""

    version: int
    is_present: bool
    """Runs and conversations begin with it."""
    created_at: Instant


class VersionWithDocument(ShownVersion):
    """A version with its document."""

    document: dict[str, Any] | None


class ImportedVersion(VersionWithDocument):
    """A version that was just stored."""

    warnings: list[ShownFinding]
    """What was found in its document; a flow runs with warnings."""


@router.get("", responses=problems(FlowNotFound))
async def list_versions(
    runtime: Served,
    app: Tenant,
    flow_id: str,
    after: Annotated[
        int | None, Query(ge=1, le=_MOST, description="`next` of the page before: versions before that one.")
    ] = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[ShownVersion]:
    """Return the versions of a flow without their documents, the latest first."""
    flow = await find_flow(runtime, app, flow_id)
    found = await runtime.store.flow_versions.of_flow(app.no, flow.no, before=after, limit=limit + 1)
    return page_of([_show(one) for one in found], limit, lambda one: one.version)


@router.post("", status_code=201, responses=problems(FlowNotFound, BodyTooLarge))
async def add_version(runtime: Served, app: Tenant, flow_id: str, new: NewDocument) -> ImportedVersion:
    """Store the next version of a flow's document, without publishing it."""
    body, found = await checked(runtime, app, new.document, new.faults)
    added = await runtime.store.flow_versions.add(app.no, flow_id, body, runtime.clock.now())
    if added is None:
        raise FlowNotFound
    return ImportedVersion(
        **_show(added).model_dump(), document=read_document(added.body), warnings=show_findings(found)
    )


@router.get("/{version}", responses=problems(FlowVersionNotFound))
async def get_version(runtime: Served, app: Tenant, flow_id: str, version: Number) -> VersionWithDocument:
    """Return a version with its document."""
    return _with_document(await runtime.store.flow_versions.find(app.no, flow_id, version))


@router.post("/{version}/publish", responses=problems(FlowVersionNotFound))
async def publish_version(runtime: Served, app: Tenant, flow_id: str, version: Number) -> ShownVersion:
    """Make a version the present one, an earlier one as well.

    Runs and conversations keep the version that they began with.
    """
    return _with_document(await runtime.store.flow_versions.publish(app.no, flow_id, version, runtime.clock.now()))


async def find_flow(runtime: Runtime, app: App, flow_id: str) -> ListedFlow:
    """Return a flow without its document. Raises FlowNotFound."""
    flow = await runtime.store.flow_versions.flow(app.no, flow_id)
    if flow is None:
        raise FlowNotFound
    return flow


def _with_document(found: FlowVersion | None) -> VersionWithDocument:
    if found is None:
        raise FlowVersionNotFound
    return VersionWithDocument(**_show(found).model_dump(), document=read_document(found.body))


def _show(version: FlowVersion) -> ShownVersion:
    return ShownVersion(version=version.version, is_present=version.is_present, created_at=version.created_at)
