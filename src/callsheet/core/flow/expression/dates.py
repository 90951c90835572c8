"""Dates and times: what texts say, and arithmetic with days. A moment without a zone is one of the flow's own zone."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.expression.casting import kind_of, to_number
from callsheet.core.flow.expression.scope import Scope

PIVOT: Final = 30
"""A year of two digits below it is in this century, as in Excel."""
DAY_SECONDS: Final = 86_400
MOST_DAYS: Final = 4_000_000
MIDNIGHT: Final = time(0)

_TIME: Final = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?(?:\s*(?P<half>[ap])\.?m\.?)?"
_ZONE: Final = r"(?P<zone>\s*(?:z|[-+]\d\d:?\d\d))?"
_DATE: Final = (
    r"(?:(?P<year>\d{4})(?P<dash>[-/.])(?P<month>\d{1,2})(?P=dash)(?P<day>\d{1,2})"
    r"|(?P<one>\d{1,2})(?P<slash>[-/.])(?P<two>\d{1,2})(?:(?P=slash)(?P<last>\d{4}|\d\d))?)"
)
_MOMENT: Final = re.compile(rf"\s*{_DATE}(?:(?:\s+|T){_TIME}{_ZONE})?\s*", re.IGNORECASE)
_CLOCK: Final = re.compile(rf"\s*{_TIME}\s*", re.IGNORECASE)
_MOST_CHARACTERS: Final = 40


def find_date(value: object, scope: Scope, *, year_needed: bool = False) -> date | None:
    """Return the date that a value is, or that a text says; None: it is none. With a time of day it is a `datetime`.

    Texts: ISO 8601, or day, month and year; where the second number can be no month, the month stands first.
    `year_needed`: a text without a year of four digits is no date, else it is one of this year.
    """
    if isinstance(value, datetime):
        return value.astimezone(scope.now.tzinfo) if value.tzinfo is not scope.now.tzinfo else value
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
        return None
    found = _MOMENT.fullmatch(value)
    if found is None or (year_needed and found["year"] is None and len(found["last"] or "") < 4):
        return None
    try:
        day = _day(found, scope)
        return day if found["hour"] is None else _moment(day, found, scope)
    except (ValueError, OverflowError):
        return None


def to_date(value: object, scope: Scope) -> date:
    """Return a value as a date. Raises Amiss."""
    found = find_date(value, scope)
    if found is None:
        raise Amiss(f"A date is wanted where {kind_of(value)} is.")
    return found


def find_time(value: object) -> time | None:
    """Return the time of day that a value is, or that a text says, such as 14:30 or 2:30 pm; None: it is none."""
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
        return None
    found = _CLOCK.fullmatch(value)
    try:
        return _time(found) if found is not None else None
    except ValueError:
        return None


def to_moment(day: date, scope: Scope) -> datetime:
    """Return a date as an instant: its midnight, where it says no time of day."""
    return day if isinstance(day, datetime) else datetime.combine(day, MIDNIGHT, scope.now.tzinfo)


def add(one: object, other: object, scope: Scope) -> object:
    """Return a date and days, a date and a time, or two times together. Raises Amiss."""
    if not _is_dated(one, scope):
        one, other = other, one
    return _move(one, other, scope, 1)


def subtract(one: object, other: object, scope: Scope) -> object:
    """Return the days between two dates, or a date or a time some time earlier. Raises Amiss."""
    first, second = find_date(one, scope, year_needed=True), find_date(other, scope, year_needed=True)
    if first is not None and second is not None:
        gone = to_moment(first, scope) - to_moment(second, scope)
        return Decimal(gone.days) + Decimal(gone.seconds) / DAY_SECONDS
    return _move(one, other, scope, -1)


def is_dated(one: object, other: object, scope: Scope) -> bool:
    """Tell whether there is a date or a time among two values."""
    return _is_dated(one, scope) or _is_dated(other, scope)


def _is_dated(value: object, scope: Scope) -> bool:
    return find_time(value) is not None or find_date(value, scope, year_needed=True) is not None


def _move(value: object, by: object, scope: Scope, sign: int) -> object:
    at, moved = find_time(value), find_time(by)
    number = None if moved is not None else to_number(by)
    days = number * sign if number is not None else Decimal(0)
    if abs(days) > MOST_DAYS:
        raise Amiss("The date is out of reach.")
    seconds = _seconds(moved) * sign if moved is not None else int((days * DAY_SECONDS).to_integral_value())
    if at is not None:
        return to_clock(_seconds(at) + seconds)
    day = to_date(value, scope)
    try:
        if moved is None and days == days.to_integral_value():
            return day + timedelta(days=int(days))
        return to_moment(day, scope) + timedelta(seconds=seconds)
    except OverflowError:
        raise Amiss("The date is out of reach.") from None


def _seconds(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


def to_clock(seconds: int) -> time:
    """Return the time of day so many seconds after midnight."""
    minutes, second = divmod(seconds % DAY_SECONDS, 60)
    return time(minutes // 60, minutes % 60, second)


def _day(found: re.Match[str], scope: Scope) -> date:
    if found["year"] is not None:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    day, month = int(found["one"]), int(found["two"])
    if month > 12:
        day, month = month, day
    said = found["last"]
    year = scope.now.year if said is None else int(said)
    if said is not None and len(said) == 2:
        year += 2000 if year < PIVOT else 1900
    return date(year, month, day)


def _time(found: re.Match[str]) -> time:
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, int(found["minute"]), int(found["second"] or 0))


def _moment(day: date, found: re.Match[str], scope: Scope) -> datetime:
    here = datetime.combine(day, _time(found), scope.now.tzinfo)
    zone = (found["zone"] or "").strip().upper()
    if not zone:
        return here
    said = f"{here.replace(tzinfo=None).isoformat()}{zone if zone == 'Z' else f'{zone[:3]}:{zone[-2:]}'}"
    return datetime.fromisoformat(said).astimezone(scope.now.tzinfo)
