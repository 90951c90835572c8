import contextlib
import itertools
import pickle
import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet.core.errors import Invalid
from callsheet.core.hours import (
    CallingHours,
    Frequency,
    Window,
    is_open,
    is_open_in_all,
    next_change,
    next_open,
    parse_clock,
    parse_hours,
)

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

# -- a second reading of the rules, minute by minute, with nothing but astimezone ------------------------------------


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
        week = [False] * WEEK_MINUTES
        for window in of.windows:
            for minute in range(window.start_minute, window.end_minute):
                week[window.day * 1440 + minute] = True
        found = []
        edges: dict[int, tuple[int, int]] = {}  # by the first minute of the window that a reading belongs to
        for n in minutes:
            wall = self.walls[n]
            if all(week) or not week[wall % WEEK_MINUTES]:
                found.append(week[wall % WEEK_MINUTES])
                continue
            start = next(before for before in itertools.count(wall, -1) if not week[(before - 1) % WEEK_MINUTES])
            if start not in edges:
                end = next(after for after in itertools.count(wall) if not week[after % WEEK_MINUTES])
                opens, closes = self.passes(start), self.passes(end)
                edges[start] = (max(opens, default=0), min(closes, default=len(self.walls)))
            found.append(edges[start][0] <= n < edges[start][1])
        return found


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


# -- the arithmetic --------------------------------------------------------------------------------------------------

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
    "Asia/Kathmandu": 1986,  # moved by a quarter of an hour
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
STANDARD_HOURS = [
    NINE_TO_SIX,
    AROUND_THE_CLOCK,
    daily(0, 150),
    daily(120, 150),
    daily(90, 240),
    daily(135, 300),
    daily(30, 1410),
    daily(23 * 60, 1440),
    daily(0, 1),
    hours(*((day, start, start + 20) for day in range(7) for start in range(0, 1440, 40))),
    hours((4, 540, 1080), (5, 0, 1440), (6, 0, 720)),
    hours(
        *((day, 0, 45) for day in range(7)),
        *((day, 60, 170) for day in range(7)),
        *((day, 180, 1440) for day in range(7)),
    ),
]

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


@pytest.mark.parametrize("zone", SAMPLE)
def test_every_minute_around_a_change_of_clocks_is_judged_by_its_wall_time(zone):
    for at in changes_of_clocks(zone, SAMPLE[zone], SAMPLE[zone]):
        for of in STANDARD_HOURS[:6]:
            check_by_minutes(zone, at, of, 200)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CASES), any_hours)
def test_any_hours_around_any_change_of_clocks_are_judged_by_wall_time(case, of):
    check_by_minutes(*case, of, 600)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_every_change_of_clocks_until_2037_in_every_zone():
    seen = set()
    for zone in sorted(zoneinfo.available_timezones()):
        changes = changes_of_clocks(zone, 2024, 2037)
        info = ZoneInfo(zone)
        kind = tuple((at, at.astimezone(info).utcoffset(), (at - DAY).astimezone(info).utcoffset()) for at in changes)
        if kind in seen:
            continue
        seen.add(kind)
        for at in changes:
            for of in STANDARD_HOURS:
                check_by_minutes(zone, at, of, 200)
            oracle.cache_clear()


@given(any_hours, st.sampled_from(sorted(SAMPLE)), st.integers(0, 2**31))
def test_far_from_changes_an_instant_is_inside_when_its_wall_time_is(of, zone, second):
    at = EPOCH + timedelta(seconds=second)
    info = ZoneInfo(zone)
    if len({(at + n * DAY).astimezone(info).utcoffset() for n in (-2, -1, 0, 1, 2)}) > 1:
        return
    local = at.astimezone(info)
    minute = local.hour * 60 + local.minute
    inside = any(w.day == local.weekday() and w.start_minute <= minute < w.end_minute for w in of.windows)
    assert is_open(of, zone, at) == inside


zone_sets = st.frozensets(st.sampled_from(sorted(SAMPLE)), min_size=1, max_size=3)


@settings(deadline=None)
@given(any_hours, zone_sets, st.sampled_from(CASES), st.integers(-3 * 86400, 3 * 86400))
def test_the_next_opening_is_the_first_instant_at_which_every_zone_is_open(of, zones, case, seconds):
    after = case[1] + timedelta(seconds=seconds)

    opens_at = next_open(of, zones, after)

    if opens_at is None:
        assert not any(is_open_in_all(of, zones, after + n * 7 * MINUTE) for n in range(3000))
        return
    assert opens_at >= after
    assert is_open_in_all(of, zones, opens_at)
    assert all(is_open(of, zone, opens_at) for zone in zones)
    assert next_open(of, zones, opens_at) == opens_at
    if opens_at > after:
        assert not is_open_in_all(of, zones, opens_at - timedelta(seconds=1))
    minutes = min((opens_at - after) // MINUTE, 3000)
    assert not any(is_open_in_all(of, zones, after + n * MINUTE) for n in range(minutes))


@settings(deadline=None)
@given(any_hours, zone_sets, st.sampled_from(CASES), st.integers(-3 * 86400, 3 * 86400))
def test_nothing_opens_or_closes_before_the_next_change(of, zones, case, seconds):
    after = case[1] + timedelta(seconds=seconds)
    now = is_open_in_all(of, zones, after)

    changes_at = next_change(of, zones, after)

    if changes_at is None:
        changes_at = after + 2 * DAY
    else:
        assert changes_at > after
        assert is_open_in_all(of, zones, changes_at) != now
        assert is_open_in_all(of, zones, changes_at - timedelta(microseconds=1)) == now
    minutes = min((changes_at - after) // MINUTE, 3000)
    assert all(is_open_in_all(of, zones, after + n * MINUTE) == now for n in range(minutes))


@given(any_hours, zone_sets, st.sampled_from(CASES), st.integers(-200_000, 200_000))
def test_a_set_is_open_when_each_of_its_zones_is(of, zones, case, seconds):
    at = case[1] + timedelta(seconds=seconds)
    assert is_open_in_all(of, zones, at) == all(is_open(of, zone, at) for zone in zones)


# -- what one would ask by hand --------------------------------------------------------------------------------------


def test_hours_are_those_of_the_contact_not_of_the_server():
    at = utc(2026, 3, 2, 4, 0)  # half past nine in Kolkata
    assert is_open(NINE_TO_SIX, "Asia/Kolkata", at)
    assert not is_open(NINE_TO_SIX, "Europe/London", at)
    assert not is_open(NINE_TO_SIX, "Asia/Kolkata", utc(2026, 3, 2, 3, 29, 59))
    assert is_open(NINE_TO_SIX, "Asia/Kolkata", utc(2026, 3, 2, 12, 29, 59))
    assert not is_open(NINE_TO_SIX, "Asia/Kolkata", utc(2026, 3, 2, 12, 30))


def test_new_york_and_los_angeles_together_leave_eleven_to_nine():
    of = daily(8 * 60, 21 * 60)
    zones = {"America/New_York", "America/Los_Angeles"}
    assert next_open(of, zones, utc(2026, 7, 1, 5)) == utc(2026, 7, 1, 15)  # 08:00 Pacific
    assert next_change(of, zones, utc(2026, 7, 1, 15)) == utc(2026, 7, 2, 1)  # 21:00 Eastern


def test_zones_that_never_share_an_hour_are_told_so_that_a_run_can_end():
    zones = {"Pacific/Guam", "America/New_York"}
    assert next_open(NINE_TO_SIX, zones, utc(2026, 1, 1)) is None
    assert next_change(NINE_TO_SIX, zones, utc(2026, 1, 1)) is None


def test_zones_that_share_an_hour_only_in_summer_wait_for_it():
    of = daily(9 * 60, 10 * 60 + 30)
    zones = {"Europe/London", "America/Sao_Paulo"}  # three hours apart in winter, four in summer
    assert next_open(of, zones, utc(2026, 1, 1)) is None
    of = daily(9 * 60, 12 * 60 + 30)
    assert next_open(of, zones, utc(2026, 6, 1)) == utc(2026, 10, 25, 12)


def test_hours_around_the_clock_never_change():
    assert next_open(AROUND_THE_CLOCK, {"America/New_York"}, utc(2026, 3, 8, 6, 59)) == utc(2026, 3, 8, 6, 59)
    assert next_change(AROUND_THE_CLOCK, {"America/New_York"}, utc(2026, 3, 8, 6, 59)) is None


def test_a_contact_without_a_zone_has_the_campaigns():
    of = daily(9 * 60, 18 * 60, zone="Asia/Kolkata")
    assert is_open_in_all(of, frozenset(), utc(2026, 3, 2, 4))
    assert next_open(of, (), utc(2026, 3, 2, 0)) == utc(2026, 3, 2, 3, 30)


def test_an_open_instant_is_returned_as_it_is_to_the_microsecond():
    at = datetime(2026, 3, 2, 9, 0, 0, 1, tzinfo=ZoneInfo("Asia/Kolkata"))
    opens_at = next_open(NINE_TO_SIX, {"Asia/Kolkata"}, at)
    assert opens_at == at
    assert opens_at.tzinfo is UTC
    closing = datetime(2026, 3, 2, 17, 59, 59, 999_999, tzinfo=ZoneInfo("Asia/Kolkata"))
    assert is_open(NINE_TO_SIX, "Asia/Kolkata", closing)
    assert next_change(NINE_TO_SIX, {"Asia/Kolkata"}, closing) == closing + timedelta(microseconds=1)


def test_a_naive_instant_is_refused():
    naive = utc(2026, 1, 1).replace(tzinfo=None)
    for call in (lambda: is_open(NINE_TO_SIX, "UTC", naive), lambda: next_open(NINE_TO_SIX, {"UTC"}, naive)):
        with pytest.raises(TypeError):
            call()


def opened(of: CallingHours, zone: str, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    found = []
    at = start
    while (opens_at := next_open(of, {zone}, at)) is not None and opens_at < end:
        at = next_change(of, {zone}, opens_at)
        found.append((opens_at, at))
    return found


def test_a_window_in_a_gap_has_no_instants():
    # New York, 8 March 2026: 02:00 becomes 03:00.
    night = (utc(2026, 3, 8, 5), utc(2026, 3, 9, 4))
    assert opened(daily(120, 150), "America/New_York", *night) == []
    assert opened(daily(135, 200), "America/New_York", *night) == [(utc(2026, 3, 8, 7), utc(2026, 3, 8, 7, 20))]
    assert opened(daily(60, 135), "America/New_York", *night) == [(utc(2026, 3, 8, 6), utc(2026, 3, 8, 7))]


def test_where_clocks_go_back_nothing_opens_twice():
    # New York, 1 November 2026: 01:00 to 02:00 comes twice, from 05:00 and from 06:00 UTC.
    night = (utc(2026, 11, 1, 4), utc(2026, 11, 2, 5))
    assert opened(daily(60, 90), "America/New_York", *night) == [(utc(2026, 11, 1, 5), utc(2026, 11, 1, 5, 30))]
    assert opened(daily(70, 90), "America/New_York", *night) == []
    assert opened(daily(0, 90), "America/New_York", *night) == [(utc(2026, 11, 1, 4), utc(2026, 11, 1, 5, 30))]
    assert opened(daily(75, 240), "America/New_York", *night) == [(utc(2026, 11, 1, 6, 15), utc(2026, 11, 1, 9))]
    # A window around it is an hour longer, also one that starts with it.
    assert opened(daily(60, 180), "America/New_York", *night) == [(utc(2026, 11, 1, 5), utc(2026, 11, 1, 8))]
    assert opened(daily(30, 180), "America/New_York", *night) == [(utc(2026, 11, 1, 4, 30), utc(2026, 11, 1, 8))]


def test_a_day_that_a_country_skipped_has_no_hours():
    fridays = hours((4, 540, 1020))
    # Samoa went from Thursday 29 to Saturday 31 December 2011.
    assert next_open(fridays, {"Pacific/Apia"}, utc(2011, 12, 29)) == utc(2012, 1, 5, 19)
    thursdays = hours((3, 540, 1440))
    assert next_change(thursdays, {"Pacific/Apia"}, utc(2011, 12, 29, 20)) == utc(2011, 12, 30, 10)


def test_a_day_without_a_midnight_starts_when_it_starts():
    # Beirut, 29 March 2026: 00:00 becomes 01:00.
    sundays = hours((6, 0, 600))
    assert next_open(sundays, {"Asia/Beirut"}, utc(2026, 3, 28)) == utc(2026, 3, 28, 22)
    assert opened(hours((6, 0, 45)), "Asia/Beirut", utc(2026, 3, 28), utc(2026, 3, 30)) == []
    around = hours((5, 0, 1440), (6, 0, 1440))
    assert opened(around, "Asia/Beirut", utc(2026, 3, 27), utc(2026, 3, 30)) == [
        (utc(2026, 3, 27, 22), utc(2026, 3, 29, 21))
    ]


def test_lord_howe_moves_by_half_an_hour():
    before, after = utc(2026, 4, 3, 21, 59), utc(2026, 4, 5, 22, 29)  # +11:00, then +10:30
    assert not is_open(NINE_TO_SIX, "Australia/Lord_Howe", before)
    assert is_open(NINE_TO_SIX, "Australia/Lord_Howe", before + MINUTE)
    assert not is_open(NINE_TO_SIX, "Australia/Lord_Howe", after)
    assert is_open(NINE_TO_SIX, "Australia/Lord_Howe", after + MINUTE)


# -- the value -------------------------------------------------------------------------------------------------------


@given(any_hours)
def test_windows_are_sorted_and_apart(of):
    for a, b in itertools.pairwise(of.windows):
        assert (a.day, a.end_minute) < (b.day, b.start_minute)


def test_hours_that_say_the_same_are_the_same():
    parts = hours((0, 540, 720), (0, 700, 800), (0, 800, 1080), (1, 0, 10))
    whole = hours((1, 0, 10), (0, 540, 1080))
    assert parts == whole
    assert hash(parts) == hash(whole)
    assert parts != hours((1, 0, 10), (0, 540, 1080), zone="Asia/Kolkata")
    assert pickle.loads(pickle.dumps(parts)) == parts


@pytest.mark.parametrize("window", [(7, 0, 10), (-1, 0, 10), (0, 10, 10), (0, 20, 10), (0, -1, 10), (0, 0, 1441)])
def test_a_window_that_no_day_contains_cannot_be_said(window):
    with pytest.raises(ValueError, match="within one day"):
        Window(*window)


def test_hours_work_without_the_machines_own_zone_files():
    program = (
        "import zoneinfo; zoneinfo.reset_tzpath(to=())\n"
        "from datetime import UTC, datetime\n"
        "from callsheet.core.hours import CallingHours, Frequency, Window, is_open\n"
        "from callsheet.core.zones import known_zone\n"
        "of = CallingHours(Frequency.weekly, 'UTC', (Window(0, 540, 1080),))\n"
        "assert known_zone('Asia/Kolkata') and is_open(of, 'Asia/Kolkata', datetime(2026, 3, 2, 4, tzinfo=UTC))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# -- the wire --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("9:00 AM", 540),
        ("09:00 AM", 540),
        ("9:00AM", 540),
        (" 9:00 am ", 540),
        ("9 AM", 540),
        ("9:00 a.m.", 540),
        ("12:00 AM", 0),
        ("12:30 AM", 30),
        ("12:00 PM", 720),
        ("6:00 PM", 1080),
        ("11:59 PM", 1439),
        ("1:05\u00a0pm", None),
    ],
)
def test_clock_times_are_read_as_people_write_them(text, minute):
    if minute is None:
        with pytest.raises(ValueError, match="9:00 AM"):
            parse_clock(text)
    else:
        assert parse_clock(text) == minute


@pytest.mark.parametrize(
    "text", ["", "9:00", "18:00", "13:00 PM", "0:30 AM", "9:60 AM", "9.00 AM", "AM", "9:0 AM", "noon"]
)
def test_a_time_that_could_mean_two_is_refused(text):
    with pytest.raises(ValueError, match="9:00 AM"):
        parse_clock(text)


@given(st.integers(0, 1439))
def test_every_minute_of_the_day_can_be_written(minute):
    noon = EPOCH + minute * MINUTE
    assert parse_clock(noon.strftime("%I:%M %p")) == minute
    assert parse_clock(noon.strftime("%I:%M%p").lower().lstrip("0")) == minute


def document(*days, frequency="WEEKLY", timezone="Asia/Kolkata"):
    return {
        "frequency": frequency,
        "timezone": timezone,
        "days": [dict(zip(("day", "start", "end"), d, strict=False)) for d in days],
    }


def wrong_fields(value) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse_hours(value, "callingHours")
    return {error.path.removeprefix("callingHours").removeprefix("."): error.message for error in caught.value.fields}


def test_the_documented_sample_is_read():
    read = parse_hours(document(*((day, "9:00 AM", "6:00 PM") for day in ("MO", "TU", "WE", "TH", "FR"))))
    assert read == CallingHours(Frequency.weekly, "Asia/Kolkata", tuple(Window(d, 540, 1080) for d in range(5)))


def test_days_are_known_by_all_their_names():
    for names in (("MO", "SU"), ("Mon", "Sun"), ("monday", "SUNDAY"), (" mo ", "sUn")):
        read = parse_hours(document(*((day, "9:00 AM", "6:00 PM") for day in names)))
        assert [window.day for window in read.windows] == [0, 6]


def test_daily_hours_hold_on_all_seven_days_whatever_day_they_name():
    expected = tuple(Window(day, 540, 600) for day in range(7))
    assert parse_hours(document(("MO", "9:00 AM", "10:00 AM"), frequency="Daily")).windows == expected
    without_day = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "9:00 AM", "end": "10:00 AM"}]}
    assert parse_hours(without_day).windows == expected


def test_custom_hours_are_read_like_weekly_ones():
    assert parse_hours(document(("TU", "9:00 AM", "10:00 AM"), frequency="CUSTOM")).windows == (Window(1, 540, 600),)


def test_several_windows_of_a_day_are_kept_and_overlapping_ones_merged():
    read = parse_hours(
        document(("MO", "2:00 PM", "6:00 PM"), ("MO", "9:00 AM", "12:00 PM"), ("MO", "11:00 AM", "12:30 PM"))
    )
    assert read.windows == (Window(0, 540, 750), Window(0, 840, 1080))


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        ("6:00 PM", "12:00 AM", (1080, 1440)),
        ("12:00 AM", "12:00 AM", (0, 1440)),
        ("12:00 AM", "11:59 PM", (0, 1440)),
        ("9:00 AM", "11:58 PM", (540, 1438)),
        ("11:59 PM", "12:00 AM", (1439, 1440)),
    ],
)
def test_the_end_of_the_day_is_midnight_and_no_minute_is_lost_before_it(start, end, window):
    assert parse_hours(document(("MO", start, end))).windows == (Window(0, *window),)


@pytest.mark.parametrize(("start", "end"), [("9:00 AM", "9:00 AM"), ("6:00 PM", "9:00 AM"), ("10:00 PM", "6:00 AM")])
def test_an_end_that_is_not_later_is_refused_rather_than_guessed(start, end):
    assert list(wrong_fields(document(("MO", start, end)))) == ["days[0].end"]


def test_every_wrong_field_is_named_in_one_answer():
    found = wrong_fields(
        {
            "frequency": "HOURLY",
            "timezone": "Mars/Olympus",
            "days": [
                {"day": "MO", "start": "9:00", "end": "6:00 PM"},
                "TU",
                {"day": "Someday", "start": "9:00 AM", "end": 18},
                {"day": "WE", "start": "6:00 PM", "end": "9:00 AM"},
            ],
        }
    )
    assert list(found) == [
        *("frequency", "timezone", "days[0].start", "days[1]", "days[2].day", "days[2].end", "days[3].end"),
    ]
    assert all(sentence.endswith(".") for sentence in found.values())


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        (None, [""]),
        ([], [""]),
        ({}, ["frequency", "timezone", "days"]),
        (document(), ["days"]),
        ({**document(), "days": {"day": "MO"}}, ["days"]),
        (document(*[("MO", "9:00 AM", "6:00 PM")] * 201), ["days"]),
        (document(("MO",)), ["days[0].start", "days[0].end"]),
        (document((None, "9:00 AM", "6:00 PM")), ["days[0].day"]),
        (document(("MO", "9:00 AM", "6:00 PM"), timezone="IST"), ["timezone"]),
        (document(("MO", "9:00 AM", "6:00 PM"), timezone=5), ["timezone"]),
    ],
)
def test_what_is_missing_is_named(value, paths):
    assert list(wrong_fields(value)) == paths


def test_the_zone_is_kept_under_its_proper_name():
    assert parse_hours(document(("MO", "9:00 AM", "6:00 PM"), timezone="asia/kolkata")).timezone == "Asia/Kolkata"


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=9)
    | st.sampled_from(["MO", "9:00 AM", "WEEKLY", "UTC"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["frequency", "timezone", "days", "day", "start", "end"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(anything)
def test_no_document_whatever_brings_the_parser_down(value):
    with contextlib.suppress(Invalid):
        parse_hours(value)
