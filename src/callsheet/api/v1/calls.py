"""Calls: what became of each, what happened in it, and what was recorded of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import AwareDatetime, BaseModel
from starlette.responses import Response

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import Responses, problems
from callsheet.api.v1.messages import read_person
from callsheet.api.v1.numbers import AnyNumber, read_number
from callsheet.api.v1.runs import find_run
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.call_errors import CallNotFound, RecordingNotFound
from callsheet.core.clearing import meaning_of
from callsheet.core.errors import BodyTooLarge, CampaignNotFound, RunNotFound
from callsheet.core.ids import decode_attempt
from callsheet.core.outcome import Outcome
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.recordings import KeptRecording, Purpose
from callsheet.store.told_calls import ToldCall, WantedCalls

router = Router(prefix="/v1/apps/{app}", tags=["calls"])

_WAV: Responses = {200: {"content": {"audio/wav": {}}}}


class ShownRecording(BaseModel):
    """Something that was recorded of a call."""

    id: str
    purpose: Purpose
    """`answer`: to the open question of a flow; `campaign`: the campaign records; `machine`: a sample of verdicts."""
    seconds: float
    at: Instant
    until: Instant
    """When it is deleted."""
    href: str
    """Where its audio is: a WAV file."""


class Clearing(BaseModel):
    """How a call ended, as the network says it."""

    cause: int
    """Q.850; 0: none was given."""
    sip_status: int
    """0: none came."""
    words: str
    """The same for people."""


class ShownCall(BaseModel):
    """A call."""

    attempt_id: str
    person_id: str
    """The same in every list, and in what webhooks are told."""
    number: str
    """Empty when nothing has it any more."""
    run_id: str
    campaign_id: str
    trunk_id: str
    """Empty: the trunk was deleted."""
    node: str
    """Which node of the telephony carried it."""
    dialed_at: Instant
    rang_at: Instant | None
    """When it rang first; null: nothing says that it did."""
    answered_at: Instant | None
    ended_at: Instant | None
    """Null: it goes on."""
    ring_seconds: float | None
    """From when it was dialed until somebody answered, or it ended; null: it rings."""
    talk_seconds: float | None
    """From the answer to the end; null: nobody answered, or it goes on."""
    outcome: Outcome | None
    """Null: it goes on."""
    ended_by: str
    """Who ended it: `us`, `them` or `network`; empty: nobody knows, or it goes on."""
    clearing: Clearing
    detection: Mapping[str, Any]
    """What machine detection heard: its verdict, and what it made it of; empty: it was off."""
    conversation_id: str
    """The conversation that a flow led in it; empty: none."""
    recordings: Sequence[ShownRecording]


class ShownMoment(BaseModel):
    """Something that happened in a call."""

    at: Instant
    what: str
    """A stable word, such as `answered`, `said`, `pressed`, `hung_up`."""
    facts: Mapping[str, Any]
    """What there is to say of it."""


class WholeCall(ShownCall):
    """A call with all that happened in it."""

    timeline: Sequence[ShownMoment]
    """In order; empty while it goes on."""


class SoughtCalls(Body):
    """Whose calls are meant."""

    number: AnyNumber
    """In international form, or local to the app's region."""


async def _wanted(
    runtime: Served,
    app: Tenant,
    run: Annotated[str | None, Query(max_length=128, description="Only calls of this run: its id.")] = None,
    campaign: Annotated[str | None, Query(max_length=128, description="Only calls of this campaign: its id.")] = None,
    outcome: Annotated[Outcome | None, Query(description="Only calls that ended so.")] = None,
    person_id: Annotated[str | None, Query(max_length=64, description="Only calls to this person.")] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="Dialed then, or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Dialed before.")] = None,
) -> WantedCalls:
    return WantedCalls(
        run_no=(await find_run(runtime, app, run)).no if run else None,
        campaign_no=await _campaign_no(runtime, app, campaign) if campaign else None,
        outcome=outcome.value if outcome is not None else None,
        person=read_person(person_id) if person_id is not None else None,
        since=since,
        until=until,
    )


@router.get("/calls", responses=problems(RunNotFound, CampaignNotFound))
async def list_calls(
    runtime: Served,
    app: Tenant,
    wanted: Annotated[WantedCalls, Depends(_wanted)],
    after: After = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[ShownCall]:
    """Return calls, the latest first."""
    return await _page(runtime, app, wanted, after, limit)


@router.post("/calls/find", responses=problems(BodyTooLarge))
async def find_calls(
    runtime: Served, app: Tenant, sought: SoughtCalls, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownCall]:
    """Return the calls to a number, the latest first. It changes nothing."""
    person, _ = read_number(runtime, app, sought.number)
    return await _page(runtime, app, WantedCalls(person=person), after, limit)


@router.get("/calls/{attempt_id}", responses=problems(CallNotFound))
async def get_call(runtime: Served, app: Tenant, attempt_id: str) -> WholeCall:
    """Return the call of an attempt, with all that happened in it: what was said and pressed, too."""
    key = decode_attempt(attempt_id)
    found = await runtime.store.told_calls.find(app.no, key) if key is not None else None
    if found is None:
        raise CallNotFound
    told, timeline = found
    return WholeCall(**_show(app, told).model_dump(), timeline=[_moment(each) for each in timeline])


@router.get(
    "/recordings/{recording_id}",
    response_class=Response,
    responses=_WAV | problems(RecordingNotFound),
)
async def get_recording(runtime: Served, app: Tenant, recording_id: str) -> Response:
    """Return what was recorded of a call: a WAV file, 8 kHz, mono, 16 bits."""
    found = await runtime.store.recordings.find(app.no, recording_id)
    if found is None:
        raise RecordingNotFound
    _, audio = found
    kept = {"content-disposition": f'attachment; filename="{recording_id}.wav"', "cache-control": "private, no-store"}
    return Response(audio, media_type="audio/wav", headers=kept)


async def _page(runtime: Runtime, app: App, wanted: WantedCalls, after: str | None, limit: int) -> Page[ShownCall]:
    place = decode_attempt(after) if after is not None else None
    if after is not None and place is None:
        raise no_cursor()
    found = await runtime.store.told_calls.page(app.no, wanted, after=place, limit=limit + 1)
    if found is None:
        raise no_cursor()
    return page_of([_show(app, one) for one in found], limit, lambda one: one.attempt_id)


async def _campaign_no(runtime: Runtime, app: App, campaign_id: str) -> int:
    campaign = await runtime.store.campaigns.find(app.no, campaign_id=campaign_id)
    if campaign is None:
        raise CampaignNotFound
    return campaign.no


def _show(app: App, told: ToldCall) -> ShownCall:
    until = told.answered_at or told.ended_at
    return ShownCall(
        attempt_id=told.attempt_id,
        person_id=told.person.hex(),
        number=told.number,
        run_id=told.run_id,
        campaign_id=told.campaign_id,
        trunk_id=told.trunk_id,
        node=told.node,
        dialed_at=told.dialed_at,
        rang_at=told.rang_at,
        answered_at=told.answered_at,
        ended_at=told.ended_at,
        ring_seconds=_seconds(told.dialed_at, until),
        talk_seconds=_seconds(told.answered_at, told.ended_at),
        outcome=Outcome(told.outcome) if told.outcome else None,
        ended_by=told.ended_by,
        clearing=Clearing(cause=told.cause, sip_status=told.sip_status, words=_words(told)),
        detection=told.detection,
        conversation_id=told.conversation_id,
        recordings=[_recording(app, one) for one in told.recordings],
    )


def _words(told: ToldCall) -> str:
    """Say how the network says that it ended; of an answered one there is nothing to explain."""
    if told.ended_at is None or told.answered_at is not None:
        return ""
    return meaning_of(told.cause, told.sip_status).words


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    return max(0.0, (until - since).total_seconds()) if since is not None and until is not None else None


def _recording(app: App, kept: KeptRecording) -> ShownRecording:
    return ShownRecording(
        id=kept.id,
        purpose=kept.purpose,
        seconds=kept.milliseconds / 1000,
        at=kept.at,
        until=kept.until,
        href=f"/v1/apps/{app.id}/recordings/{kept.id}",
    )


def _moment(noted: Mapping[str, Any]) -> ShownMoment:
    facts = {name: value for name, value in noted.items() if name not in ("at", "what")}
    return ShownMoment(at=datetime.fromisoformat(noted["at"]), what=noted["what"], facts=facts)
