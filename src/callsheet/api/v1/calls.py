"""Calls: what became of each, what happened in it, and whether it is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import BaseModel

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.call_choices import CallsFrom, CallsOf, CallsTo, PersonId, check_order, runs_of
from callsheet.api.v1.contract import problems
from callsheet.api.v1.numbers import AnyNumber, read_number
from callsheet.api.v1.recordings import ShownRecording, show_recordings
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.call_errors import CallNotFound, CallOver
from callsheet.core.clearing import meaning_of
from callsheet.core.errors import BodyTooLarge, CampaignNotFound, RunNotFound
from callsheet.core.ids import AttemptKey, decode_attempt
from callsheet.core.outcome import Outcome
from callsheet.core.recording import Recorded
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.told_calls import ToldCall, WantedCalls

router = Router(prefix="/v1/apps/{app}", tags=["calls"])


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
    recording: Recorded | Literal["asked"]
    """How the recording of the whole call stands; `asked`: it begins in a moment, or when somebody answers."""
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
    """In order; while it goes on, what had happened when it was last written: when it was answered, say."""


class SoughtCalls(Body):
    """Whose calls are meant."""

    number: AnyNumber
    """In international form, or local to the app's region."""


async def _wanted(
    runtime: Served,
    of: Annotated[CallsOf, Depends(runs_of)],
    outcome: Annotated[Outcome | None, Query(description="Only calls that ended so.")] = None,
    live: Annotated[bool | None, Query(description="Only calls that go on, or only those that are over.")] = None,
    person_id: PersonId = None,
    since: CallsFrom = None,
    until: CallsTo = None,
) -> WantedCalls:
    check_order(since, until)
    return WantedCalls(
        runtime.clock.now(),
        run_no=of.run_no,
        campaign_no=of.campaign_no,
        outcome=outcome.value if outcome is not None else None,
        live=live,
        person=bytes.fromhex(person_id) if person_id is not None else None,
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
    return await _page(runtime, app, WantedCalls(runtime.clock.now(), person=person), after, limit)


@router.get("/calls/{attempt_id}", responses=problems(CallNotFound))
async def get_call(runtime: Served, app: Tenant, attempt_id: str) -> WholeCall:
    """Return the call of an attempt, with all that happened in it: what was said and pressed, too."""
    key = decode_attempt(attempt_id)
    found = await runtime.store.told_calls.find(app.no, key, runtime.clock.now()) if key is not None else None
    if found is None:
        raise CallNotFound
    told, timeline = found
    return WholeCall(**_show(app, told).model_dump(), timeline=[_moment(each) for each in timeline])


@router.post("/calls/{attempt_id}/hangup", status_code=202, responses=problems(CallNotFound, CallOver))
async def hang_up(runtime: Served, app: Tenant, attempt_id: str) -> ShownCall:
    """End a call that goes on: whoever talks is hung up on, and a phone that rings is rung no more.

    The node that carries it does so within a moment; `ended_by` is `us` then.
    """
    key = decode_attempt(attempt_id)
    if key is None:
        raise CallNotFound
    await runtime.store.hang_ups.ask(app.no, key, runtime.clock.now())
    return await _seen_to(runtime, app, key)


@router.post("/calls/{attempt_id}/recording", status_code=202, responses=problems(CallNotFound, CallOver))
async def begin_recording(runtime: Served, app: Tenant, attempt_id: str) -> ShownCall:
    """Record a call that goes on: both sides, from now on, or from when it is answered.

    The node that carries it begins within a moment: `recording` says so then.
    """
    return await _wish(runtime, app, attempt_id, wanted=True)


@router.delete("/calls/{attempt_id}/recording", status_code=202, responses=problems(CallNotFound, CallOver))
async def end_recording(runtime: Served, app: Tenant, attempt_id: str) -> ShownCall:
    """Record a call no longer, also where its campaign says that it is recorded. What was recorded is kept."""
    return await _wish(runtime, app, attempt_id, wanted=False)


async def _wish(runtime: Runtime, app: App, attempt_id: str, *, wanted: bool) -> ShownCall:
    key = decode_attempt(attempt_id)
    if key is None:
        raise CallNotFound
    await runtime.store.recording_wishes.wish(app.no, key, wanted=wanted)
    return await _seen_to(runtime, app, key)


async def _seen_to(runtime: Runtime, app: App, key: AttemptKey) -> ShownCall:
    """Let this node look what is asked of a call, and show the call."""
    runtime.conductor.look_at_calls()
    found = await runtime.store.told_calls.find(app.no, key, runtime.clock.now())
    if found is None:
        raise CallNotFound
    return _show(app, found[0])


async def _page(runtime: Runtime, app: App, wanted: WantedCalls, after: str | None, limit: int) -> Page[ShownCall]:
    place = decode_attempt(after) if after is not None else None
    if after is not None and place is None:
        raise no_cursor()
    found = await runtime.store.told_calls.page(app.no, wanted, after=place, limit=limit + 1)
    if found is None:
        raise no_cursor()
    return page_of([_show(app, one) for one in found], limit, lambda one: one.attempt_id)


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
        recording="asked" if told.is_recording_asked else told.recording,
        recordings=show_recordings(app, told.recordings),
    )


def _words(told: ToldCall) -> str:
    """Say how the network says that it ended; of an answered one there is nothing to explain."""
    if told.ended_at is None or told.answered_at is not None:
        return ""
    return meaning_of(told.cause, told.sip_status).words


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    return max(0.0, (until - since).total_seconds()) if since is not None and until is not None else None


def _moment(noted: Mapping[str, Any]) -> ShownMoment:
    facts = {name: value for name, value in noted.items() if name not in ("at", "what")}
    return ShownMoment(at=datetime.fromisoformat(noted["at"]), what=noted["what"], facts=facts)
