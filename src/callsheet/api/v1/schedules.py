"""Schedules: when campaigns start by themselves."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel

from callsheet.api.caller import caller_of, note
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.schedule_bodies import NewSchedule
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Instant, Limit, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.clock import from_micros, to_micros
from callsheet.core.campaign import Campaign
from callsheet.core.errors import (
    BodyTooLarge,
    CampaignNotFound,
    FieldError,
    Forbidden,
    Invalid,
    NameAmbiguous,
    ScheduleNotFound,
)
from callsheet.core.permissions import Need, Role, Scope
from callsheet.core.schedule import Plan, Schedule, preview
from callsheet.core.zones import zone_info
from callsheet.engine import campaigns, schedules

router = Router(prefix="/v1/apps/{app}", tags=["schedules"])

SHOWN_DATES = 10
MOST_DATES = 100
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
_ADMIN = Need(Scope.administration, Role.admin)
_OF_CAMPAIGN = (CampaignNotFound, NameAmbiguous, ScheduleNotFound)


class Occurrence(BaseModel):
    """A start: the instant, and what the clocks of the schedule's zone show then."""

    at: Instant
    local: str
    """With the offset of that day."""


class Dates(BaseModel):
    """When a schedule starts its campaign."""

    dates: list[Occurrence]
    """The next ones; fewer than were asked for when it ends."""


class ShownSchedule(Dates):
    """A schedule as it stands."""

    campaign_id: str
    campaign_name: str
    status: str
    """Of the campaign."""
    zone: str
    start: str
    end: str | None
    rule: str | None
    """The recurrence, as a rule of RFC 5545; null: it comes once."""
    duration_minutes: int | None
    lateness_minutes: int | None
    only_unreached: bool
    recurrence_precedence: bool
    next_at: Instant | None
    """When it starts its campaign next; null: not any more."""
    last_at: Instant | None
    """Its latest occurrence, started or not; null: it had none yet."""
    last_outcome: str | None
    """What came of that: `started`, `missed`, `still_running`, or the code of the error that kept it from starting."""
    last_reason: str | None
    """A sentence, where it did not start."""


@router.put("/campaigns/{campaign_id}/schedule", responses=problems(CampaignNotFound, NameAmbiguous, BodyTooLarge))
async def put_schedule(
    request: Request, runtime: Served, app: Tenant, campaign_id: str, new: NewSchedule
) -> ShownSchedule:
    """Give a campaign a schedule, in place of the one that it had. A run that is on goes on."""
    campaign = await campaigns.find(runtime, app, campaign_id)
    if new.recurrence_precedence and not caller_of(request.scope).may(_ADMIN):
        raise Forbidden("Only an admin lets a schedule go before the calling hours.")
    schedule = new.read()
    note(request.scope, campaign=campaign.id, recurrence_precedence=schedule.recurrence_precedence)
    try:
        planned = await schedules.put(runtime, app, campaign, schedule)
    except Invalid as error:
        raise _in_the_body(error, new) from None
    return _show(planned, runtime.clock.now())


@router.get("/campaigns/{campaign_id}/schedule", responses=problems(*_OF_CAMPAIGN))
async def get_schedule(runtime: Served, app: Tenant, campaign_id: str) -> ShownSchedule:
    """Return the schedule of a campaign, also one that is over."""
    return _show(await campaigns.find(runtime, app, campaign_id), runtime.clock.now())


@router.delete("/campaigns/{campaign_id}/schedule", status_code=204, responses=problems(*_OF_CAMPAIGN))
async def delete_schedule(runtime: Served, app: Tenant, campaign_id: str) -> None:
    """Take the schedule of a campaign away. A run that is on goes on, and no other follows."""
    campaign = await campaigns.find(runtime, app, campaign_id)
    if campaign.plan is None:
        raise ScheduleNotFound
    await schedules.drop(runtime, campaign)


@router.post("/schedules/preview", responses=problems(BodyTooLarge))
async def preview_schedule(
    runtime: Served,
    app: Tenant,
    new: NewSchedule,
    count: Annotated[int, Query(ge=1, le=MOST_DATES, description="How many dates at most.")] = SHOWN_DATES,
) -> Dates:
    """Return the next dates of a schedule. Nothing is stored."""
    now, schedule = runtime.clock.now(), new.read()
    if faults := schedules.check(app, schedule, now):
        raise _in_the_body(Invalid(faults), new)
    return Dates(dates=_dates(schedule, now, count))


@router.get("/schedules")
async def list_schedules(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[ShownSchedule]:
    """Return the schedules that start something, the next one first."""
    found = await runtime.store.schedules.upcoming(app.no, after=_read_cursor(after), limit=limit + 1)
    now = runtime.clock.now()
    page = page_of(found, limit, _cursor)
    return Page(items=[_show(campaign, now) for campaign in page.items], next=page.next)


def _in_the_body(error: Invalid, new: NewSchedule) -> Invalid:
    """Name the field that the client wrote: a recurrence has two."""
    rule = "repeat" if new.repeat is not None else "rule"
    return Invalid([FieldError(rule if one.path == "rule" else one.path, one.message) for one in error.fields])


def _read_cursor(after: str | None) -> tuple[datetime, int] | None:
    if not after:
        return None
    match = _CURSOR.fullmatch(after)
    if match is None:
        raise no_cursor()
    try:
        return from_micros(int(match[1])), int(match[2])
    except OverflowError:
        raise no_cursor() from None


def _cursor(campaign: Campaign) -> str:
    plan = _plan_of(campaign)
    return f"{to_micros(plan.next_at) if plan.next_at is not None else 0}-{campaign.no}"


def _plan_of(campaign: Campaign) -> Plan:
    if campaign.plan is None:
        raise ScheduleNotFound
    return campaign.plan


def _dates(schedule: Schedule, now: datetime, count: int) -> list[Occurrence]:
    info = zone_info(schedule.zone)
    return [
        Occurrence(at=at, local=at.astimezone(info).isoformat(timespec="seconds"))
        for at in preview(schedule, now, count)
    ]


def _write_wall(wall: datetime) -> str:
    return wall.replace(tzinfo=None).isoformat(timespec="seconds")


def _show(campaign: Campaign, now: datetime) -> ShownSchedule:
    plan = _plan_of(campaign)
    schedule = plan.schedule
    return ShownSchedule(
        campaign_id=campaign.id,
        campaign_name=campaign.definition.name,
        status=campaign.status.value,
        zone=schedule.zone,
        start=_write_wall(schedule.start),
        end=_write_wall(schedule.end) if schedule.end is not None else None,
        rule=schedule.rule or None,
        duration_minutes=schedule.duration_minutes,
        lateness_minutes=schedule.lateness_minutes,
        only_unreached=schedule.only_unreached,
        recurrence_precedence=schedule.recurrence_precedence,
        next_at=plan.next_at,
        last_at=plan.last_at,
        last_outcome=plan.last_outcome or None,
        last_reason=plan.last_reason or None,
        dates=_dates(schedule, now, SHOWN_DATES) if plan.next_at is not None else [],
    )
