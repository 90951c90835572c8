import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.errors import Invalid
from callsheet.core.hours import CallingHours, Frequency, Window, parse_clock, parse_hours
from wall_clock import EPOCH, MINUTE


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
