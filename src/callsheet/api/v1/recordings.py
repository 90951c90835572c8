"""Recordings of calls: the whole of a call, what was answered in it, and what machine detection heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.responses import Response

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.call_choices import CallsFrom, CallsOf, CallsTo, PersonId, check_order, runs_of
from callsheet.api.v1.contract import Responses, problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.call_errors import RecordingNotFound
from callsheet.core.errors import CampaignNotFound, RunNotFound
from callsheet.store.apps import App
from callsheet.store.recordings import KeptRecording, Purpose, WantedRecordings

router = Router(prefix="/v1/apps/{app}/recordings", tags=["calls"])

_WAV: Responses = {200: {"content": {"audio/wav": {}}}}


class ShownRecording(BaseModel):
    """Something that was recorded of a call."""

    id: str
    attempt_id: str
    """The call's."""
    purpose: Purpose
    """`campaign`: the whole call, as its campaign says; `request`: from when somebody asked for it; `answer`: to the
    open question of a flow; `machine`: a sample of verdicts."""
    seconds: float
    at: Instant
    until: Instant
    """When it is deleted."""
    href: str
    """Where its audio is: a WAV file."""


async def _wanted(
    runtime: Served,
    of: Annotated[CallsOf, Depends(runs_of)],
    purpose: Annotated[Purpose | None, Query(description="Only those that were made for this.")] = None,
    person_id: PersonId = None,
    since: CallsFrom = None,
    until: CallsTo = None,
) -> WantedRecordings:
    check_order(since, until)
    person = bytes.fromhex(person_id) if person_id is not None else None
    return WantedRecordings(runtime.clock.now(), of.run_no, of.campaign_no, purpose, person, since, until)


@router.get("", responses=problems(RunNotFound, CampaignNotFound))
async def list_recordings(
    runtime: Served,
    app: Tenant,
    wanted: Annotated[WantedRecordings, Depends(_wanted)],
    after: After = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[ShownRecording]:
    """Return what was recorded of calls, the latest first."""
    found = await runtime.store.recordings.page(app.no, wanted, after=after, limit=limit + 1)
    if found is None:
        raise no_cursor()
    return page_of(show_recordings(app, found), limit, lambda one: one.id)


@router.get("/{recording_id}", response_class=Response, responses=_WAV | problems(RecordingNotFound))
async def get_recording(runtime: Served, app: Tenant, recording_id: str) -> Response:
    """Return what was recorded of a call: a WAV file, 8 kHz, mono, 16 bits."""
    found = await runtime.store.recordings.find(app.no, recording_id, runtime.clock.now())
    if found is None:
        raise RecordingNotFound
    _, audio = found
    kept = {"content-disposition": f'attachment; filename="{recording_id}.wav"', "cache-control": "private, no-store"}
    return Response(audio, media_type="audio/wav", headers=kept)


@router.delete("/{recording_id}", status_code=204, responses=problems(RecordingNotFound))
async def delete_recording(runtime: Served, app: Tenant, recording_id: str) -> None:
    """Delete what was recorded of a call, before its time."""
    if not await runtime.store.recordings.delete(app.no, recording_id):
        raise RecordingNotFound


def show_recordings(app: App, kept: Sequence[KeptRecording]) -> list[ShownRecording]:
    """Show what was recorded."""
    return [
        ShownRecording(
            id=one.id,
            attempt_id=one.attempt_id,
            purpose=one.purpose,
            seconds=one.milliseconds / 1000,
            at=one.at,
            until=one.until,
            href=f"/v1/apps/{app.id}/recordings/{one.id}",
        )
        for one in kept
    ]
