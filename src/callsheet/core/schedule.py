"""Schedules: when a campaign starts by itself.

A schedule is written in the wall time of a zone, and stays true to it where clocks change: a wall time that a change
leaves out (a gap) is taken at the end of the gap, and one that comes twice (a fold) the first time only. In here wall
times are datetimes that say UTC, whatever their zone; instants are real.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from callsheet.core.errors import FieldError
from callsheet.core.recurrence import LATEST_YEAR, read_rule, until_of, walls
from callsheet.core.zones import EPOCH, known_zone, readings, zone_info

EARLIEST_YEAR = 2000
MOST_DURATION_MINUTES = 7 * 24 * 60
MOST_LATENESS_MINUTES = 7 * 24 * 60
MOST_OVERRIDING_MINUTES = 24 * 60
"""How long an occurrence lasts at most that overrides the calling hours."""

STARTED, MISSED, STILL_RUNNING = "started", "missed", "still_running"
"""Outcomes of an occurrence; the others are codes of errors."""

_SECOND = timedelta(seconds=1)
_MARGIN = timedelta(days=2)
"""No clock is set further than this."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a campaign starts by itself, and for how long each time."""

    zone: str
    """IANA name."""
    start: datetime
    """Wall time: the first occurrence is not before it, and a schedule without a rule has this one only."""
    end: datetime | None = None
    """Wall time from which nothing starts any more, and at which a run that goes on ends."""
    rule: str = ""
    """RFC 5545; empty: once."""
    duration_minutes: int | None = None
    """How long an occurrence lasts: then its run ends, and whoever was not contacted is not. None: until `end`."""
    lateness_minutes: int | None = None
    """How late an occurrence may start at most. None: as the app says."""
    only_unreached: bool = False
    """Each run contacts only those whom no earlier run of the campaign has reached."""
    recurrence_precedence: bool = False
    """An occurrence lasts whatever the calling hours say. The app has to allow it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule as it stands."""

    schedule: Schedule
    next_at: datetime | None
    """When it starts its campaign next; None: not any more."""
    last_at: datetime | None = None
    """Its latest occurrence, started or not."""
    last_outcome: str = ""
    """What came of that: `started`, `missed`, `still_running`, or the code of the error that kept it from starting."""
    last_reason: str = ""
    """A sentence, where it did not start."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done about a schedule that is due."""

    start: datetime | None
    """The occurrence to start now; None: none."""
    missed: tuple[datetime, ...]
    """Those that passed unseen. They are not made up for."""
    next_at: datetime | None


def instant_of(zone: str, wall: datetime) -> datetime:
    """Return when the clocks of a zone first come to show a wall time, or jump over it."""
    first, _ = readings(zone_info(zone), (wall - EPOCH) // _SECOND)
    return EPOCH + first * _SECOND


def wall_of(zone: str, at: datetime) -> datetime:
    """Return what the clocks of a zone show at an instant."""
    return at.astimezone(zone_info(zone)).replace(tzinfo=UTC, fold=0)


def occurrences(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Yield the instants at which a schedule starts its campaign, later than `after`, in order, each once."""
    zone = schedule.zone
    end = instant_of(zone, schedule.end) if schedule.end is not None else None
    until = _until(schedule)
    near = wall_of(zone, after) - _MARGIN
    for wall in walls(schedule.rule, schedule.start, near) if schedule.rule else (schedule.start,):
        at = instant_of(zone, wall)
        if (end is not None and at >= end) or (until is not None and at > until):
            return
        if at > after:  # what was in a gap may fall together with what follows it
            yield at
            after = at


def next_occurrence(schedule: Schedule, after: datetime) -> datetime | None:
    """Return the first instant later than `after` at which a schedule starts its campaign."""
    return next(occurrences(schedule, after), None)


def preview(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """Return the next instants, at most so many."""
    return list(islice(occurrences(schedule, after), count))


def ends_at(schedule: Schedule, occurrence: datetime) -> datetime | None:
    """Return when the run of an occurrence ends at the latest; None: when it is complete."""
    ends = [instant_of(schedule.zone, schedule.end)] if schedule.end is not None else []
    if schedule.duration_minutes is not None:
        ends.append(occurrence + timedelta(minutes=schedule.duration_minutes))
    return min(ends, default=None)


def judge(schedule: Schedule, due: datetime, now: datetime, lateness: timedelta) -> Verdict:
    """Say what is to be done about a schedule whose occurrence `due` has come.

    At most one is started, the latest, and only when it is not later than `lateness` and has not ended: a server that
    was down does not send yesterday's campaign today, nor a burst of what it missed.
    """
    come: list[datetime] = []
    next_at = None
    for at in occurrences(schedule, due - _SECOND):
        if at > now:
            next_at = at
            break
        come.append(at)
    start = come[-1] if come and now - come[-1] <= lateness else None
    if start is not None and (end := ends_at(schedule, start)) is not None and end <= now:
        start = None
    return Verdict(start, tuple(at for at in come if at != start), next_at)


def _until(schedule: Schedule) -> datetime | None:
    until = until_of(schedule.rule)
    if until is None:
        return None
    at, is_instant = until
    return at if is_instant else instant_of(schedule.zone, at)


# -- what a schedule may be --------------------------------------------------------------------------------------------


def faults_of(schedule: Schedule, now: datetime) -> list[FieldError]:
    """Say what is wrong with a schedule that is to be kept from `now` on; the paths are the names of its fields."""
    wrong = [*_faults_of_fields(schedule)]
    if wrong:
        return wrong
    if schedule.end is not None and schedule.end <= schedule.start:
        wrong.append(FieldError("end", "The end must be later than the start."))
    elif schedule.end is not None and instant_of(schedule.zone, schedule.end) <= now:
        wrong.append(FieldError("end", "The end must be later than now."))
    elif not schedule.rule and instant_of(schedule.zone, schedule.start) <= now:
        wrong.append(FieldError("start", "The start is in the past, and nothing comes again."))
    elif not wrong and (fault := _fault_of_dates(schedule, now)):
        wrong.append(FieldError("rule", fault))
    return wrong


def _faults_of_fields(schedule: Schedule) -> Iterator[FieldError]:
    if not known_zone(schedule.zone):
        yield FieldError("zone", "Give the IANA name of a time zone, such as Asia/Kolkata.")
    for name, wall in (("start", schedule.start), ("end", schedule.end)):
        if wall is not None and not EARLIEST_YEAR <= wall.year <= LATEST_YEAR:
            yield FieldError(name, f"The year must be from {EARLIEST_YEAR} to {LATEST_YEAR}.")
    try:
        read_rule(schedule.rule or "FREQ=DAILY")
    except ValueError as error:
        yield FieldError("rule", str(error))
    for name, minutes, most in (
        ("duration_minutes", schedule.duration_minutes, MOST_DURATION_MINUTES),
        ("lateness_minutes", schedule.lateness_minutes, MOST_LATENESS_MINUTES),
    ):
        if minutes is not None and not 1 <= minutes <= most:
            yield FieldError(name, f"This must be a whole number from 1 to {most}.")
    lasts = schedule.duration_minutes
    if schedule.recurrence_precedence and (lasts is None or lasts > MOST_OVERRIDING_MINUTES):
        message = f"What overrides the calling hours needs an end: give 1 to {MOST_OVERRIDING_MINUTES} minutes."
        yield FieldError("duration_minutes", message)


def _fault_of_dates(schedule: Schedule, now: datetime) -> str | None:
    try:
        found = next_occurrence(schedule, now)
    except ValueError as error:
        return f"{str(error).rstrip('.')}."
    return None if found is not None else "No date of this recurrence is left."
