import asyncio
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.clock import EPOCH, Clock, SystemClock, from_micros, outside, to_micros

FIRST_MICROS = to_micros(datetime.min.replace(tzinfo=UTC))
LAST_MICROS = to_micros(datetime.max.replace(tzinfo=UTC))


@given(st.integers(FIRST_MICROS, LAST_MICROS))
def test_no_microsecond_is_lost_between_the_store_and_the_program(micros):
    at = from_micros(micros)

    assert at.tzinfo is UTC
    assert to_micros(at) == micros


@given(
    st.datetimes(min_value=datetime(1901, 1, 1), max_value=datetime(2199, 1, 1)),  # noqa: DTZ001 (zoned below)
    st.integers(-14 * 60, 14 * 60),
)
def test_an_instant_written_in_another_zone_is_the_same_number(wall, offset_minutes):
    zone = timezone(timedelta(minutes=offset_minutes))
    at = wall.replace(tzinfo=zone)

    assert from_micros(to_micros(at)) == at
    assert to_micros(at) == to_micros(at.astimezone(UTC))


def test_both_readings_of_the_hour_that_happens_twice_are_told_apart():
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=0)
    second = datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=1)

    assert to_micros(second) - to_micros(first) == 3_600_000_000


def test_the_epoch_is_zero_and_the_moment_before_is_minus_one():
    assert to_micros(EPOCH) == 0
    assert to_micros(EPOCH - timedelta(microseconds=1)) == -1


def test_an_instant_without_a_zone_is_refused_rather_than_guessed():
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 3, 1, 12, 0))  # noqa: DTZ001 (the mistake under test)


@pytest.mark.parametrize("micros", [FIRST_MICROS - 1, LAST_MICROS + 1, 10**30])
def test_a_number_beyond_the_calendar_is_refused_rather_than_wrapped(micros):
    with pytest.raises(OverflowError):
        from_micros(micros)


async def test_the_system_clock_is_aware_and_its_monotonic_reading_never_goes_back():
    clock: Clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0)

    assert clock.now().tzinfo is UTC
    assert clock.monotonic() >= before


async def test_declaring_outside_work_changes_nothing_on_an_ordinary_loop():
    with outside("store") as work:
        assert await asyncio.to_thread(lambda: 1) == 1
    work.back()


def test_declaring_outside_work_without_a_loop_changes_nothing():
    with outside("store"):
        pass
