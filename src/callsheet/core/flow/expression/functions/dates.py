"""Functions of dates and times. Days and months that overflow go on into the next month or year, as in Excel."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final

from callsheet.core.flow.amiss import Amiss
from callsheet.core.flow.expression.casting import kind_of, to_whole
from callsheet.core.flow.expression.dates import DAY_SECONDS, find_date, find_time, to_clock, to_date
from callsheet.core.flow.expression.functions.function import Function
from callsheet.core.flow.expression.scope import Scope

MOST: Final = 1_000_000
OUT_OF_REACH: Final = "The date is out of reach."


def _date(_: Scope, year: object, month: object, day: object) -> date:
    return _shift(to_whole(year, MOST), to_whole(month, MOST) - 1, to_whole(day, MOST) - 1)


def _shift(year: int, months: int, days: int) -> date:
    try:
        return date(year + months // 12, months % 12 + 1, 1) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise Amiss(OUT_OF_REACH) from None


def _datevalue(scope: Scope, text: object) -> date:
    return to_date(text, scope)


def _edate(scope: Scope, value: object, months: object) -> date:
    day = to_date(value, scope)
    first = _shift(day.year, day.month - 1 + to_whole(months, MOST), 0)
    last = monthrange(first.year, first.month)[1]
    return day.replace(year=first.year, month=first.month, day=min(day.day, last))


def _time(_: Scope, hours: object, minutes: object, seconds: object) -> time:
    whole = to_whole(hours, MOST) * 3600 + to_whole(minutes, MOST) * 60 + to_whole(seconds, MOST)
    if whole < 0:
        raise Amiss("A time is less than nothing.")
    return to_clock(whole % DAY_SECONDS)


def _timevalue(scope: Scope, text: object) -> time:
    return _clock(scope, text)


def _clock(scope: Scope, value: object) -> time:
    """Return the time of day of a value; of a date without one it is midnight."""
    at = find_time(value)
    if at is not None:
        return at
    day = find_date(value, scope)
    if day is None:
        raise Amiss(f"A time is wanted where {kind_of(value)} is.")
    return day.time().replace(microsecond=0) if isinstance(day, datetime) else time(0)


def _now(scope: Scope) -> datetime:
    return scope.now.replace(microsecond=0)


def _today(scope: Scope) -> date:
    return scope.now.date()


def _of_date(part: Callable[[date], int]) -> Callable[[Scope, object], int]:
    return lambda scope, value: part(to_date(value, scope))


def _of_time(part: Callable[[time], int]) -> Callable[[Scope, object], int]:
    return lambda scope, value: part(_clock(scope, value))


FUNCTIONS = (
    Function("DATE", 3, 3, _date),
    Function("DATEVALUE", 1, 1, _datevalue),
    Function("DAY", 1, 1, _of_date(lambda day: day.day)),
    Function("EDATE", 2, 2, _edate),
    Function("HOUR", 1, 1, _of_time(lambda at: at.hour)),
    Function("MINUTE", 1, 1, _of_time(lambda at: at.minute)),
    Function("MONTH", 1, 1, _of_date(lambda day: day.month)),
    Function("NOW", 0, 0, _now),
    Function("SECOND", 1, 1, _of_time(lambda at: at.second)),
    Function("TIME", 3, 3, _time),
    Function("TIMEVALUE", 1, 1, _timevalue),
    Function("TODAY", 0, 0, _today),
    Function("WEEKDAY", 1, 1, _of_date(lambda day: day.isoweekday() % 7 + 1)),
    Function("YEAR", 1, 1, _of_date(lambda day: day.year)),
)
