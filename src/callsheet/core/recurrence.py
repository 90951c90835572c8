"""Recurrences: when a schedule comes again. Each is written as a rule of RFC 5545, section 3.3.10.

The other spellings (daily, weekly, monthly, yearly) are ways to write one. A rule repeats wall times: what the clocks
on the wall show, and nothing about when that is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from types import MappingProxyType

from dateutil.rrule import rrulestr

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LAST = -1
"""Of a month: its last day, or the last of its Mondays."""
LATEST_YEAR = 2199
"""Nothing is looked for beyond."""
MOST_EVERY = 1000
MOST_COUNT = 10_000
LONGEST_RULE = 500

_UNITS: Mapping[str, timedelta] = MappingProxyType(
    {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
)
_LONG = ("MONTHLY", "YEARLY")
_UNTIL = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
_DAY = re.compile(r"(?:[+-]?(?:[1-9]|[1-4]\d|5[0-3]))?(?:MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,6}", re.ASCII)


class Frequency(StrEnum):
    """What a rule counts in."""

    hourly = "HOURLY"
    daily = "DAILY"
    weekly = "WEEKLY"
    monthly = "MONTHLY"
    yearly = "YEARLY"


# -- ways to write a rule ----------------------------------------------------------------------------------------------


def daily(every: int) -> str:
    """Every day, or every so many days."""
    return f"FREQ=DAILY;INTERVAL={every}"


def weekly(every: int, days: Sequence[int]) -> str:
    """On these days (Monday is 0) of every week, or of every so many weeks, which begin on Monday."""
    return f"FREQ=WEEKLY;INTERVAL={every};BYDAY={','.join(DAYS[day] for day in sorted(set(days)))}"


def monthly_on_day(every: int, day: int) -> str:
    """On a day of every so many months. Months without it are left out; `LAST` is in every month."""
    return f"FREQ=MONTHLY;INTERVAL={every};BYMONTHDAY={day}"


def monthly_on_weekday(every: int, nth: int, day: int) -> str:
    """On the nth, or the `LAST`, Monday (0) to Sunday (6) of every so many months."""
    return f"FREQ=MONTHLY;INTERVAL={every};BYDAY={nth}{DAYS[day]}"


def yearly(every: int, month: int, day: int) -> str:
    """On a day of every so many years. The 29th of February is left out where there is none."""
    return f"FREQ=YEARLY;INTERVAL={every};BYMONTH={month};BYMONTHDAY={day}"


# -- reading one -------------------------------------------------------------------------------------------------------


def read_rule(text: str) -> str:
    """Return a rule in capitals, without blanks and the name of the property. Raises ValueError, with a sentence.

    A rule comes at most once an hour; parts that say otherwise, and those that RFC 5545 does not know, are refused. So
    are some that could be written more plainly: a day of the month wants FREQ=MONTHLY.
    """
    rule = re.sub(r"\s+", "", text.upper()).removeprefix("RRULE:").strip(";")
    if len(rule) > LONGEST_RULE:
        raise ValueError(f"A rule has at most {LONGEST_RULE} characters.")
    parts = parts_of(rule)
    if rule.count(";") + 1 != len(parts) or "FREQ" not in parts:
        raise ValueError("Write a rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO,TH.")
    if parts["FREQ"] not in list(Frequency):
        raise ValueError(f"FREQ is one of {', '.join(Frequency)}.")
    for name, value in parts.items():
        _check(name, value)
    _check_together(parts)
    return rule


def parts_of(rule: str) -> dict[str, str]:
    """Return the parts of a rule by their names."""
    return {name: value for name, _, value in (part.partition("=") for part in rule.split(";"))}


def _check(name: str, value: str) -> None:
    known = _PARTS.get(name)
    if known is None:
        raise ValueError(f"A rule has no part {name[:20]} here; there are: {', '.join(_PARTS)}.")
    is_good, sentence = known
    if not is_good(value):
        raise ValueError(f"{name} {sentence}.")


def _check_together(parts: Mapping[str, str]) -> None:
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("A rule has COUNT or UNTIL, not both.")
    if parts["FREQ"] not in _LONG:
        if "BYMONTHDAY" in parts:
            raise ValueError("BYMONTHDAY needs FREQ=MONTHLY or FREQ=YEARLY.")
        # A place that is never taken would be looked for to the end of time.
        if min(abs(place) for place in _numbers(parts, "BYSETPOS", 1)) > (most := _most_in_set(parts)):
            raise ValueError(f"BYSETPOS names no place that there is: one hour, day or week of this rule has {most}.")
        if not set(parts.get("BYDAY", DAYS[0]).split(",")) <= set(DAYS):
            raise ValueError("BYDAY with a number needs FREQ=MONTHLY or FREQ=YEARLY.")
    if parts["FREQ"] == Frequency.hourly and int(parts.get("INTERVAL", 1)) > _MOST_HOURS:
        raise ValueError(f"INTERVAL of FREQ=HOURLY is at most {_MOST_HOURS}; beyond, use FREQ=DAILY.")
    if parts["FREQ"] != Frequency.yearly and {"BYWEEKNO", "BYYEARDAY"} & parts.keys():
        raise ValueError("BYWEEKNO and BYYEARDAY need FREQ=YEARLY.")


_MOST_HOURS = 24


def _most_in_set(parts: Mapping[str, str]) -> int:
    """Return how often a rule comes at most in one of its hours, days or weeks, of which BYSETPOS takes places."""
    hours = len(_numbers(parts, "BYHOUR", 0))
    days = len(set(parts.get("BYDAY", DAYS[0]).split(",")))
    return {Frequency.hourly: 1, Frequency.daily: hours}.get(Frequency(parts["FREQ"]), days * hours)


def _numbers(parts: Mapping[str, str], name: str, usual: int) -> set[int]:
    return {int(word) for word in parts.get(name, str(usual)).split(",")}


def _wholes(least: int, most: int, *, negative: bool = False, many: bool = True) -> Callable[[str], bool]:
    def is_good(value: str) -> bool:
        words = value.split(",") if many else [value]
        if not all(_WHOLE.fullmatch(word) for word in words):
            return False
        return all(least <= (abs(int(word)) if negative else int(word)) <= most for word in words)

    return is_good


def _is_until(value: str) -> bool:
    match = _UNTIL.fullmatch(value)
    try:
        return match is not None and _until_wall(match) is not None
    except ValueError:
        return False


def _until_wall(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(group) if group else None for group in match.groups()[:6])
    assert year is not None and month is not None and day is not None  # noqa: PT018 (the pattern has them)
    if hour is None or minute is None or second is None:
        hour, minute, second = 23, 59, 59  # a day counts to its end
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


_PARTS: Mapping[str, tuple[Callable[[str], bool], str]] = MappingProxyType(
    {
        "FREQ": (lambda _: True, ""),
        "INTERVAL": (_wholes(1, MOST_EVERY, many=False), f"is a whole number from 1 to {MOST_EVERY}"),
        "COUNT": (_wholes(1, MOST_COUNT, many=False), f"is a whole number from 1 to {MOST_COUNT}"),
        "UNTIL": (_is_until, "is a day or an instant, such as 20271231 or 20271231T180000Z"),
        "BYMONTH": (_wholes(1, 12), "holds months from 1 to 12"),
        "BYMONTHDAY": (_wholes(1, 31, negative=True), "holds days from 1 to 31, or from -1, the last, to -31"),
        "BYYEARDAY": (_wholes(1, 366, negative=True), "holds days from 1 to 366, or from -1 to -366"),
        "BYWEEKNO": (_wholes(1, 53, negative=True), "holds weeks from 1 to 53, or from -1 to -53"),
        "BYDAY": (
            lambda value: all(_DAY.fullmatch(word) for word in value.split(",")),
            "holds days such as MO, 2TU or -1FR",
        ),
        "BYHOUR": (_wholes(0, 23), "holds hours from 0 to 23"),
        "BYMINUTE": (_wholes(0, 59, many=False), "is one minute from 0 to 59: a rule comes at most once an hour"),
        "BYSECOND": (_wholes(0, 59, many=False), "is one second from 0 to 59: a rule comes at most once an hour"),
        "BYSETPOS": (_wholes(1, 366, negative=True), "holds places from 1 to 366, or from -1 to -366"),
        "WKST": (lambda value: value in DAYS, "is a day such as MO"),
    }
)


# -- using one ---------------------------------------------------------------------------------------------------------


def walls(rule: str, start: datetime, near: datetime) -> Iterator[datetime]:
    """Yield the wall times of a rule in order, the first not before `start`; UNTIL is not looked at.

    Wall times are written as if the wall were in UTC. Those long before `near` may be left out. Raises ValueError for
    parts that do not fit together, such as hours that an interval never meets.
    """
    parts = parts_of(rule)
    parts.pop("UNTIL", None)
    first = _nearer(parts, _whole_week(parts, start), near)
    most = int(parts.pop("COUNT", 0)) or None
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    start = start.replace(microsecond=0)
    for wall in islice((one for one in rrulestr(text, dtstart=first) if one >= start), most):
        if wall.year > LATEST_YEAR:
            return
        yield wall


def _whole_week(parts: dict[str, str], start: datetime) -> datetime:
    """Return from when a rule is walked: its start, or the first day of that week where places in a week are counted.

    dateutil counts them in what is left of the week; RFC 5545 in all of it, also where that is before the start.
    """
    if parts["FREQ"] != Frequency.weekly or "BYSETPOS" not in parts:
        return start
    parts.setdefault("BYDAY", DAYS[start.weekday()])
    return start - timedelta(days=(start.weekday() - DAYS.index(parts.get("WKST", DAYS[0]))) % len(DAYS))


def _nearer(parts: Mapping[str, str], start: datetime, near: datetime) -> datetime:
    """Return the start, or one of its repetitions nearer by: so that a rule which is old is not walked from its start.

    A rule that counts has to be. One of months is short, and its days are not all alike.
    """
    unit = _UNITS.get(parts["FREQ"])
    if unit is None or "COUNT" in parts:
        return start
    step = unit * int(parts.get("INTERVAL", 1))
    return start + step * max(0, (near - start) // step - 1)


def until_of(rule: str) -> tuple[datetime, bool] | None:
    """Return the last moment of a rule, and whether it is an instant (True) or what a wall shows; None: it has none."""
    match = _UNTIL.fullmatch(parts_of(rule).get("UNTIL", ""))
    return (_until_wall(match), bool(match[7])) if match is not None else None
