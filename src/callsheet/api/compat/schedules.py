"""Schedules on the documented wire: switched on and off by a call, and written into the body of a campaign.

Times there are UTC, days have three letters, and only daily and weekly recurrences have a spelling.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from callsheet.api.compat.call import Call
from callsheet.api.compat.fields import Fields
from callsheet.api.instants import write_instant
from callsheet.core import recurrence
from callsheet.core.campaign import Campaign
from callsheet.core.errors import FieldError, Invalid
from callsheet.core.hours import DAYS_NAMED
from callsheet.core.recurrence import DAYS, MOST_EVERY, Frequency, parts_of
from callsheet.core.schedule import Schedule, faults_of, instant_of
from callsheet.engine import campaigns, schedules

ZONE = "UTC"
NAMES = {"start": "startDateTime", "end": "endDateTime", "rule": "recurrenceObject"}
"""How the wire calls the fields of a schedule."""

_FORMAT = "%Y-%m-%d %H:%M:%S"
_WRITE = "Write the time in UTC like 2027-01-31 18:00:00."
_AT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T\s]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d{1,9})?)?\s*(?:Z|\+00:?00)?",
    re.IGNORECASE | re.ASCII,
)
_LONGEST_TIME = 64
_MOST_DAYS = 50
_DAILY, _WEEKLY = "dailyDetails", "weeklyDetails"
_SHORT = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


async def switch(call: Call) -> dict[str, Any]:
    """Give a campaign a schedule, in place of the one that it had, or take it away."""
    query = Fields({name: call.parameter(name) for name in ("enableSchedule", "campaignName")}, [])
    name = query.text("campaignName", longest=256, required=True).strip()
    is_on = query.flag("enableSchedule", default=True)
    if not call.parameter("enableSchedule"):
        query.blame("enableSchedule", "Say true or false.")
    body = Fields(call.document, query.wrong)
    schedule = read_schedule(body, needs_end=True) if is_on else None
    if query.wrong:
        raise Invalid(query.wrong)
    campaign = await campaigns.find(call.runtime, call.app, name)
    call.noted.update(campaign=campaign.id, enabled=is_on)
    if schedule is None:
        changed, done = await schedules.drop(call.runtime, campaign), "schedule has been disabled"
    else:
        faults = faults_of(schedule, call.runtime.clock.now())
        if faults:
            raise Invalid([FieldError(NAMES.get(fault.path, fault.path), fault.message) for fault in faults])
        changed, done = await schedules.put(call.runtime, call.app, campaign, schedule), "scheduled"
    message = f"Campaign {changed.definition.name} {done} successfully"
    return {"status": "success", "message": message, "id": changed.id}


def read_block(fields: Fields) -> Schedule | None:
    """Read the `schedule` of a campaign's body: nothing is documented inside but the switch, so it is read alike."""
    block = fields.inside("schedule")
    return read_schedule(block, needs_end=False) if block.flag("isSchedulingEnabled", default=False) else None


def read_schedule(fields: Fields, *, needs_end: bool) -> Schedule | None:
    """Read when a campaign starts by itself; None when a field is wrong. The documented call needs an end."""
    blamed = len(fields.wrong)
    start = _read_time(fields, "startDateTime", needed=True)
    end = _read_time(fields, "endDateTime", needed=needs_end)
    rule = _read_recurrence(fields)
    return Schedule(ZONE, start, end, rule) if start is not None and len(fields.wrong) == blamed else None


def _read_time(fields: Fields, key: str, *, needed: bool) -> datetime | None:
    said = fields.text(key, longest=_LONGEST_TIME, required=needed).strip()
    if not said:
        return None
    match = _AT.fullmatch(said)
    parts = (int(part or 0) for part in match.groups()) if match is not None else (0, 0, 0, 0, 0, 0)
    year, month, day, hour, minute, second = parts
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:  # no such time; what has not the form of one reads as zeros
        fields.blame(key, _WRITE)
        return None


def _read_recurrence(fields: Fields) -> str:
    said = fields.inside("recurrenceObject")
    kind = said.text("recurType", longest=_LONGEST_TIME).strip().lower()
    details = {key: said.inside(key) for key in (_DAILY, _WEEKLY)}
    if kind == "daily":
        return recurrence.daily(_read_every(details[_DAILY], "onceEveryNdays"))
    if kind == "weekly":
        # One table writes the details of a week under the name of a day's.
        keys = [key for key in (_WEEKLY, _DAILY) if said.get(key)]
        week = details[keys[0] if keys else _WEEKLY]
        return recurrence.weekly(_read_every(week, "onceEveryNweeks"), _read_days(week))
    if kind or any(said.get(key) for key in details):
        said.blame("recurType", "The recurrence is Daily or Weekly. Others are given through /v1.")
    return ""


def _read_every(details: Fields, key: str) -> int:
    return details.whole(key, least=1, most=MOST_EVERY, default=1)


def _read_days(week: Fields) -> list[int]:
    said = week.get("whichDays")
    words = [said] if isinstance(said, str) else said
    if not isinstance(words, list) or not words or len(words) > _MOST_DAYS:
        week.blame("whichDays", "Give the days of the week: an array such as [Mon, Thu].")
        return [0]
    days = [DAYS_NAMED.get(word.strip().lower()) if isinstance(word, str) else None for word in words]
    for index, day in enumerate(days):
        if day is None:
            week.blame(f"whichDays[{index}]", "The day is Mon, Tue, Wed, Thu, Fri, Sat or Sun.")
    return [day for day in days if day is not None] or [0]


# -- as it is shown ----------------------------------------------------------------------------------------------------


def view_schedule(campaign: Campaign) -> dict[str, Any]:
    """Return the `schedule` of a campaign: the documented switches, and what our own calls know besides."""
    plan = campaign.plan
    if plan is None or plan.next_at is None:
        return {"isSchedulingEnabled": False, "isRecurrenceEnabled": False}
    schedule = plan.schedule
    shown: dict[str, Any] = {
        "isSchedulingEnabled": True,
        "isRecurrenceEnabled": bool(schedule.rule),
        "startDateTime": _write_wall(schedule.zone, schedule.start),
        "timezone": schedule.zone,
        "nextRunAt": write_instant(plan.next_at),
    }
    if schedule.end is not None:
        shown["endDateTime"] = _write_wall(schedule.zone, schedule.end)
    if schedule.rule:
        shown["recurrenceObject"] = _write_recurrence(schedule.rule)
    return shown


def _write_wall(zone: str, wall: datetime) -> str:
    return instant_of(zone, wall).strftime(_FORMAT)


def _write_recurrence(rule: str) -> dict[str, Any]:
    """Write a rule in the documented words, where they have some; the days are those of the schedule's zone."""
    parts = parts_of(rule)
    frequency, every = parts.pop("FREQ"), int(parts.pop("INTERVAL", 1))
    shown: dict[str, Any] = {"recurType": frequency.capitalize()}
    if frequency == Frequency.daily and not parts:
        return {**shown, _DAILY: {"onceEveryNdays": every}}
    if frequency == Frequency.weekly and parts.keys() == {"BYDAY"}:
        days = [_SHORT[DAYS.index(day)] for day in parts["BYDAY"].split(",")]
        return {**shown, _WEEKLY: {"onceEveryNweeks": every, "whichDays": days}}
    return {**shown, "rule": rule}
