"""The rule of calling hours, read a second time: minute by minute, with nothing but astimezone."""

import itertools
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from callsheet.core.hours import CallingHours, Frequency, Window, is_open

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
WEEK_MINUTES = 7 * 1440


def hours(*windows: tuple[int, int, int], zone: str = "UTC") -> CallingHours:
    return CallingHours(Frequency.weekly, zone, tuple(Window(*window) for window in windows))


def daily(start: int, end: int, zone: str = "UTC") -> CallingHours:
    return hours(*((day, start, end) for day in range(7)), zone=zone)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


NINE_TO_SIX = daily(9 * 60, 18 * 60)
AROUND_THE_CLOCK = daily(0, 1440)


class Oracle:
    """The wall clock of one zone, looked at every minute of a stretch, and the rule applied to what it reads.

    Open means: the reading lies in a window (windows that meet at midnight are one), the clock has passed that
    window's start for the last time, and has not yet come to its end for the first time.
    """

    def __init__(self, zone: str, first: datetime, days: int) -> None:
        info = ZoneInfo(zone)
        clocks = ((first + n * MINUTE).astimezone(info) for n in range(days * 1440))
        self.walls = [(clock.replace(tzinfo=UTC) - MONDAY) // MINUTE for clock in clocks]

    def passes(self, wall: int) -> list[int]:
        return [n for n, (a, b) in enumerate(itertools.pairwise(self.walls), 1) if a < wall <= b]

    def judge(self, of: CallingHours, minutes: range) -> list[bool]:
        spans = open_spans(of)
        is_always = None not in spans
        found = []
        edges: dict[int, tuple[int, int]] = {}  # by the first minute of the window that a reading belongs to
        for n in minutes:
            wall = self.walls[n]
            span = spans[wall % WEEK_MINUTES]
            if span is None or is_always:
                found.append(span is not None)
                continue
            start, end = wall - span[0], wall + span[1]
            if start not in edges:
                opens, closes = self.passes(start), self.passes(end)
                edges[start] = (max(opens, default=0), min(closes, default=len(self.walls)))
            found.append(edges[start][0] <= n < edges[start][1])
        return found


@cache
def open_spans(of: CallingHours) -> list[tuple[int, int] | None]:
    """Return for each minute of the week how many minutes ago its window began and in how many it ends."""
    week = [False] * WEEK_MINUTES
    for window in of.windows:
        for minute in range(window.start_minute, window.end_minute):
            week[window.day * 1440 + minute] = True
    if all(week):
        return [(0, 0)] * WEEK_MINUTES
    first = week.index(False)
    spans: list[tuple[int, int] | None] = [None] * WEEK_MINUTES
    stretches = itertools.groupby(range(first, first + WEEK_MINUTES), lambda minute: week[minute % WEEK_MINUTES])
    for stretch in (list(minutes) for is_inside, minutes in stretches if is_inside):
        for n, minute in enumerate(stretch):
            spans[minute % WEEK_MINUTES] = n, len(stretch) - n
    return spans


def check_by_minutes(zone: str, around: datetime, of: CallingHours, margin_minutes: int) -> None:
    """Compare a stretch around an instant; the oracle sees days more on each side, to find the edges."""
    first = around.replace(hour=0, minute=0, second=0) - 2 * DAY
    middle = (around - first) // MINUTE
    minutes = range(middle - margin_minutes, middle + margin_minutes)
    expected = oracle(zone, first).judge(of, minutes)
    found = [is_open(of, zone, first + n * MINUTE) for n in minutes]
    assert found == expected, (
        zone,
        [(first + n * MINUTE).isoformat() for n, a, b in zip(minutes, found, expected, strict=True) if a != b][:3],
    )


@cache
def oracle(zone: str, first: datetime) -> Oracle:
    return Oracle(zone, first, 5)


@cache
def changes_of_clocks(zone: str, first_year: int, last_year: int) -> tuple[datetime, ...]:
    """Return the instants at which the offset of a zone changes, to the minute."""
    info = ZoneInfo(zone)
    found = []
    at = utc(first_year, 1, 1)
    offset = at.astimezone(info).utcoffset()
    while at.year <= last_year:
        later = at + DAY
        if later.astimezone(info).utcoffset() != offset:
            low, high = at, later
            while high - low > MINUTE:
                middle = low + (high - low) // 2 // MINUTE * MINUTE
                low, high = (low, middle) if middle.astimezone(info).utcoffset() != offset else (middle, high)
            found.append(high)
            offset = later.astimezone(info).utcoffset()
        at = later
    return tuple(found)


# Zones whose clocks do something odd in that year.
SAMPLE = {
    "Africa/Cairo": 2026,  # jumps at midnight
    "Africa/Casablanca": 2026,  # goes back for Ramadan
    "America/Asuncion": 2023,  # went back at midnight
    "America/Havana": 2026,  # 01:00 becomes 00:00
    "America/New_York": 2026,
    "America/Nuuk": 2026,  # changes before midnight
    "America/Santiago": 2026,  # at 24:00
    "America/St_Johns": 2006,  # changed at 00:01
    "Asia/Beirut": 2026,  # midnight does not exist
    "Asia/Gaza": 2026,
    "Asia/Kathmandu": 1985,  # moved by a quarter of an hour
    "Asia/Tehran": 2022,
    "Atlantic/Azores": 2026,
    "Australia/Adelaide": 2026,
    "Australia/Lord_Howe": 2026,  # half an hour
    "Antarctica/Troll": 2026,  # two hours
    "Europe/Dublin": 2026,
    "Europe/London": 2026,
    "Pacific/Apia": 2011,  # skipped 30 December
    "Pacific/Chatham": 2026,
    "Pacific/Kiritimati": 1994,  # skipped a day
    "Pacific/Norfolk": 2026,
}
CASES = [(zone, at) for zone, year in SAMPLE.items() for at in changes_of_clocks(zone, year, year)]

windows = st.builds(
    lambda day, edges: Window(day, *sorted(edges)),
    st.integers(0, 6),
    st.lists(
        st.one_of(st.integers(0, 1440), st.sampled_from([0, 30, 60, 90, 120, 150, 180, 1380, 1410, 1440])),
        min_size=2,
        max_size=2,
        unique=True,
    ),
)
any_hours = st.builds(
    lambda listed: CallingHours(Frequency.weekly, "UTC", tuple(listed)), st.lists(windows, min_size=1, max_size=12)
)
