import importlib.resources
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.phone import BadNumber, Number, candidate_zones, known_region, without_numbers
from callsheet.core.zones import known_zone, zone_named
from phone_numbers import RANGES, numbers

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CALLING_CODES = sorted(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def parsed(text: str, region: str | None = None) -> str:
    try:
        return Number.parse(text, region).e164
    except BadNumber as error:
        return error.reason


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("+919876543210", None, "+919876543210"),
        ("919876543210", None, "+919876543210"),  # as the documented API sends contacts
        ("919876543210", "IN", "+919876543210"),
        ("919876543210", "US", "+919876543210"),
        ("9876543210", "IN", "+919876543210"),
        ("09876543210", "in", "+919876543210"),
        ("0091 98765 43210", None, "+919876543210"),
        ("0091 98765 43210", "US", "+919876543210"),
        ("0011 91 98765 43210", "AU", "+919876543210"),  # how Australia dials abroad
        ("011 91 98765 43210", "US", "+919876543210"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("1-202-555-0123", "US", "+12025550123"),
        ("12025550123", None, "+12025550123"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("(+44) 20 7946 0958", "US", "+442079460958"),
        ("4402079460958", None, "+442079460958"),
        ("tel:+44-20-7946-0958", None, "+442079460958"),
        ("'+442079460958", None, "+442079460958"),  # a spreadsheet's mark for text
        ("442079460958.0", None, "+442079460958"),  # a spreadsheet's idea of a number
        ("+1\u2013202\u2013555\u20130123", None, "+12025550123"),
        ("\u202a+1 202 555 0123\u202c", None, "+12025550123"),  # copied from an address book
        ("\ufeff12025550123\u00a0", None, "+12025550123"),
        ("\uff0b\uff11\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff12\uff13", None, "+12025550123"),
        ("\u0669\u0668\u0667\u0666\u0665\u0664\u0663\u0662\u0661\u0660", "IN", "+919876543210"),
        ("06 1234 5678", "IT", "+390612345678"),  # the zero belongs to the number
        ("+390612345678", None, "+390612345678"),
        ("030/12345657", "DE", "+493012345657"),
        ("2392221536", "GU", "+12392221536"),  # local in a shared calling code, not São Tomé
        ("+80012345678", None, "+80012345678"),
    ],
)
def test_people_write_numbers_in_many_ways(text, region, expected):
    assert parsed(text, region) == expected


@pytest.mark.parametrize(
    ("text", "region", "reason"),
    [
        ("", "US", "not_a_number"),
        ("   ", "US", "not_a_number"),
        ("+", "US", "not_a_number"),
        ("unknown", "US", "not_a_number"),
        ("1800FLOWERS", "US", "not_a_number"),
        ("+1 202 555 0123 x5", "US", "not_a_number"),
        ("9.19877E+11", "NO", "not_a_number"),  # read digit by digit it would be a stranger in Oslo
        ("030 1234 56/57", "DE", "not_a_number"),
        ("+1 202 555 0123, +1 202 555 0124", "US", "not_a_number"),
        ("1" * 5000, "US", "invalid_number"),
        ("9 " * 5000, "US", "not_a_number"),
        ("+12025550123+", "US", "not_a_number"),
        ("+447700900123", None, "invalid_number"),  # Ofcom's numbers for drama are in no range
        ("+15550100001", None, "invalid_number"),
        ("123", "US", "invalid_number"),
        ("+00000000000", "US", "invalid_number"),
        ("00", "US", "invalid_number"),
        ("000000000000000000", None, "no_region"),
        ("2025550123", None, "no_region"),
        ("2025550123", "XX", "invalid_number"),
        ("123", None, "no_region"),
    ],
)
def test_what_is_no_valid_number_is_refused_with_a_reason(text, region, reason):
    assert parsed(text, region) == reason


def test_the_local_reading_wins_over_a_valid_international_one():
    # 659 is in Alabama, +65 is Singapore.
    assert parsed("6592345678", None) == "+6592345678"
    assert parsed("6592345678", "SG") == "+6592345678"
    assert parsed("6592345678", "US") == "+16592345678"


def test_an_error_never_repeats_the_number():
    for text, region in (("+4477009001", None), ("2025550123", None), ("call 2025550123", "US")):
        with pytest.raises(BadNumber) as caught:
            Number.parse(text, region)
        assert not any(character.isdigit() for character in str(caught.value))
    assert "2025550" not in repr(Number.parse("+12025550123"))
    assert "2025550" not in f"{Number.parse('+12025550123')}"


def test_only_codes_of_countries_are_default_regions():
    assert known_region("IN")
    assert not known_region("in")
    assert not known_region("XX")
    assert not known_region("001")


def by_the_book(digits: str, region: str | None) -> tuple[str, str | None] | None:
    """The same reading with nothing but libphonenumber's front door."""
    attempts = [(digits, region)] if region is not None else []
    for text, where in (*attempts, ("+" + digits.removeprefix("00"), None)):
        try:
            number = phonenumbers.parse(text, where)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            found = phonenumbers.region_code_for_number(number)
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            return e164, None if found == "001" else found
    return None


def dial(rng: Random) -> tuple[str, str | None]:
    """Return digits that are nearly somebody's number: real examples with a few digits and prefixes changed."""
    home = rng.choice(REGIONS)
    style = rng.choice([phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.E164])
    written = phonenumbers.format_number(phonenumbers.example_number(home), style)
    digits = "".join(filter(str.isdecimal, written))
    kept = rng.randint(0, len(digits))
    tail = "".join(rng.choices("0123456789", k=rng.randint(0, 13 - min(kept, 13))))
    prefix = rng.choice(["", "", "", "0", "00", "1", "011", "8", *CALLING_CODES])
    return prefix + digits[:kept] + tail, rng.choice([home, home, None, *REGIONS])


def check_against_the_book(digits: str, region: str | None) -> None:
    expected = by_the_book(digits, region)
    try:
        number = Number.parse(digits, region)
        found = (number.e164, number.region)
    except BadNumber:
        found = None
    assert found == expected


@pytest.mark.parametrize(
    ("digits", "region"), [("31001012345", "NL"), ("4400791112345", "GB"), ("2392220204", "AS"), ("883936", "AX")]
)
def test_the_shortcuts_read_what_once_was_misread_as_libphonenumber_does(digits, region):
    check_against_the_book(digits, region)


@pytest.mark.parametrize("count", [1_000, pytest.param(30_000, marks=pytest.mark.full)])
def test_the_shortcuts_read_every_number_as_libphonenumber_does(count):
    rng = Random(1)
    for _ in range(count):
        check_against_the_book(*dial(rng))


@given(st.text("+0123456789 ()-./\u200e", max_size=30), st.sampled_from([None, "US", "IN", "DE", "AR"]))
def test_what_is_read_is_valid_and_reads_as_itself(text, region):
    try:
        number = Number.parse(text, region)
    except BadNumber:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(number.e164))
    assert Number.parse(number.e164, region) == number
    assert Number.parse(number.e164) == number


@given(st.text(max_size=40), st.sampled_from([None, "US"]))
def test_no_text_whatever_brings_the_parser_down(text, region):
    assert parsed(text, region)


# -- where the owner may be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("+12125550123", "America/New_York"),
        ("+14155550123", "America/Los_Angeles"),
        ("+18505550123", "America/Chicago America/New_York"),  # Tallahassee and Pensacola share it
        ("+12705550123", "America/Chicago America/New_York"),
        ("+12085550123", "America/Boise America/Denver America/Los_Angeles"),
        ("+15415550123", "America/Denver America/Los_Angeles"),
        ("+19285550123", "America/Denver America/Phoenix"),  # the Navajo Nation changes its clocks
        ("+17875550123", "America/Puerto_Rico"),
        ("+919876543210", "Asia/Kolkata"),
        ("+447400123456", "Europe/London"),
        ("+61265080123", "Australia/Lord_Howe"),
        ("+61291234567", "Australia/Sydney"),
        ("+34911234567", "Europe/Madrid"),
        ("+34612345678", "Atlantic/Canary Europe/Madrid"),  # a Spanish mobile may live on Tenerife
        ("+5511987654321", "America/Sao_Paulo"),  # Brazil numbers its mobiles by area
        ("+529981234567", "America/Cancun"),
        ("+213551234567", "Africa/Algiers"),
        ("+212612345678", "Africa/Casablanca Africa/El_Aaiun"),
        ("+56961234567", "America/Coyhaique America/Punta_Arenas America/Santiago Pacific/Easter"),
        ("+77012345678", "Asia/Almaty Asia/Aqtobe"),
        ("+80012345678", ""),
        ("+870773111632", ""),
    ],
)
def test_a_number_may_be_in_every_zone_of_its_prefix(text, zones):
    assert candidate_zones(Number.parse(text)) == frozenset(zones.split())


def test_a_number_without_a_place_may_be_anywhere_in_its_country():
    tollfree = candidate_zones(Number.parse("+18005551234"))
    assert {"America/New_York", "Pacific/Honolulu", "Pacific/Guam"} <= tollfree
    mobile = candidate_zones(Number.parse("+61412345678"))
    assert {"Australia/Perth", "Australia/Sydney", "Australia/Darwin", "Australia/Lord_Howe"} <= mobile


def timetable(zone: str) -> tuple[timedelta, ...]:
    info = ZoneInfo(zone)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return tuple(info.utcoffset((noon + timedelta(days=day)).astimezone(info)) for day in range(0, 730, 3))


def test_no_part_of_a_country_is_left_out():
    # zone.tab names every zone of every country; a contact in one that is left out would be called at night.
    table = importlib.resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text().splitlines()
    rows = [line.split("\t") for line in table if line and not line.startswith("#")]
    left_out = set()
    for region, _, zone, *_ in rows:
        mobile = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if mobile is None or mobile.country_code in (1, 52, 55, 62, 54):  # these number mobiles by area
            continue
        e164 = phonenumbers.format_number(mobile, phonenumbers.PhoneNumberFormat.E164)
        zones = candidate_zones(Number.parse(e164))
        if timetable(zone) not in set(map(timetable, zones)):
            left_out.add(zone)
    # A weather station; disputed clocks whose country has one legal time, or whose numbers belong to another country.
    assert left_out == {"America/Danmarkshavn", "Asia/Urumqi", "Europe/Simferopol"}


def test_every_candidate_zone_is_known():
    rng = Random(2)
    for digits, region in (dial(rng) for _ in range(1_000)):
        try:
            number = Number.parse(digits, region)
        except BadNumber:
            continue
        assert all(map(known_zone, candidate_zones(number)))


# -- names of zones, and the numbers that other tests use --------------------------------------------------------------


def test_zone_names_are_forgiven_their_case_and_nothing_else():
    assert known_zone("Asia/Kolkata")
    assert not known_zone("asia/kolkata")
    assert zone_named(" asia/kolkata ") == "Asia/Kolkata"
    assert zone_named("America/New York") == "America/New_York"
    assert zone_named("UTC") == "UTC"
    for text in ("", "PST", "IST", "+05:30", "Mars/Olympus", "../etc/passwd", "Etc/Unknown", "Factory"):
        assert zone_named(text) is None
        assert not known_zone(text)


@pytest.mark.parametrize("name", RANGES)
def test_the_ranges_of_the_tests_are_valid(name):
    made = numbers(name, 300, seed=7)
    assert len(set(made)) == 300
    for text in made:
        number = Number.parse(text)
        assert (number.e164, number.region) == (text, RANGES[name].region)
        assert candidate_zones(number) == RANGES[name].zones
    assert numbers(name, 300, seed=7) == made


def test_numbers_can_be_made_to_end_as_the_sandbox_wants():
    assert all(number.endswith("9907") for number in numbers("US-Pacific", 500, ending="9907"))
    assert numbers("AU-LordHowe", 1, ending="9901") == ["+61265099901"]
    with pytest.raises(ValueError, match="no 2 such"):
        numbers("AU-LordHowe", 2, ending="9901")


@pytest.mark.parametrize(
    "written", ["+91 98765-43210", "(212) 555-0100", "919876543210", "98765\u200b\u00a043210", "555-0100"]
)
def test_a_number_in_what_somebody_wrote_is_masked_however_it_is_written(written):
    assert without_numbers(f"Call {written}, now") == "Call [number], now"


@pytest.mark.parametrize(
    "text", ["Flood of 2027-01-04", "Ticket 123456, at 10:30", "campaign st-12ab34", "2027-01-04 10:30", ""]
)
def test_what_is_no_number_stays(text):
    assert without_numbers(text) == text
