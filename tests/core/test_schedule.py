from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core import recurrence
from callsheet.core.schedule import Schedule, ends_at, faults_of, instant_of, judge, next_occurrence, preview

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
# Both hemispheres, half an hour of change, changes at midnight, at 01:00 UTC, none at all, and none any more.
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut", "Africa/Cairo",
    "America/St_Johns", "Asia/Kolkata", "UTC", "Pacific/Chatham", "Africa/Casablanca", "America/Santiago",
)  # fmt: skip


def wall(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def reads(zone: str, at: datetime) -> datetime:
    """What the clocks of a zone show, by zoneinfo alone."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)


def is_gap(zone: str, shown: datetime) -> bool:
    local = shown.replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != shown.replace(tzinfo=None)


RULES = st.one_of(
    st.integers(1, 9).map(recurrence.daily),
    st.tuples(st.integers(1, 4), st.lists(st.integers(0, 6), min_size=1, max_size=7)).map(
        lambda a: recurrence.weekly(*a)
    ),
    st.tuples(st.integers(1, 3), st.sampled_from([*range(1, 32), -1])).map(lambda a: recurrence.monthly_on_day(*a)),
    st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 3, 4, -1]), st.integers(0, 6)).map(
        lambda a: recurrence.monthly_on_weekday(*a)
    ),
    st.just("FREQ=HOURLY"),
    st.just("FREQ=DAILY;BYHOUR=0,1,2,3,23"),
)
STARTS = st.integers(0, 4 * 366 * 86_400).map(lambda seconds: wall(2024, 1, 1) + timedelta(seconds=seconds))


@given(st.sampled_from(ZONES), STARTS, RULES, st.integers(0, 500), st.integers(1, 500))
def test_every_occurrence_has_the_wall_time_of_its_rule_and_comes_once(zone, start, rule, skipped_days, lasts_days):
    schedule = Schedule(zone, start, start + DAY * lasts_days, rule)
    after = instant_of(zone, start) + DAY * skipped_days - HOUR
    found = preview(schedule, after, 60)

    assert all(a < b for a, b in pairwise([after, *found]))
    assert all(instant_of(zone, start) <= at < instant_of(zone, start + DAY * lasts_days) for at in found)
    walls = takewhile(lambda shown: shown < start + DAY * (lasts_days + 1), recurrence.walls(rule, start, start))
    expected = {shown: min(moments(zone, shown)) for shown in walls if not is_gap(zone, shown)}
    for at in found:
        shown = reads(zone, at)
        # The first time that the clocks show it; at the end of a gap they show what no rule has to have.
        assert expected.get(shown) == at or is_gap(zone, shown - timedelta(seconds=1))
    last = found[-1] if len(found) == 60 else instant_of(zone, start + DAY * lasts_days) - timedelta(seconds=1)
    assert {at for at in expected.values() if after < at <= last} <= set(found)


def moments(zone: str, shown: datetime) -> list[datetime]:
    return [shown.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)]


@pytest.mark.parametrize(
    ("zone", "shown", "expected"),
    [
        ("Europe/Berlin", wall(2027, 3, 28, 2, 30), wall(2027, 3, 28, 1)),  # a gap from 02:00 to 03:00
        ("Europe/Berlin", wall(2026, 10, 25, 2, 30), wall(2026, 10, 25, 0, 30)),  # the first of two
        ("America/New_York", wall(2027, 3, 14, 2, 15), wall(2027, 3, 14, 7)),
        ("America/New_York", wall(2026, 11, 1, 1, 15), wall(2026, 11, 1, 5, 15)),
        ("Australia/Lord_Howe", wall(2026, 10, 4, 2, 10), wall(2026, 10, 3, 15, 30)),  # a gap of half an hour
        ("Australia/Lord_Howe", wall(2027, 4, 4, 1, 45), wall(2027, 4, 3, 14, 45)),
        ("America/Havana", wall(2025, 3, 9, 0, 0), wall(2025, 3, 9, 5)),  # no midnight that day
        ("America/Havana", wall(2025, 11, 2, 0, 30), wall(2025, 11, 2, 4, 30)),
    ],
)
def test_a_gap_is_taken_at_its_end_and_a_fold_the_first_time(zone, shown, expected):
    assert instant_of(zone, shown) == expected


def test_an_hour_that_comes_twice_runs_once_and_one_that_does_not_come_is_not_made_up_twice():
    hourly = Schedule("Europe/Berlin", wall(2026, 10, 25), rule="FREQ=HOURLY")
    autumn = preview(hourly, wall(2026, 10, 24, 21, 59), 5)
    spring = preview(hourly, wall(2027, 3, 27, 22, 59), 5)

    assert [reads("Europe/Berlin", at).hour for at in autumn] == [0, 1, 2, 3, 4]
    assert [b - a for a, b in pairwise(autumn)] == [HOUR, HOUR, 2 * HOUR, HOUR]
    assert [reads("Europe/Berlin", at).hour for at in spring] == [0, 1, 3, 4, 5]


def test_until_holds_to_the_second_as_an_instant_and_to_its_end_as_a_day():
    start = wall(2027, 1, 4, 9)
    by_day = Schedule("America/New_York", start, rule="FREQ=DAILY;UNTIL=20270106")
    by_instant = Schedule("America/New_York", start, rule="FREQ=DAILY;UNTIL=20270106T140000Z")
    before = Schedule("America/New_York", start, rule="FREQ=DAILY;UNTIL=20270106T135959Z")

    assert [len(preview(one, wall(2027, 1, 1), 9)) for one in (by_day, by_instant, before)] == [3, 3, 2]


def test_an_end_starts_nothing_and_ends_what_goes_on():
    schedule = Schedule("UTC", wall(2027, 1, 4, 9), wall(2027, 1, 6, 9), recurrence.daily(1), duration_minutes=90)
    one, other = preview(schedule, wall(2027, 1, 1), 9)

    assert (one, other) == (wall(2027, 1, 4, 9), wall(2027, 1, 5, 9))
    assert ends_at(schedule, one) == wall(2027, 1, 4, 10, 30)
    assert ends_at(Schedule("UTC", one, wall(2027, 1, 4, 10)), one) == wall(2027, 1, 4, 10)
    assert ends_at(Schedule("UTC", one), one) is None


DAILY = Schedule("UTC", wall(2027, 1, 4, 9), wall(2027, 1, 9, 9), recurrence.daily(1))


@pytest.mark.parametrize(
    ("now", "start", "missed", "next_day"),
    [
        (wall(2027, 1, 4, 9), wall(2027, 1, 4, 9), 0, 5),
        (wall(2027, 1, 4, 10), wall(2027, 1, 4, 9), 0, 5),
        (wall(2027, 1, 4, 10, 0, 1), None, 1, 5),
        (wall(2027, 1, 7, 9, 30), wall(2027, 1, 7, 9), 3, 8),  # of four that were due one is started, not a burst
        (wall(2027, 1, 7, 12), None, 4, 8),
        (wall(2027, 1, 8, 9, 30), wall(2027, 1, 8, 9), 4, None),
        (wall(2027, 3, 1), None, 5, None),
    ],
)
def test_at_most_one_occurrence_is_started_and_not_too_late(now, start, missed, next_day):
    verdict = judge(DAILY, wall(2027, 1, 4, 9), now, HOUR)

    assert (verdict.start, len(verdict.missed)) == (start, missed)
    assert verdict.next_at == (wall(2027, 1, next_day, 9) if next_day else None)


def test_an_occurrence_that_has_ended_is_missed_although_it_is_not_too_late():
    schedule = Schedule("UTC", wall(2027, 1, 4, 9), duration_minutes=20)

    assert judge(schedule, wall(2027, 1, 4, 9), wall(2027, 1, 4, 9, 19), HOUR).start
    assert judge(schedule, wall(2027, 1, 4, 9), wall(2027, 1, 4, 9, 20), HOUR).start is None


NOW = wall(2027, 1, 4, 9)


@pytest.mark.parametrize(
    ("schedule", "fields"),
    [
        (Schedule("Mars/Base", NOW), ["zone"]),
        (Schedule("UTC", NOW), ["start"]),
        (Schedule("UTC", NOW + DAY, NOW + DAY), ["end"]),
        (Schedule("UTC", NOW - 2 * DAY, NOW, recurrence.daily(1)), ["end"]),
        (Schedule("UTC", wall(1999, 1, 1), wall(2200, 1, 1), "FREQ=X"), ["start", "end", "rule"]),
        (Schedule("UTC", NOW, rule="FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"), ["rule"]),
        (Schedule("UTC", NOW, rule="FREQ=HOURLY;INTERVAL=2;BYHOUR=8"), ["rule"]),
        (Schedule("UTC", NOW - 9 * DAY, rule="FREQ=DAILY;COUNT=3"), ["rule"]),
        (Schedule("UTC", NOW + DAY, lateness_minutes=0, duration_minutes=0), ["duration_minutes", "lateness_minutes"]),
        (Schedule("UTC", NOW + DAY, recurrence_precedence=True), ["duration_minutes"]),
        (Schedule("UTC", NOW + DAY, recurrence_precedence=True, duration_minutes=1441), ["duration_minutes"]),
    ],
)
def test_what_cannot_be_a_schedule_is_named_field_by_field(schedule, fields):
    assert [fault.path for fault in faults_of(schedule, NOW)] == fields


def test_a_recurrence_may_have_begun_already_and_goes_on_from_now():
    schedule = Schedule("UTC", NOW - 9 * DAY, rule=recurrence.daily(2))

    assert not faults_of(schedule, NOW)
    assert next_occurrence(schedule, NOW) == NOW + DAY
