from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core import recurrence
from callsheet.core.recurrence import read_rule, walls

START = datetime(2027, 1, 4, 9, tzinfo=UTC)  # a Monday


def dates(rule: str, count: int = 4, start: datetime = START) -> list[str]:
    return [wall.strftime("%Y-%m-%d") for wall in islice(walls(read_rule(rule), start, start), count)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (recurrence.daily(3), ["2027-01-04", "2027-01-07", "2027-01-10", "2027-01-13"]),
        (recurrence.weekly(2, (3, 0)), ["2027-01-04", "2027-01-07", "2027-01-18", "2027-01-21"]),
        (recurrence.monthly_on_day(1, 31), ["2027-01-31", "2027-03-31", "2027-05-31", "2027-07-31"]),
        (recurrence.monthly_on_day(1, recurrence.LAST), ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
        (recurrence.monthly_on_weekday(1, 2, 1), ["2027-01-12", "2027-02-09", "2027-03-09", "2027-04-13"]),
        (
            recurrence.monthly_on_weekday(2, recurrence.LAST, 4),
            ["2027-01-29", "2027-03-26", "2027-05-28", "2027-07-30"],
        ),
        (recurrence.yearly(1, 2, 29), ["2028-02-29", "2032-02-29", "2036-02-29", "2040-02-29"]),
        ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1", ["2027-01-04", "2027-01-11", "2027-01-18", "2027-01-25"]),
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=-1;COUNT=2", ["2027-01-08", "2027-01-15"]),
        ("FREQ=DAILY;INTERVAL=2;BYHOUR=9,12;BYSETPOS=-1", ["2027-01-04", "2027-01-06", "2027-01-08"]),
        ("rrule: freq=daily; count=2;", ["2027-01-04", "2027-01-05"]),
    ],
)
def test_each_way_to_write_a_recurrence_means_its_days(rule, expected):
    assert dates(rule, len(expected)) == expected


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("", "RFC 5545"),
        ("every monday", "RFC 5545"),
        ("FREQ=DAILY;FREQ=WEEKLY", "RFC 5545"),
        ("INTERVAL=2", "RFC 5545"),
        ("FREQ=MINUTELY", "FREQ is one of"),
        ("FREQ=SECONDLY", "FREQ is one of"),
        ("FREQ=HOURLY;BYMINUTE=0,30", "at most once an hour"),
        ("FREQ=DAILY;BYSECOND=0,30", "at most once an hour"),
        ("FREQ=DAILY;BYEASTER=1", "no part BYEASTER"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=10001", "COUNT"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "not both"),
        ("FREQ=DAILY;UNTIL=20270231", "UNTIL"),
        ("FREQ=DAILY;INTERVAL=1001", "INTERVAL"),
        ("FREQ=HOURLY;INTERVAL=25", "at most 24"),
        ("FREQ=DAILY;BYMONTHDAY=31", "needs FREQ=MONTHLY"),
        ("FREQ=DAILY;BYHOUR=9,12;BYSETPOS=3", "has 2"),
        ("FREQ=DAILY;BYHOUR=9,09;BYSETPOS=-2", "has 1"),
        ("FREQ=HOURLY;BYSETPOS=2", "has 1"),
        ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=3", "has 2"),
        ("FREQ=WEEKLY;BYDAY=2MO", "needs FREQ=MONTHLY"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "need FREQ=YEARLY"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR"),
        ("FREQ=DAILY;BYHOUR=" + ",".join(["1"] * 300), "at most 500"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_a_sentence(rule, word):
    with pytest.raises(ValueError, match=word):
        read_rule(rule)


numbers = st.integers(-400, 400)
parts = st.dictionaries(
    st.sampled_from(
        ["INTERVAL", "COUNT", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYHOUR", "BYSETPOS", "WKST"]
    ),
    st.one_of(
        st.integers(1, 30).map(str), st.lists(numbers, min_size=1, max_size=3).map(lambda n: ",".join(map(str, n)))
    ),
    max_size=3,
)


@given(st.sampled_from(list(recurrence.Frequency)), parts)
def test_a_rule_that_is_taken_yields_rising_times_at_least_an_hour_apart_or_says_what_does_not_fit(
    frequency, given_parts
):
    text = ";".join([f"FREQ={frequency}", *(f"{name}={value}" for name, value in given_parts.items())])
    try:
        rule = read_rule(text)
        found = list(islice(walls(rule, START, START), 5))
    except ValueError:
        return
    assert all((b - a).total_seconds() >= 3600 for a, b in pairwise(found))
    assert all(wall >= START for wall in found)


@given(
    st.sampled_from(
        ["FREQ=HOURLY;INTERVAL=5", "FREQ=DAILY;INTERVAL=4", "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,SU", "FREQ=DAILY"]
    ),
    st.integers(0, 2000),
)
def test_a_walk_that_begins_nearer_by_finds_the_same_times(rule, days):
    near = START.replace(year=2027 + days // 365) + (START - START.replace(day=1)) * (days % 7)
    every = islice((wall for wall in islice(walls(rule, START, START), 20_000) if wall >= near), 20)
    assert [wall for wall in islice(walls(rule, START, near), 60) if wall >= near][:20] == list(every)


days_of = st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True)
hours_of = st.lists(st.integers(0, 23), min_size=1, max_size=3, unique=True)


@given(days_of, hours_of, st.sampled_from([-2, -1, 1, 2]), st.integers(1, 3), st.integers(0, 6), st.integers(0, 900))
def test_places_in_a_week_are_counted_in_all_of_it_wherever_the_start_and_the_walk_are(
    days, hours, place, interval, first_day, near_days
):
    start, near = START + timedelta(days=2, hours=1), START + timedelta(days=near_days)
    rule = f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={','.join(recurrence.DAYS[day] for day in days)}"
    rule += f";BYHOUR={','.join(map(str, hours))};BYSETPOS={place};WKST={recurrence.DAYS[first_day]}"
    if abs(place) > len(days) * len(hours):
        return
    monday_or_so = start.replace(hour=0) - timedelta(days=(start.weekday() - first_day) % 7)
    expected = []
    for week in range(0, 250, interval):
        begins = monday_or_so + timedelta(weeks=week)
        walled = [begins + timedelta(days=(day - first_day) % 7, hours=hour) for day in days for hour in hours]
        expected.append(sorted(walled)[place - 1 if place > 0 else place])

    def between(found):
        return [wall for wall in found if wall >= max(start, near)][:20]

    assert between(islice(walls(read_rule(rule), start, near), 60)) == between(expected)
    counted = list(walls(read_rule(f"{rule};COUNT=3"), start, near))
    assert counted == [wall for wall in expected if wall >= start][:3]
