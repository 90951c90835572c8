import itertools
import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from callsheet.core.hours import CallingHours, Window, is_open, is_open_in_all, next_change, next_open
from wall_clock import AROUND_THE_CLOCK, MINUTE, NINE_TO_SIX, any_hours, daily, hours, utc

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
