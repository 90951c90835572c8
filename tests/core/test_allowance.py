"""A number is of one class, and a day begins at its zone's midnight, also when clocks change."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.allowance import Allowance, CarrierClass, bounds_of_day, class_bucket

CLASSES = (
    CarrierClass("us", countries=("US",), segments_per_second=1),
    CarrierClass("east", prefixes=("+1212", "+1"), segments_per_second=2),
    CarrierClass("nyc", prefixes=("+12125",)),
    CarrierClass("in", countries=("IN",), segments_per_day=5),
)


def test_the_longest_prefix_counts_then_the_country():
    everything, by_country = Allowance(classes=CLASSES), Allowance(classes=CLASSES[:1])

    said = [
        one.name if (one := everything.class_of(to)) else "" for to in ("+12125550123", "+12135550123", "+919876543210")
    ]
    assert said == ["nyc", "east", "in"]
    assert by_country.class_of("+12125550123") is CLASSES[0]
    assert by_country.class_of("+14165550123") is None
    assert Allowance().class_of("+12125550123") is None
    assert class_bucket("sn-1", everything, "+12125550123") is None
    bucket = class_bucket("sn-1", everything, "+919876543210")
    assert bucket is not None
    assert (bucket.name, bucket.segments_per_day) == ("sn-1/in", 5)


@given(
    st.integers(0, 4 * 366 * 86_400).map(lambda s: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=s)),
    st.sampled_from(["UTC", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Beirut", "America/Sao_Paulo"]),
)
def test_days_follow_each_other_without_a_gap(now, zone):
    begins, ends = bounds_of_day(zone, now)

    assert begins <= now < ends
    assert timedelta(hours=22) < ends - begins < timedelta(hours=26)
    assert bounds_of_day(zone, ends)[0] == ends
    assert bounds_of_day(zone, begins) == (begins, ends)


@pytest.mark.parametrize(("month", "hours"), [(3, 23), (11, 25)])
def test_a_day_of_a_change_of_clocks_is_shorter_or_longer(month, hours):
    sunday = {3: 8, 11: 1}[month]
    begins, ends = bounds_of_day("America/New_York", datetime(2026, month, sunday, 18, tzinfo=UTC))

    assert ends - begins == timedelta(hours=hours)
