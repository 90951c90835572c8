"""What is said of a schedule: the body of our own calls, and how it becomes one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from callsheet.api.v1.campaign_bodies import DAYS, Day, Zone
from callsheet.api.v1.shapes import Body
from callsheet.core import recurrence
from callsheet.core.recurrence import LAST, LONGEST_RULE, MOST_EVERY, read_rule
from callsheet.core.schedule import MOST_DURATION_MINUTES, MOST_LATENESS_MINUTES, Schedule

_WALL = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?"


def _wall(text: str) -> str:
    _read_wall(text)
    return text


def _read_wall(text: str) -> datetime:
    """Read a wall time, which in core says UTC whatever its zone. Raises ValueError."""
    if re.fullmatch(_WALL, text, re.ASCII) is None:
        raise ValueError("Write what the clocks of the zone show, like 2099-01-05T09:00")
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("There is no such day or time") from None
    return wall.replace(tzinfo=UTC)


WallTime = Annotated[
    str,
    AfterValidator(_wall),
    Field(examples=["2099-01-05T09:00"], json_schema_extra={"pattern": f"^{_WALL}$"}),
]
"""What the clocks of a zone show, without an offset."""

Interval = Annotated[StrictInt, Field(ge=1, le=MOST_EVERY)]
Last = Literal["last"]


def _or_last(most: int) -> WrapValidator:
    """Make the check of what is a number or `last`: whatever else it is, one sentence says what it may be."""

    def check(value: object, read: ValidatorFunctionWrapHandler) -> object:
        try:
            return read(value)
        except ValidationError:
            raise ValueError(f"This must be a whole number from 1 to {most}, or last") from None

    return WrapValidator(check)


_DAYS, _TIMES = 31, 5
DayOfMonth = Annotated[Annotated[StrictInt, Field(ge=1, le=_DAYS)] | Last, _or_last(_DAYS)]
Nth = Annotated[Annotated[StrictInt, Field(ge=1, le=_TIMES)] | Last, _or_last(_TIMES)]


class EveryDay(Body):
    """Every day, or every so many days."""

    every: Literal["day"]
    """What the interval counts."""
    interval: Interval = 1
    """2: every second one."""

    def read(self) -> str:
        """Return it as a rule."""
        return recurrence.daily(self.interval)


class EveryWeek(Body):
    """On some days of the week."""

    every: Literal["week"]
    """What the interval counts; weeks begin on Monday."""
    interval: Interval = 1
    """2: every second one."""
    days: Annotated[list[Day], Field(min_length=1, max_length=len(DAYS))]
    """On these days."""

    def read(self) -> str:
        """Return it as a rule."""
        return recurrence.weekly(self.interval, [DAYS.index(day) for day in self.days])


class EveryMonth(Body):
    """On a day of the month: by its number, or by its place among the days of its name."""

    every: Literal["month"]
    """What the interval counts."""
    interval: Interval = 1
    """2: every second one."""
    day: DayOfMonth | None = None
    """The day of the month; months without it are left out, and `last` is in every month."""
    nth: Nth | None = None
    """With `weekday`: which one of them."""
    weekday: Day | None = None
    """With `nth`: the day's name."""

    @model_validator(mode="after")
    def _one_way(self) -> EveryMonth:
        if (self.day is None) == (self.nth is None) or (self.nth is None) != (self.weekday is None):
            raise ValueError("Give day, or nth and weekday")
        return self

    def read(self) -> str:
        """Return it as a rule."""
        if self.nth is not None and self.weekday is not None:
            return recurrence.monthly_on_weekday(self.interval, _counted(self.nth), DAYS.index(self.weekday))
        return recurrence.monthly_on_day(self.interval, _counted(self.day or LAST))


class EveryYear(Body):
    """On a day of the year; the 29th of February is left out in years without one."""

    every: Literal["year"]
    """What the interval counts."""
    interval: Interval = 1
    """2: every second one."""
    month: Annotated[StrictInt, Field(ge=1, le=12)]
    """The month, 1 to 12."""
    day: Annotated[StrictInt, Field(ge=1, le=31)]
    """The day of the month."""

    def read(self) -> str:
        """Return it as a rule."""
        return recurrence.yearly(self.interval, self.month, self.day)


def _counted(number: int | Last) -> int:
    return LAST if number == "last" else int(number)


def _rule(text: str) -> str:
    try:
        return read_rule(text)
    except ValueError as error:
        raise ValueError(str(error).rstrip(".")) from None


class NewSchedule(Body):
    """When a campaign starts by itself."""

    zone: Annotated[Zone, Field(examples=["Europe/Berlin"])]
    """The IANA name of the time zone in which the wall times are meant."""
    start: WallTime
    """The first occurrence is not before it; without a recurrence it is the only one."""
    end: WallTime | None = None
    """From then on nothing starts, and a run that goes on ends; null: it goes on and on."""
    repeat: Annotated[EveryDay | EveryWeek | EveryMonth | EveryYear, Field(discriminator="every")] | None = None
    """When it comes again; null: by `rule`, or not at all."""
    rule: Annotated[str, StringConstraints(max_length=LONGEST_RULE), AfterValidator(_rule)] | None = None
    """In place of `repeat`: a recurrence rule of RFC 5545, which comes at most once an hour."""
    duration_minutes: Annotated[StrictInt, Field(ge=1, le=MOST_DURATION_MINUTES)] | None = None
    """How long each run lasts at most; whoever was not contacted then is not. Null: until all are, or until `end`."""
    lateness_minutes: Annotated[StrictInt, Field(ge=1, le=MOST_LATENESS_MINUTES)] | None = None
    """How late an occurrence may start at most; what is later is skipped. Null: as the app says."""
    only_unreached: StrictBool = False
    """Whether each run contacts only those whom no earlier run of the campaign has reached."""
    recurrence_precedence: StrictBool = False
    """Whether an occurrence sends whatever the calling hours say. Only an admin says so, and the app must allow it."""

    @model_validator(mode="after")
    def _one_recurrence(self) -> NewSchedule:
        if self.repeat is not None and self.rule is not None:
            raise ValueError("Give repeat or rule, not both")
        return self

    def read(self) -> Schedule:
        """Return the schedule that is meant; whether it can be is another question."""
        return Schedule(
            self.zone,
            _read_wall(self.start),
            _read_wall(self.end) if self.end is not None else None,
            self.repeat.read() if self.repeat is not None else self.rule or "",
            self.duration_minutes,
            self.lateness_minutes,
            self.only_unreached,
            self.recurrence_precedence,
        )
