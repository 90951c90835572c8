"""Calling hours: the local windows in which contact is allowed, and when they open.

Rules are local wall times in an IANA zone, never offsets. An instant is inside when its wall time lies in a window;
hours are never added to a wall time. Where clocks go back, a window opens when they pass its start for the last time
and closes when they reach its end for the first time, so that nothing opens twice in a night; a window around the
whole change is an hour longer. Where clocks go forward, a window in the gap has no instants. Contact with a set of
zones is allowed only when every one of them is open (47 CFR 64.1200(c)(1) and 12 CFR 1006.6(b) mean the time at the
called party's location).

The work is done once per zone and UTC day and kept; asking again costs about a microsecond.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from callsheet.core.errors import FieldError, Invalid
from callsheet.core.zones import EPOCH, offset_at, readings, zone_info, zone_named

DAY_MINUTES = 24 * 60
HORIZON_DAYS = 400
"""How far ahead an opening is looked for: more than a year, so that every week and every change of clocks is seen."""

_DAY_SECONDS = 24 * 60 * 60
_WEEK_DAYS = 7
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday
_FARTHEST_SECONDS = 16 * 60 * 60  # no clock has ever been farther from UTC

_Spans = tuple[tuple[int, int], ...]


class Frequency(StrEnum):
    """How the windows repeat; the wire writes them in capitals."""

    weekly = "weekly"
    """Each window belongs to a weekday."""
    daily = "daily"
    """Each window applies to all seven days."""
    custom = "custom"
    """The documentation does not say; read like weekly."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """One stretch of one weekday: local minutes after midnight, the end exclusive, 1440 = the next midnight."""

    day: int
    """Monday is 0, Sunday 6."""
    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        """Refuse what no week contains; a window never crosses midnight."""
        if not (0 <= self.day < _WEEK_DAYS and 0 <= self.start_minute < self.end_minute <= DAY_MINUTES):
            raise ValueError("A window lies within one day, and its end is later than its start.")


@dataclass(frozen=True, slots=True)
class CallingHours:
    """When contact is allowed. Windows are kept sorted, and those that overlap or touch are merged."""

    frequency: Frequency
    timezone: str
    """The campaign's zone, which rules where a contact has no zone of its own."""
    windows: tuple[Window, ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Merge the windows, so that equal hours are equal, and hash once: the hot paths look hours up by value."""
        merged = _merged(self.windows)
        object.__setattr__(self, "windows", merged)
        # Only integers go in, so that the hash is the same in every process.
        object.__setattr__(self, "_hash", hash(tuple((w.day, w.start_minute, w.end_minute) for w in merged)))

    def __hash__(self) -> int:
        """Return the hash of the windows."""
        return self._hash


def _merged(windows: Collection[Window]) -> tuple[Window, ...]:
    merged: list[Window] = []
    for window in sorted(windows):
        last = merged[-1] if merged else None
        if last is not None and last.day == window.day and window.start_minute <= last.end_minute:
            merged[-1] = Window(last.day, last.start_minute, max(last.end_minute, window.end_minute))
        else:
            merged.append(window)
    return tuple(merged)


def is_open(hours: CallingHours, zone: str, at: datetime) -> bool:
    """Tell whether contact in one zone is allowed at an instant. The zone must be a known name."""
    second = _second(at)
    return any(start <= second < end for start, end in _zone_openings(hours, zone, second // _DAY_SECONDS))


def is_open_in_all(hours: CallingHours, zones: Collection[str], at: datetime) -> bool:
    """Tell whether contact is allowed in every zone of the set; an empty set means the campaign's own zone."""
    second = _second(at)
    openings = _common_openings(hours, _zone_set(hours, zones), second // _DAY_SECONDS)
    return any(start <= second < end for start, end in openings)


def next_open(hours: CallingHours, zones: Collection[str], after: datetime) -> datetime | None:
    """Return the first instant, not before `after`, at which every zone of the set is open (in UTC).

    None when the set has no common instant within `HORIZON_DAYS`: the verdict `no_common_hour`.
    """
    second = _second(after)
    for start, end in _openings_from(hours, _zone_set(hours, zones), second // _DAY_SECONDS):
        if second < end:
            return after.astimezone(UTC) if start <= second else _instant(start)
    return None


def next_change(hours: CallingHours, zones: Collection[str], after: datetime) -> datetime | None:
    """Return the next instant later than `after` at which the set opens or closes (in UTC).

    None when it stays as it is for `HORIZON_DAYS`: hours around the clock, or zones without a common hour.
    """
    second = _second(after)
    first_day = second // _DAY_SECONDS
    closes = None
    for start, end in _openings_from(hours, _zone_set(hours, zones), first_day):
        if closes is not None and start > closes:
            break
        if second < start and closes is None:
            return _instant(start)
        if second < end:  # openings are cut at midnight UTC, which closes nothing
            closes = end
    return _instant(closes) if closes is not None and closes < (first_day + HORIZON_DAYS) * _DAY_SECONDS else None


def open_until(hours: CallingHours, zones: Collection[str], at: datetime) -> datetime | None:
    """Return when the opening that holds `at` ends for some zone of the set (in UTC).

    None when the set is not open at `at`, or stays open for more than a week.
    """
    second = closes = _second(at)
    first_day = second // _DAY_SECONDS
    for day in range(first_day, first_day + _WEEK_DAYS + 1):
        for start, end in _common_openings(hours, _zone_set(hours, zones), day):
            if start <= closes < end:  # openings are cut at midnight UTC, which closes nothing
                closes = end
        if closes < (day + 1) * _DAY_SECONDS:
            return _instant(closes) if closes > second else None
    return None


def _second(at: datetime) -> int:
    """Return whole seconds since 1970; a naive datetime raises TypeError."""
    since = at - EPOCH
    return since.days * _DAY_SECONDS + since.seconds


def _instant(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


def _zone_set(hours: CallingHours, zones: Collection[str]) -> frozenset[str]:
    return frozenset(zones) or frozenset((hours.timezone,))


# -- openings: half-open spans of UTC seconds since 1970, sorted, cut at the ends of a UTC day -------------------------


def _openings_from(hours: CallingHours, zones: frozenset[str], first_day: int) -> Iterator[tuple[int, int]]:
    """Yield the common openings from a UTC day on, up to the horizon."""
    for day in range(first_day, first_day + HORIZON_DAYS):
        yield from _common_openings(hours, zones, day)


@lru_cache(maxsize=16384)
def _common_openings(hours: CallingHours, zones: frozenset[str], day: int) -> _Spans:
    """Return when all zones are open on a UTC day. Most zones of a large set share one of a few timetables."""
    timetables = {_zone_openings(hours, zone, day) for zone in zones}
    common = timetables.pop()
    for other in timetables:
        common = tuple((max(a, c), min(b, d)) for a, b in common for c, d in other if max(a, c) < min(b, d))
    return common


@lru_cache(maxsize=16384)
def _zone_openings(hours: CallingHours, zone: str, day: int) -> _Spans:
    """Return when one zone is open on a UTC day."""
    offsets = {_offset_at_midnight(zone, near) for near in range(day - 1, day + 3)}
    start = day * _DAY_SECONDS
    if len(offsets) == 1:  # no clock changes near enough to matter, as on nearly every day
        relative = _openings_at_offset(hours, (day + _EPOCH_WEEKDAY) % _WEEK_DAYS, offsets.pop())
        return tuple((start + a, start + b) for a, b in relative)
    info = zone_info(zone)
    spans = (
        (_opens_at(info, start + wall_start), readings(info, start + wall_end)[0])
        for wall_start, wall_end in _wall_spans(hours, (day + _EPOCH_WEEKDAY) % _WEEK_DAYS)
    )
    return _clipped(spans, start, start + _DAY_SECONDS)


@lru_cache(maxsize=16384)
def _offset_at_midnight(zone: str, day: int) -> int:
    return offset_at(zone_info(zone), day * _DAY_SECONDS)


@lru_cache(maxsize=4096)
def _openings_at_offset(hours: CallingHours, weekday: int, offset: int) -> _Spans:
    """Return the openings of a UTC day of this weekday, in seconds after its start, where no clock changes."""
    spans = ((start - offset, end - offset) for start, end in _wall_spans(hours, weekday))
    return _clipped(spans, 0, _DAY_SECONDS)


@lru_cache(maxsize=4096)
def _wall_spans(hours: CallingHours, weekday: int) -> _Spans:
    """Return the windows from the day before a weekday to the day after it, in seconds after its local midnight.

    Windows that meet at midnight are one span, because their common edge is no edge when clocks change there. One more
    day on each side is looked at, so that the outermost edges are far from the day itself.
    """
    spans: list[tuple[int, int]] = []
    for shift in range(-2, 3):
        midnight = shift * _DAY_SECONDS
        for window in hours.windows:
            if window.day == (weekday + shift) % _WEEK_DAYS:
                start, end = midnight + window.start_minute * 60, midnight + window.end_minute * 60
                if spans and spans[-1][1] == start:
                    start = spans.pop()[0]
                spans.append((start, end))
    reach = (-_FARTHEST_SECONDS, _DAY_SECONDS + _FARTHEST_SECONDS)
    return tuple((start, end) for start, end in spans if start < reach[1] and end > reach[0])


def _clipped(spans: Iterator[tuple[int, int]], start: int, end: int) -> _Spans:
    cut = ((max(a, start), min(b, end)) for a, b in spans)
    return tuple((a, b) for a, b in cut if a < b)


def _opens_at(info: ZoneInfo, wall: int) -> int:
    """Return the last instant at which the clocks pass a wall time, coming from an earlier one."""
    first, last = readings(info, wall)
    if first < last and offset_at(info, last - 1) != offset_at(info, last):
        return first  # they fall back to exactly this reading: that is the middle of the window, not its start
    return last


# -- the documented wire shape ---------------------------------------------------------------------------------------

MOST_WINDOWS = 200
"""A document with more windows is a mistake: an hourly change on each of seven days needs 168."""

_CLOCK = re.compile(r"\s*(0?[1-9]|1[0-2])(?::([0-5][0-9]))?\s*([AP])\.?\s*M\.?\s*", re.IGNORECASE | re.ASCII)
_CLOCK_SENTENCE = "Write the time of day like 9:00 AM or 6:00 PM."
_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# MO of the calling hours, Mon of the schedule, and full names are all accepted.
DAYS_NAMED: Mapping[str, int] = MappingProxyType(
    {name[:length]: day for day, name in enumerate(_DAY_NAMES) for length in (2, 3, len(name))}
)


def parse_clock(text: str) -> int:
    """Read a 12-hour time of day and return minutes after midnight; `9:00 AM`, `09:00am` and `9 a.m.` are the same.

    24-hour forms are refused, because 9:00 without AM or PM means two times. Raises ValueError.
    """
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(_CLOCK_SENTENCE)
    hour = int(match[1]) % 12 + (12 if match[3] in "Pp" else 0)
    return hour * 60 + int(match[2] or 0)


def write_clock(minute: int) -> str:
    """Write minutes after midnight as the documented pages do: `9:00 AM`; the end of a day is `12:00 AM`."""
    hour = minute // 60 % 24
    return f"{hour % 12 or 12}:{minute % 60:02} {'PM' if hour >= 12 else 'AM'}"


def write_hours(hours: CallingHours) -> dict[str, Any]:
    """Write calling hours in the documented shape, by the week."""
    days = [
        {
            "day": _DAY_NAMES[window.day][:2].upper(),
            "start": write_clock(window.start_minute),
            "end": write_clock(window.end_minute),
        }
        for window in hours.windows
    ]
    return {"frequency": "WEEKLY", "timezone": hours.timezone, "days": days}


def parse_hours(document: object, path: str = "dialingStrategy.callingHours") -> CallingHours:
    """Read the documented shape `{frequency, timezone, days: [{day, start, end}]}`.

    Raises `Invalid` with every wrong field; `path` is where the document stands in the request.
    """
    if not isinstance(document, Mapping):
        raise Invalid((FieldError(path, "Give the calling hours: frequency, timezone and days."),))
    wrong: list[FieldError] = []
    frequency = _read_frequency(document.get("frequency"), f"{path}.frequency", wrong)
    timezone = _read_zone(document.get("timezone"), f"{path}.timezone", wrong)
    windows = _read_windows(document.get("days"), frequency, f"{path}.days", wrong)
    if wrong or frequency is None or timezone is None:
        raise Invalid(wrong)
    return CallingHours(frequency, timezone, tuple(windows))


def _read_frequency(value: object, path: str, wrong: list[FieldError]) -> Frequency | None:
    try:
        return Frequency(str(value).strip().lower())
    except ValueError:
        wrong.append(FieldError(path, "The frequency is WEEKLY, DAILY or CUSTOM."))
        return None


def _read_zone(value: object, path: str, wrong: list[FieldError]) -> str | None:
    zone = zone_named(value) if isinstance(value, str) else None
    if zone is None:
        wrong.append(FieldError(path, "Give the IANA name of a time zone, such as Asia/Kolkata."))
    return zone


def _read_windows(value: object, frequency: Frequency | None, path: str, wrong: list[FieldError]) -> list[Window]:
    if not isinstance(value, list) or not value:
        wrong.append(FieldError(path, "Give at least one window: an array of objects with day, start and end."))
        return []
    if len(value) > MOST_WINDOWS:
        wrong.append(FieldError(path, f"Give at most {MOST_WINDOWS} windows."))
        return []
    windows: list[Window] = []
    for index, entry in enumerate(value):
        windows.extend(_read_window(entry, frequency, f"{path}[{index}]", wrong))
    return windows


def _read_window(entry: object, frequency: Frequency | None, path: str, wrong: list[FieldError]) -> Iterator[Window]:
    if not isinstance(entry, Mapping):
        wrong.append(FieldError(path, "A window is an object with day, start and end."))
        return
    days = _read_days(entry.get("day"), frequency, f"{path}.day", wrong)
    start = _read_clock(entry.get("start"), f"{path}.start", wrong)
    end = _read_clock(entry.get("end"), f"{path}.end", wrong)
    if start is None or end is None:
        return
    if end in (0, DAY_MINUTES - 1):
        end = DAY_MINUTES  # 12:00 AM is the coming midnight, and 11:59 PM includes its minute
    if end <= start:
        wrong.append(FieldError(f"{path}.end", "The end must be later than the start; a window cannot pass midnight."))
        return
    for day in days:
        yield Window(day, start, end)


def _read_days(value: object, frequency: Frequency | None, path: str, wrong: list[FieldError]) -> tuple[int, ...]:
    if frequency is Frequency.daily:
        return tuple(range(_WEEK_DAYS))  # a day that is present says nothing then
    day = DAYS_NAMED.get(value.strip().lower()) if isinstance(value, str) else None
    if day is not None:
        return (day,)
    if frequency is not None or value is not None:
        wrong.append(FieldError(path, "The day is MO, TU, WE, TH, FR, SA or SU."))
    return ()


def _read_clock(value: object, path: str, wrong: list[FieldError]) -> int | None:
    try:
        return parse_clock(value if isinstance(value, str) else "")
    except ValueError:
        wrong.append(FieldError(path, _CLOCK_SENTENCE))
        return None
