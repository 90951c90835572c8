from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.gate import (
    GOOD_FOR,
    SEND,
    Cap,
    Facts,
    Reason,
    Suppress,
    Wait,
    capped_until,
    judge,
    judge_hours,
    zones_of_group,
)
from callsheet.core.hours import CallingHours, Frequency, Window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OFFICE = CallingHours(Frequency.daily, "UTC", tuple(Window(day, 9 * 60, 18 * 60) for day in range(7)))
UTC_ONLY = frozenset(("UTC",))


def test_prohibitions_come_before_waiting() -> None:
    later = NOON + timedelta(hours=1)
    assert judge(Facts(on_dnc=True, opted_out=True, capped_until=later), NOON) == Suppress(Reason.dnc)
    assert judge(Facts(on_dnc=False, opted_out=True, capped_until=later), NOON) == Suppress(Reason.opted_out)
    assert judge(Facts(on_dnc=False, opted_out=False, capped_until=later), NOON) == Wait(later, Reason.cap)
    assert judge(Facts(on_dnc=False, opted_out=False), NOON) == SEND


def test_nobody_is_armed_in_the_last_moments_of_a_window() -> None:
    closes = NOON.replace(hour=18)
    assert judge_hours(OFFICE, UTC_ONLY, closes - GOOD_FOR - timedelta(seconds=1), skip_outside=False) == SEND
    tomorrow = closes.replace(hour=9) + timedelta(days=1)
    for before in (GOOD_FOR, timedelta(seconds=1), timedelta(0)):
        verdict = judge_hours(OFFICE, UTC_ONLY, closes - before, skip_outside=False)
        assert verdict == Wait(tomorrow, Reason.outside_hours)


def test_every_zone_of_the_set_has_to_be_open() -> None:
    both = frozenset(("America/New_York", "America/Los_Angeles"))
    verdict = judge_hours(OFFICE, both, NOON, skip_outside=False)
    assert verdict == Wait(NOON.replace(hour=17), Reason.outside_hours)
    assert judge_hours(OFFICE, both, NOON, skip_outside=True) == Suppress(Reason.outside_hours)


def test_a_set_that_no_hour_fits_is_suppressed() -> None:
    apart = frozenset(("Pacific/Auckland", "Europe/London"))
    narrow = CallingHours(Frequency.daily, "UTC", (Window(0, 9 * 60, 10 * 60),))
    assert judge_hours(narrow, apart, NOON, skip_outside=False) == Suppress(Reason.no_common_hour)


@given(ages=st.lists(st.integers(0, 23 * 3600), max_size=8), attempts=st.integers(1, 5))
def test_a_cap_opens_when_the_window_has_room_again(ages: list[int], attempts: int) -> None:
    cap = Cap(attempts, 24)
    recent = [NOON - timedelta(seconds=age) for age in ages]
    until = capped_until(cap, recent)
    if len(recent) < attempts:
        assert until is None
    else:
        assert until is not None
        inside = [at for at in recent if at > until - timedelta(hours=24)]
        assert len(inside) < attempts


def test_the_contacts_own_zone_comes_first() -> None:
    number = frozenset(("Asia/Kolkata",))
    assert zones_of_group("Europe/Paris", number, "UTC", by_number=True) == {"Europe/Paris"}
    assert zones_of_group(None, number, "UTC", by_number=True) == number
    assert zones_of_group(None, number, "UTC", by_number=False) == UTC_ONLY
    assert zones_of_group(None, frozenset(), "UTC", by_number=True) == UTC_ONLY
