"""Runs, and what became of every contact of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AwareDatetime, BaseModel

from callsheet.api.v1.asked import OfCampaign, Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.report import Report, report_of
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.attempt import SAID_LENGTH
from callsheet.core.day_use import UsedUp, shared_caps, used_up
from callsheet.core.errors import CampaignNotFound, NameAmbiguous, RunNotFound, WrongState
from callsheet.core.ids import decode_attempt
from callsheet.core.run import Execution, Run
from callsheet.engine import restoring
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.lists import read_contact_id
from callsheet.store.reports import AttemptRecord, SuppressionRecord, WantedAttempts
from callsheet.store.runs import Wanted

router = Router(prefix="/v1/apps/{app}/runs", tags=["runs"])

RunStatus = Literal["Active", "Paused", "Stopped", "Completed"]
State = Literal["pending", "uncertain", "withdrawn", "refused", "rejected", "accepted", "undelivered", "delivered"]
OfStatus = Annotated[RunStatus | None, Query(description="Only runs that are in this state now.")]
StartedAfter = Annotated[AwareDatetime | None, Query(description="Only runs that began after this instant (ISO 8601).")]
StartedBefore = Annotated[AwareDatetime | None, Query(description="Only runs that began before it.")]
_Code = Annotated[str | None, Query(max_length=SAID_LENGTH, description="Only those to which this code happened.")]
_MadeSince = Annotated[AwareDatetime | None, Query(description="Only those made from this instant on (ISO 8601).")]
_MadeUntil = Annotated[AwareDatetime | None, Query(description="Only those made before this instant (ISO 8601).")]


async def _wanted(code: _Code = None, since: _MadeSince = None, until: _MadeUntil = None) -> WantedAttempts:
    return WantedAttempts(code, since, until)


OfAttempts = Annotated[WantedAttempts, Depends(_wanted)]
"""Which attempts the query asks for, besides their state."""
OfState = Annotated[State | None, Query(description="Only those that stand like this now.")]


class RestoredFrom(BaseModel):
    """Says that a run came out of a backup, and that whom it contacted afterwards is not recorded."""

    backup_at: Instant
    """From here on records are missing: attempts, opt-outs, DNC numbers."""
    restored_at: Instant
    acknowledged_at: Instant | None
    """When somebody said what becomes of it; until then it cannot be resumed."""


class Acknowledgment(Body):
    """What becomes of a run that came out of a backup."""

    choice: Literal["resume", "skip"]
    """`resume`: it goes on. Whom it contacted after the backup may be contacted again, unless evidence of that came.
    `skip`: it is Stopped, and contacts nobody more."""


class HeldBy(BaseModel):
    """A limit that has no room for a message of the run."""

    reason: Literal["daily_cap"]
    """`daily_cap`: the segments of the day are used up."""
    what: str
    """The id of the sender or of the trunk whose limit it is."""
    until: Instant
    """When there is room again: a new day begins. A cap that is raised lets go on at once."""


class ShownRun(BaseModel):
    """One execution of a campaign."""

    id: str
    campaign_id: str
    campaign_name: str
    channel: str
    status: str
    execution: Execution
    reason: str
    """Why it was begun: an emergency has a reason, other runs have none."""
    started_at: Instant
    ended_at: Instant | None
    contacts: int
    """How many contacts of its lists it has taken in by now: a list that grows adds to them."""
    trunk_trouble: str
    """Why its trunk takes no messages, as the node that answers sees it, while the run is Active; empty: it does."""
    held_by: HeldBy | None
    """Which limit keeps all its messages back now, while the run is Active; null: none does."""
    restored: RestoredFrom | None
    """None: all that it did is recorded."""


class ReportedRun(ShownRun, Report):
    """A run with what became of it."""


class AttemptEvent(BaseModel):
    """Something that happened to an attempt."""

    kind: str
    at: Instant
    code: str
    carrier_id: str
    segments: int


class Attempt(BaseModel):
    """One try to reach one contact."""

    id: str
    number: str
    contact_id: str
    n: int
    at: Instant
    state: str
    sender: str
    """The caller ID through which it went: of a pool the member that the contact has."""
    events: list[AttemptEvent]


class Suppression(BaseModel):
    """A contact that was not contacted, and why."""

    contact_id: str
    number: str
    reason: str
    at: Instant


@router.get("", responses=problems(CampaignNotFound, NameAmbiguous))
async def list_runs(
    runtime: Served,
    app: Tenant,
    campaign: OfCampaign,
    status: OfStatus = None,
    started_after: StartedAfter = None,
    started_before: StartedBefore = None,
    after: After = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[ShownRun]:
    """Return runs, the latest first."""
    last = await runtime.store.runs.find(app.no, after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await runtime.store.runs.of_app(
        app.no,
        wanted=Wanted(campaign.no if campaign is not None else None, status, started_after, started_before),
        before=last.no if last is not None else None,
        limit=limit + 1,
    )
    return page_of(await _show(runtime, app, found), limit, lambda run: run.id)


@router.get("/{run_id}", responses=problems(RunNotFound))
async def get_run(runtime: Served, app: Tenant, run_id: str) -> ReportedRun:
    """Return a run, with how its contacts stand."""
    run = await find_run(runtime, app, run_id)
    report = await report_of(runtime, run)
    (shown,) = await _show(runtime, app, [run])
    return ReportedRun(**dict(shown), outcome=report.outcome, effort=report.effort)


@router.post("/{run_id}/acknowledge-restore", responses=problems(RunNotFound, WrongState))
async def acknowledge_restore(runtime: Served, app: Tenant, run_id: str, body: Acknowledgment) -> ShownRun:
    """Say what becomes of a Paused run that came out of a backup. Until then it cannot be resumed.

    Before you resume it: DNC numbers and opt-outs that came after the backup are missing too.
    """
    run = await find_run(runtime, app, run_id)
    await restoring.acknowledge(runtime, run, go_on=body.choice == "resume")
    (shown,) = await _show(runtime, app, [await find_run(runtime, app, run_id)])
    return shown


@router.get("/{run_id}/attempts", responses=problems(RunNotFound))
async def list_attempts(
    runtime: Served,
    app: Tenant,
    run_id: str,
    wanted: OfAttempts,
    state: OfState = None,
    after: After = None,
    limit: Limit = USUAL_LIMIT,
) -> Page[Attempt]:
    """Return the attempts of a run with all that happened to them, in no order that means anything."""
    run = await find_run(runtime, app, run_id)
    last = decode_attempt(after) if after else None
    if after and (last is None or last.run_no != run.no):
        raise no_cursor()
    found = await runtime.store.reports.attempts(
        app.no,
        run.no,
        after=(last.person, last.n) if last is not None else None,
        limit=limit + 1,
        state=state,
        wanted=wanted,
    )
    return page_of([_attempt(record) for record in found], limit, lambda attempt: attempt.id)


@router.get("/{run_id}/suppressions", responses=problems(RunNotFound))
async def list_suppressions(
    runtime: Served, app: Tenant, run_id: str, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[Suppression]:
    """Return who was not contacted and why, in the order of the lists."""
    run = await find_run(runtime, app, run_id)
    place = read_contact_id(after) if after else None
    if after and place is None:
        raise no_cursor()
    found = await runtime.store.reports.suppressions(app.no, run.no, after=place, limit=limit + 1)
    return page_of([_suppression(record) for _, record in found], limit, lambda one: one.contact_id)


async def find_run(runtime: Runtime, app: App, run_id: str) -> Run:
    """Return a run of the app by its id. Raises RunNotFound."""
    run = await runtime.store.runs.find(app.no, run_id)
    if run is None:
        raise RunNotFound
    return run


async def _show(runtime: Runtime, app: App, runs: Sequence[Run]) -> list[ShownRun]:
    caps = {run.no: shared_caps(run) for run in runs}
    todays = await runtime.store.day_uses.of(app.no, set(chain.from_iterable(caps.values())), runtime.clock.now())
    return [_show_one(runtime, run, used_up(run, caps[run.no], todays)) for run in runs]


def _show_one(runtime: Runtime, run: Run, held_by: UsedUp | None) -> ShownRun:
    return ShownRun(
        id=run.id,
        campaign_id=run.campaign_id,
        campaign_name=run.definition.name,
        channel=run.channel.value,
        status=run.status.value,
        execution=run.launch.execution,
        reason=run.launch.reason,
        started_at=run.started_at,
        ended_at=run.ended_at,
        contacts=run.contacts,
        trunk_trouble=runtime.conductor.trouble_of(run),
        held_by=HeldBy(reason="daily_cap", **held_by._asdict()) if held_by is not None else None,
        restored=_restored(run),
    )


def _restored(run: Run) -> RestoredFrom | None:
    mark = run.restored
    if mark is None:
        return None
    return RestoredFrom(backup_at=mark.backup_at, restored_at=mark.restored_at, acknowledged_at=mark.acknowledged_at)


def _attempt(record: AttemptRecord) -> Attempt:
    return Attempt(
        id=record.id,
        number=record.number,
        contact_id=record.contact_id,
        n=record.n,
        at=record.at,
        state=record.state,
        sender=record.sender,
        events=[
            AttemptEvent(kind=event.kind, at=event.at, code=event.code, carrier_id=event.ref, segments=event.segments)
            for event in record.events
        ],
    )


def _suppression(record: SuppressionRecord) -> Suppression:
    return Suppression(contact_id=record.contact_id, number=record.number, reason=record.reason, at=record.at)
