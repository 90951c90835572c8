"""Flows before they meet anybody: documents that are checked, and conversations that are rehearsed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Body as InBody
from pydantic import AwareDatetime, BaseModel, Field

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.flow_cues import MOST_REPLIES, AnyReply, read_cues
from callsheet.api.v1.flow_documents import ShownFinding, checked, find_faults, read_document, show_findings
from callsheet.api.v1.flow_transcripts import Transcript, write_transcript
from callsheet.api.v1.flows import NewDocument
from callsheet.api.v1.numbers import AnyNumber, read_number
from callsheet.api.v1.shapes import Body, Sifted
from callsheet.api.v1.strict import Router
from callsheet.core.contacts import LONGEST_VALUE, MOST_COLUMNS
from callsheet.core.errors import BodyTooLarge, FlowNotFound, FlowVersionNotFound, Invalid
from callsheet.core.flow.reading import read
from callsheet.core.flow.rehearsal import rehearse
from callsheet.core.flow.session import Mode
from callsheet.core.flow.step import begin
from callsheet.core.placeholders import Headers
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

router = Router(prefix="/v1/apps/{app}/flows", tags=["flows"])

_LONGEST_REPLY = 65_536
_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Whatever is waited for in between, there is a calendar for it."""
_Cell = Annotated[str, Field(max_length=LONGEST_VALUE)]


class Validation(BaseModel):
    """What was found in a document."""

    is_valid: bool
    """There is no error: it can be stored and run."""
    findings: list[ShownFinding]


class Trial(Body):
    """A conversation that is rehearsed: whose it is, and what is replied."""

    contact: Annotated[dict[_Cell, _Cell], Field(max_length=MOST_COLUMNS)] = Field(default_factory=dict)
    """The contact's columns by their names."""
    number: AnyNumber = ""
    """The contact's number."""
    language: Annotated[str, Field(max_length=LONGEST_VALUE)] = ""
    """The language to speak; empty: the contact's column `language` chooses, else the flow's first one is spoken."""
    mode: Mode = Mode.sms
    """By what the flow speaks."""
    answered_by: Literal["human", "machine", "unsure"] = "human"
    """Who answers a call."""
    trigger: Annotated[str, Field(max_length=_LONGEST_REPLY)] = ""
    """What the contact wrote that began it; empty: a campaign began it."""
    at: Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)] | None = None
    """When it begins; without it: now."""
    replies: Annotated[list[AnyReply], Field(max_length=MOST_REPLIES)] = Field(default_factory=list)
    """What comes, in this order: texts, or what else a conversation waits for."""


class StoredTrial(Trial):
    """A rehearsal of a stored flow."""

    version: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Which version; without it: the present one."""


class WrittenTrial(Sifted, Trial):
    """A rehearsal of a document that is not stored."""

    document: dict[str, Any]


@router.post("/validate", responses=problems(BodyTooLarge))
async def validate_document(runtime: Served, app: Tenant, asked: NewDocument) -> Validation:
    """Check a document: everything wrong with it is named, with the path where it stands. Nothing is stored."""
    if asked.faults:
        raise Invalid(asked.faults)
    found = await find_faults(runtime, app, asked.document)
    return Validation(is_valid=all(one.is_warning for one in found), findings=show_findings(found))


@router.post("/dry-run", responses=problems(BodyTooLarge))
async def dry_run_document(runtime: Served, app: Tenant, asked: WrittenTrial) -> Transcript:
    """Rehearse a document with typed replies. Nothing is sent or stored, and nobody is asked."""
    await checked(runtime, app, asked.document, asked.faults)
    return await asyncio.to_thread(_rehearse, runtime, app, asked.document, asked, version=None)


@router.post("/{flow_id}/dry-run", responses=problems(FlowNotFound, FlowVersionNotFound, BodyTooLarge))
async def dry_run_flow(
    runtime: Served, app: Tenant, flow_id: str, asked: Annotated[StoredTrial | None, InBody()] = None
) -> Transcript:
    """Rehearse a flow with typed replies. Nothing is sent or stored, and nobody is asked."""
    flow = await runtime.store.flow_versions.flow(app.no, flow_id)
    if flow is None:
        raise FlowNotFound
    asked = asked or StoredTrial()
    version = asked.version or flow.version
    found = await runtime.store.flow_versions.find(app.no, flow_id, version)
    if found is None:
        raise FlowVersionNotFound
    return await asyncio.to_thread(_rehearse, runtime, app, read_document(found.body), asked, version=version)


def _rehearse(runtime: Runtime, app: App, document: object, asked: Trial, *, version: int | None) -> Transcript:
    """Rehearse. A large document, or a long conversation, takes seconds: others go on meanwhile."""
    container = read(document)
    number = read_number(runtime, app, asked.number)[1] if asked.number else ""
    at = asked.at or runtime.clock.now()
    language = asked.language or asked.contact.get(Headers(tuple(asked.contact)).find("language") or "", "")
    first = begin(
        container,
        contact=asked.contact,
        number=number,
        mode=asked.mode,
        at=at,
        language=language,
        trigger=asked.trigger,
        answered_by=asked.answered_by if asked.mode is Mode.ivr else "",
    )
    turns = list(rehearse(container, first, at, read_cues(asked.replies, at, asked.mode), language))
    return write_transcript(container, asked.contact, turns, version)
