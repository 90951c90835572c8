"""Experience flows: documents that say how a conversation goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import UNSET

from callsheet.client.call import Call, Given, JsonObject, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record
from callsheet.client.v1.flow_results import Package, Results, Rows
from callsheet.client.v1.flow_trials import Finding, Transcript, Validation

_ALL = "/v1/apps/{app}/flows"
_ONE = "/v1/apps/{app}/flows/{flow_id}"
_VERSION = f"{_ONE}/versions/{{version}}"


class Flow(Record, frozen=True):
    """A flow that was just made."""

    id: str
    name: str


class ListedFlow(Flow, frozen=True):
    """A flow as lists of them show it."""

    version: int
    """The present one."""
    latest_version: int
    created_at: datetime
    updated_at: datetime


class ShownFlow(Flow, frozen=True):
    """A flow with its document; None where it has none yet."""

    version: int
    document: dict[str, Any] | None


class ImportedFlow(ShownFlow, frozen=True):
    """A flow after a change, and what was found in its new document."""

    warnings: tuple[Finding, ...]


class Version(Record, frozen=True):
    """A version of a flow."""

    version: int
    is_present: bool
    created_at: datetime


class ShownVersion(Version, frozen=True):
    """A version with its document."""

    document: dict[str, Any] | None


class ImportedVersion(ShownVersion, frozen=True):
    """A version that was just stored, and what was found in it."""

    warnings: tuple[Finding, ...]


class FlowSecret(Record, frozen=True):
    """What signs the webhooks of a flow."""

    secret: str


class Flows(Resource[Mode]):
    """Experience flows: documents that say how a conversation goes."""

    @Single
    def webhook_secret(self, flow_id: str) -> Call[FlowSecret]:
        """Return what signs the webhooks of a flow."""
        return Call("GET", f"{_ONE}/webhook-secret", FlowSecret, {"flow_id": flow_id})

    @Single
    def create(self, name: str, *, document: Given[JsonObject] = UNSET) -> Call[Flow]:
        """Create a flow; its document may come later."""
        return Call("POST", _ALL, Flow, body=given(name=name, document=document))

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[ListedFlow]]:
        """Give all flows."""
        return Call("GET", _ALL, Page[ListedFlow], query={"limit": limit})

    @Single
    def get(self, flow_id: str) -> Call[ShownFlow]:
        """Return a flow."""
        return Call("GET", _ONE, ShownFlow, {"flow_id": flow_id})

    @Single
    def put(self, flow_id: str, document: JsonObject) -> Call[ImportedFlow]:
        """Give a flow another document, and publish it."""
        return Call("PUT", _ONE, ImportedFlow, {"flow_id": flow_id}, body=given(document=document))

    @Single
    def change(
        self, flow_id: str, *, name: Given[str] = UNSET, document: Given[JsonObject | None] = UNSET
    ) -> Call[ImportedFlow]:
        """Change a flow's name, or its document, which is published."""
        body = given(name=name, document=document)
        return Call("PATCH", _ONE, ImportedFlow, {"flow_id": flow_id}, body=body)

    @Single
    def delete(self, flow_id: str) -> Call[None]:
        """Delete a flow that nothing uses."""
        return Call("DELETE", _ONE, type(None), {"flow_id": flow_id})

    @Paged
    def versions(self, flow_id: str, *, limit: int = 1000) -> Call[Page[Version]]:
        """Give all versions of a flow, the latest first."""
        return Call("GET", f"{_ONE}/versions", Page[Version], {"flow_id": flow_id}, query={"limit": limit})

    @Single
    def version(self, flow_id: str, version: int) -> Call[ShownVersion]:
        """Return a version with its document."""
        return Call("GET", _VERSION, ShownVersion, {"flow_id": flow_id, "version": str(version)})

    @Single
    def add_version(self, flow_id: str, document: JsonObject) -> Call[ImportedVersion]:
        """Store the next version of a flow without publishing it."""
        return Call("POST", f"{_ONE}/versions", ImportedVersion, {"flow_id": flow_id}, body=given(document=document))

    @Single
    def publish(self, flow_id: str, version: int) -> Call[Version]:
        """Make a version the present one; an earlier one rolls a flow back."""
        return Call("POST", f"{_VERSION}/publish", Version, {"flow_id": flow_id, "version": str(version)})

    @Single
    def validate(self, document: JsonObject) -> Call[Validation]:
        """Check a document, and store nothing."""
        return Call("POST", f"{_ALL}/validate", Validation, body=given(document=document))

    @Single
    def dry_run(
        self,
        flow_id: str,
        replies: Sequence[str | JsonObject] = (),
        *,
        version: Given[int | None] = UNSET,
        contact: Given[Mapping[str, str]] = UNSET,
        number: Given[str] = UNSET,
        language: Given[str] = UNSET,
        mode: Given[str] = UNSET,
        answered_by: Given[str] = UNSET,
        trigger: Given[str] = UNSET,
        at: Given[datetime | None] = UNSET,
    ) -> Call[Transcript]:
        """Rehearse a flow with these replies: texts, or objects that say what else comes. Nothing is sent."""
        said = given(language=language, mode=mode, answered_by=answered_by, trigger=trigger, at=at)
        more = given(contact=contact, number=number, **said)
        body = given(version=version, replies=replies, **more)
        return Call("POST", f"{_ONE}/dry-run", Transcript, {"flow_id": flow_id}, body=body)

    @Single
    def dry_run_document(
        self,
        document: JsonObject,
        replies: Sequence[str | JsonObject] = (),
        *,
        contact: Given[Mapping[str, str]] = UNSET,
        number: Given[str] = UNSET,
        language: Given[str] = UNSET,
        mode: Given[str] = UNSET,
        answered_by: Given[str] = UNSET,
        trigger: Given[str] = UNSET,
        at: Given[datetime | None] = UNSET,
    ) -> Call[Transcript]:
        """Rehearse a document that is not stored."""
        said = given(language=language, mode=mode, answered_by=answered_by, trigger=trigger, at=at)
        more = given(contact=contact, number=number, **said)
        return Call("POST", f"{_ALL}/dry-run", Transcript, body=given(document=document, replies=replies, **more))

    @Single
    def results(self, flow_id: str, *, version: int | None = None, run: str | None = None) -> Call[Results]:
        """Count what happened at each block."""
        query = {"version": version, "run": run}
        return Call("GET", f"{_ONE}/results", Results, {"flow_id": flow_id}, query=query)

    @Single
    def package(self, flow_id: str) -> Call[Package]:
        """Describe what a flow collects as a Flow Results package."""
        return Call("GET", f"{_ONE}/results/package", Package, {"flow_id": flow_id})

    @Single
    def rows(
        self,
        flow_id: str,
        *,
        version: int | None = None,
        run: str | None = None,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Call[Rows]:
        """Return a page of the rows of that package, in the order of their instants."""
        query = {"version": version, "run": run, "after": after, "limit": limit, **_between(from_at, to_at)}
        return Call("GET", f"{_ONE}/results/rows", Rows, {"flow_id": flow_id}, query=query)

    @Single
    def save_rows(
        self,
        flow_id: str,
        to: Path | BinaryIO,
        *,
        version: int | None = None,
        run: str | None = None,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
        bom: bool = False,
    ) -> Call[None]:
        """Write all rows into a CSV file."""
        query = {"version": version, "run": run, "bom": bom, **_between(from_at, to_at)}
        return Call("GET", f"{_ONE}/results/rows.csv", type(None), {"flow_id": flow_id}, query=query, save_to=to)


def _between(from_at: datetime | None, to_at: datetime | None) -> dict[str, str | None]:
    return {name: at.isoformat() if at is not None else None for name, at in (("from_at", from_at), ("to_at", to_at))}
