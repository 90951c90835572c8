"""What can be done with the schedule of a campaign, and what is done when it is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import structlog

from callsheet.core.campaign import Campaign, Move, Status
from callsheet.core.errors import CallsheetError, FieldError, Invalid, Unavailable, WrongState
from callsheet.core.run import Launch
from callsheet.core.schedule import (
    MISSED,
    STILL_RUNNING,
    Schedule,
    Verdict,
    ends_at,
    faults_of,
    judge,
)
from callsheet.engine import campaigns
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

log = structlog.get_logger()


def check(app: App, schedule: Schedule, now: datetime) -> list[FieldError]:
    """Say what is wrong with a schedule; the paths are the names of its fields."""
    faults = faults_of(schedule, now)
    if schedule.recurrence_precedence and not app.settings.recurrence_precedence:
        message = "The app does not allow it: its setting recurrence_precedence is off."
        faults.append(FieldError("recurrence_precedence", message))
    return faults


async def put(runtime: Runtime, app: App, campaign: Campaign, schedule: Schedule) -> Campaign:
    """Give a campaign a schedule, in place of the one that it had. Raises Invalid, CampaignNotFound."""
    now = runtime.clock.now()
    if faults := check(app, schedule, now):
        raise Invalid(faults)
    planned = await runtime.store.schedules.put(campaign, schedule, now)
    runtime.conductor.starter.wake()
    return planned


async def drop(runtime: Runtime, campaign: Campaign) -> Campaign:
    """Take the schedule of a campaign away, if it has one; a run that is on goes on. Raises CampaignNotFound."""
    return await runtime.store.schedules.drop(campaign, runtime.clock.now())


def attend(runtime: Runtime) -> None:
    """Let the engine of this process start what is due."""
    runtime.conductor.starter.begin = partial(begin, runtime)
    runtime.conductor.starter.end = partial(end, runtime)


async def begin(runtime: Runtime, campaign: Campaign, now: datetime) -> None:
    """Start a campaign whose occurrence has come, or write down why not and go on to the next one."""
    app, plan = await runtime.store.apps.by_no(campaign.app), campaign.plan
    if app is None or plan is None or plan.next_at is None:
        return
    minutes = plan.schedule.lateness_minutes or app.settings.schedule_lateness_minutes
    verdict = judge(plan.schedule, plan.next_at, now, timedelta(minutes=minutes))
    if verdict.missed:
        log.warning("schedule.missed", campaign=campaign.id, count=len(verdict.missed))
    if verdict.start is None:
        why = f"Its time had passed: it may be {minutes} minutes late, and must not be over."
        await _pass_over(runtime, campaign, verdict, now, MISSED, why)
        return
    if campaign.status in {Status.active, Status.paused}:
        await _pass_over(runtime, campaign, verdict, now, STILL_RUNNING, "The run before was still going on.")
        return
    try:
        await campaigns.start(runtime, app, campaign, launch=_launch(plan.schedule, verdict.start), verdict=verdict)
    except Unavailable:
        raise
    except CallsheetError as error:
        await _pass_over(runtime, campaign, verdict, now, error.code, error.message)
    else:
        log.info("schedule.started", campaign=campaign.id)


def _launch(schedule: Schedule, occurrence: datetime) -> Launch:
    return Launch(
        only_unreached=schedule.only_unreached,
        ends_at=ends_at(schedule, occurrence),
        over_hours=schedule.recurrence_precedence,
    )


async def _pass_over(
    runtime: Runtime, campaign: Campaign, verdict: Verdict, now: datetime, outcome: str, reason: str
) -> None:
    passed = await runtime.store.schedules.pass_over(campaign, verdict, now, outcome=outcome, reason=reason)
    if passed is not None and verdict.start is not None:
        log.warning("schedule.failed", campaign=campaign.id, code=outcome)
    runtime.conductor.notifier.wake()


async def end(runtime: Runtime, campaign: Campaign, _now: datetime) -> None:
    """End the run of an occurrence whose time is over: whoever was not contacted is not."""
    try:
        await campaigns.move(runtime, campaign, Move.complete)
    except WrongState:  # somebody ended it a moment ago
        return
    log.info("schedule.ended", campaign=campaign.id)
