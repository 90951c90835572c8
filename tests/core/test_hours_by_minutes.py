import zoneinfo
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.hours import is_open, is_open_in_all, next_change, next_open, open_until
from examples import drawn
from wall_clock import (
    AROUND_THE_CLOCK,
    CASES,
    DAY,
    EPOCH,
    MINUTE,
    NINE_TO_SIX,
    SAMPLE,
    any_hours,
    changes_of_clocks,
    check_by_minutes,
    daily,
    hours,
    oracle,
)

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


@pytest.mark.parametrize("zone", SAMPLE)
def test_every_minute_around_a_change_of_clocks_is_judged_by_its_wall_time(zone):
    for at in changes_of_clocks(zone, SAMPLE[zone], SAMPLE[zone]):
        for of in STANDARD_HOURS[:6]:
            check_by_minutes(zone, at, of, 200)


@drawn(60)
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
def test_an_opening_lasts_until_the_set_changes(of, zones, case, seconds):
    at = case[1] + timedelta(seconds=seconds)
    changes_at = next_change(of, zones, at) if is_open_in_all(of, zones, at) else None
    lasts_long = changes_at is None or changes_at >= at + 9 * DAY
    until = open_until(of, zones, at)
    assert until == changes_at or (until is None and (lasts_long or changes_at > at + 7 * DAY))


@given(any_hours, zone_sets, st.sampled_from(CASES), st.integers(-200_000, 200_000))
def test_a_set_is_open_when_each_of_its_zones_is(of, zones, case, seconds):
    at = case[1] + timedelta(seconds=seconds)
    assert is_open_in_all(of, zones, at) == all(is_open(of, zone, at) for zone in zones)
