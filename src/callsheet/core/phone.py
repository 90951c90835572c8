"""Phone numbers: E.164 (ITU-T), their validity, their region, and the zones in which their owners may be.

Validity and the map from prefixes to zones are those of libphonenumber (the package `phonenumbers`). Valid means that
the number lies in a range that its country has handed out, not that somebody answers it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from phonenumbers.tzdata import TIMEZONE_DATA

from callsheet.core.errors import FieldError, Invalid
from callsheet.core.zones import known_zone

BadNumberReason = Literal["not_a_number", "invalid_number", "no_region"]

_SENTENCES: Mapping[BadNumberReason, str] = MappingProxyType(
    {
        "not_a_number": "This is not a phone number.",
        "invalid_number": "No country has handed out a phone number like this one.",
        "no_region": "This is not a full international number, and no default region says where it is local.",
    }
)


class BadNumber(Invalid):
    """This is not a valid phone number."""

    code = "bad_number"

    def __init__(self, reason: BadNumberReason, path: str = "phoneNumber") -> None:
        """Say why in one word for programs and in one sentence for people; never repeat the number itself."""
        self.reason: BadNumberReason = reason
        super().__init__((FieldError(path, _SENTENCES[reason]),))


@dataclass(frozen=True, slots=True, repr=False)
class Number:
    """A valid phone number. Make one with `parse`, or from the fields of one that `parse` made."""

    e164: str
    """`+`, the country calling code and the national number, such as `+919876543210`."""
    region: str | None
    """ISO 3166-1 alpha-2, or None for a calling code that belongs to no country (satellites, `+800`)."""

    def __repr__(self) -> str:
        """Mask the number, because what is printed ends up in logs."""
        return f"Number({self.e164[:3]}…{self.e164[-2:]})"

    @classmethod
    def parse(cls, text: str, region: str | None = None) -> Number:
        """Read a number as people and programs write it; `region` is where a local number would be dialed.

        With `+` or `00` in front it is international. Otherwise the local reading in the default region wins when it
        is valid (it knows trunk prefixes, and the country code without `+` as well); else the digits are read as an
        international number without its `+`, the form in which the documented API sends contacts. So without a region
        a local number that happens to be a valid international one is taken for that: set the region of the app.

        Raises `BadNumber`. Extensions are refused: E.164 cannot hold them, and the switchboard is not the person.
        """
        digits, international = _digits(text)
        if not international and region is not None:
            local = _read_local(digits, region.upper())
            if local is not None:
                return local
        # No country's own numbers begin with 00, the prefix that the ITU recommends for international calls.
        number = _read_international(digits.removeprefix("00") if not international else digits)
        if number is None:
            raise BadNumber("invalid_number" if international or region is not None else "no_region")
        return number


def known_region(region: str) -> bool:
    """Tell whether `region` can be the default region of local numbers (ISO 3166-1 alpha-2, such as `IN`)."""
    return region in phonenumbers.SUPPORTED_REGIONS


def without_numbers(text: str) -> str:
    """Return what somebody wrote with all that may be a phone number masked: seven digits and more in a row.

    A date (2027-01-04) is none. What people put between digits does not help a number through.
    """
    return _DATE_OR_NUMBER.sub(lambda match: match[1] or "[number]", text)


# -- reading ---------------------------------------------------------------------------------------------------------

# What people put between digits. Letters are refused rather than dropped: a spreadsheet's 9.19877E+11 would be read as
# somebody else's number, and an extension cannot be reached.
_WRITTEN = re.compile(r"(?:tel:)?\s*'?[\s(]*(\+?)([\d\s()./\u2010-\u2015\u2212-]+)", re.IGNORECASE)
_BETWEEN = r"[\s()./\u00AD\u2010-\u2015\u2212\u200B-\u200F\u2060-\u2069\uFEFF-]{0,3}"
_DATE_OR_NUMBER = re.compile(rf"((?<!\d)20\d\d-[01]\d-[0-3]\d(?!\d))|[+\uFF0B]?\(?\d(?:{_BETWEEN}\d){{6,}}")
_SPREADSHEET_FLOAT = re.compile(r"[0-9]{7,15}\.0")
# Direction marks and zero-width characters that address books put around a number, and the full-width plus sign.
_INVISIBLE: dict[int, str | None] = {
    **dict.fromkeys((0x00AD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A))),
    0xFF0B: "+",
}
_LONGEST_TEXT = 60  # no sane writing of 15 digits is longer
_NEVER = re.compile("(?!)")
_CALLING_CODES = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def _digits(text: str) -> tuple[str, bool]:
    """Return the ASCII digits of a written number, and whether a `+` stood before them."""
    if text.isascii():  # nearly every text of a list that a program wrote
        if text.isdecimal():
            return text, False
        if text[:1] == "+" and text[1:].isdecimal():
            return text[1:], True
    written = text.translate(_INVISIBLE).strip()
    if _SPREADSHEET_FLOAT.fullmatch(written):
        written = written[:-2]
    match = _WRITTEN.fullmatch(written) if len(written) <= _LONGEST_TEXT else None
    digits = phonenumbers.normalize_digits_only(match[2]) if match else ""
    if match is None or not digits or _lists_two_numbers(match[2]):
        raise BadNumber("not_a_number")
    return digits, bool(match[1])


def _lists_two_numbers(written: str) -> bool:
    """Tell `030/1234567`, where the stroke ends the area code, from `1234567/68`, which would be read as a third."""
    _, stroke, last = written.rpartition("/")
    return bool(stroke) and sum(map(str.isdecimal, last)) < 5


def _read_local(digits: str, region: str) -> Number | None:
    if _only_international(digits, region):
        return None
    try:
        return _if_valid(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return None


def _only_international(digits: str, region: str) -> bool:
    """Tell when the local reading cannot be valid, or means the same: parsing would then cost a second time."""
    code, national, before = _local_plan(region)
    if national.fullmatch(digits):
        return False
    match = before.match(digits)
    if match is not None and match[0] != code:
        return False
    return not (digits.startswith(code) and before.match(digits, len(code)))


@cache
def _local_plan(region: str) -> tuple[str, re.Pattern[str], re.Pattern[str]]:
    """Return a region's calling code, what its national numbers look like, and what may be dialed before them."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return "", _NEVER, _NEVER
    code = phonenumbers.country_code_for_region(region)
    # A number of another region of the same calling code is local as well (Guam and the United States).
    plans = map(phonenumbers.PhoneMetadata.metadata_for_region, phonenumbers.region_codes_for_country_code(code))
    national = [plan.general_desc.national_number_pattern for plan in plans if plan and plan.general_desc]
    before = [metadata.international_prefix, metadata.national_prefix_for_parsing]
    return str(code), _any_of(national), _any_of(before)


def _any_of(patterns: Iterable[str | None]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns if pattern) or _NEVER.pattern)


def _read_international(digits: str) -> Number | None:
    """Read a number that begins with its country calling code."""
    code = _calling_code(digits)
    if code is None or len(digits) > 17:
        return None
    national = digits[len(code) :]
    trunk_prefix = _trunk_prefix(code)
    if trunk_prefix is not None and trunk_prefix.match(national):
        # Only libphonenumber knows when a trunk prefix or a carrier code has to be taken away (`+44 (0) 7911 …`).
        try:
            return _if_valid(phonenumbers.parse("+" + digits))
        except phonenumbers.NumberParseException:
            return None
    # Without one, parsing is only cutting, and doing it here spares half of the time of an import.
    return _if_valid(_parsed(code, national)) if len(national) > 1 else None


def _if_valid(parsed: phonenumbers.PhoneNumber) -> Number | None:
    # Together the same as is_valid_number, which would search the region of a shared calling code once more.
    region = phonenumbers.region_code_for_number(parsed)
    if region is None or not phonenumbers.is_valid_number_for_region(parsed, region):
        return None
    e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    return Number(e164, None if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else region)


def _calling_code(digits: str) -> str | None:
    """Return the country calling code at the beginning; no code is the beginning of another one (ITU-T E.164)."""
    return next((digits[:length] for length in (1, 2, 3) if digits[:length] in _CALLING_CODES), None)


@cache
def _trunk_prefix(code: str) -> re.Pattern[str] | None:
    """Return what may stand before a national number of this calling code and does not belong to it."""
    main_region = phonenumbers.region_code_for_country_code(int(code))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), main_region)
    pattern = metadata.national_prefix_for_parsing if metadata is not None else None
    return re.compile(pattern) if pattern else None


def _parsed(code: str, national: str) -> phonenumbers.PhoneNumber:
    """Make libphonenumber's object of the two parts; zeros at the beginning belong to the number (Italy)."""
    if national[0] != "0":
        return phonenumbers.PhoneNumber(country_code=int(code), national_number=int(national))
    zeros = min(len(national) - len(national.lstrip("0")), len(national) - 1)
    return phonenumbers.PhoneNumber(
        country_code=int(code),
        national_number=int(national),
        italian_leading_zero=True,
        number_of_leading_zeros=None if zeros == 1 else zeros,
    )


# -- where its owner may be ------------------------------------------------------------------------------------------

_LONGEST_PREFIX = max(map(len, TIMEZONE_DATA))
_NORTH_AMERICA = "1"

# Old spellings, and places that have kept a neighbour's time for as long as numbers matter, under one name: so numbers
# share their group and most countries need no second look.
_NAMES_OF_TODAY: Mapping[str, str] = MappingProxyType(
    {
        "Africa/Asmera": "Africa/Asmara",
        "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
        "America/Godthab": "America/Nuuk",
        "Arctic/Longyearbyen": "Europe/Oslo",
        "Asia/Calcutta": "Asia/Kolkata",
        "Asia/Choibalsan": "Asia/Ulaanbaatar",
        "Asia/Katmandu": "Asia/Kathmandu",
        "Asia/Rangoon": "Asia/Yangon",
        "Atlantic/Faeroe": "Atlantic/Faroe",
        "Europe/Guernsey": "Europe/London",
        "Europe/Isle_of_Man": "Europe/London",
        "Europe/Jersey": "Europe/London",
        "Europe/Mariehamn": "Europe/Helsinki",
        "Europe/Vatican": "Europe/Rome",
        "Pacific/Enderbury": "Pacific/Kanton",
        "Pacific/Ponape": "Pacific/Pohnpei",
        "Pacific/Truk": "Pacific/Chuuk",
    }
)

# Where libphonenumber names a zone of another country whose clocks agreed once and do not now (Algeria is not on the
# summer time of Paris), or leaves a part of the country out. Compared with zone.tab of the tz database 2026.
_CORRECTIONS: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("211", "Africa/Nairobi"): ("Africa/Juba",),
        ("212", "Atlantic/Canary"): ("Africa/Casablanca", "Africa/El_Aaiun"),
        ("213", "Europe/Paris"): ("Africa/Algiers",),
        ("218", "Europe/Bucharest"): ("Africa/Tripoli",),
        ("505", "America/Chicago"): ("America/Managua",),
        ("52", "America/New_York"): ("America/Cancun",),
        ("56", "America/Santiago"): (
            "America/Coyhaique",
            "America/Punta_Arenas",
            "America/Santiago",
            "Pacific/Easter",
        ),
        ("61", "Australia/Adelaide"): ("Australia/Adelaide", "Australia/Darwin"),
        ("675", "Pacific/Port_Moresby"): ("Pacific/Bougainville", "Pacific/Port_Moresby"),
        ("7", "Europe/Bucharest"): ("Europe/Kaliningrad",),
        ("970", "Europe/Bucharest"): ("Asia/Gaza", "Asia/Hebron"),
    }
)
_OWN_PART: Mapping[str, str] = MappingProxyType({"KZ": "77"})  # of a calling code that two large countries share


def candidate_zones(number: Number) -> frozenset[str]:
    """Return the zones in which the owner of the number may be; empty when nothing is known (satellite phones).

    A prefix names the zones of a place, not of a person, so it narrows the country's zones only where it is tied to a
    place: fixed lines, and mobiles in countries that number them by area. In North America a mobile cannot be told
    from a fixed line, so all zones of the area code count (850 is Florida in Eastern and in Central time), and all of
    North America for toll-free numbers. Source: libphonenumber's map of prefixes, corrected; 47 CFR 64.1200 and
    12 CFR 1006.14 want the time at the called party's location, so contact is allowed only when all zones are open.
    """
    digits = number.e164[1:]
    if digits[0] == _NORTH_AMERICA:
        return _zones_of_area_code(digits[:4])
    code = _calling_code(digits)
    if code is None:
        return frozenset()
    whole = _zones_below(_OWN_PART.get(number.region or "", code), code)
    if len(whole) < 2 or not _tied_to_a_place(code, digits[len(code) :]):
        return whole
    return _zones_of_longest_prefix(code, digits[:_LONGEST_PREFIX]) or whole


def _tied_to_a_place(code: str, national: str) -> bool:
    kind = phonenumbers.number_type(_parsed(code, national))
    if kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE):
        return phonenumbers.is_number_type_geographical(PhoneNumberType.MOBILE, int(code))
    return bool(kind == PhoneNumberType.FIXED_LINE)


@lru_cache(maxsize=1024)
def _zones_of_area_code(prefix: str) -> frozenset[str]:
    return _zones_below(prefix, _NORTH_AMERICA) or _zones_below(_NORTH_AMERICA, _NORTH_AMERICA)


def _zones_of_longest_prefix(code: str, digits: str) -> frozenset[str]:
    for length in range(len(digits), 0, -1):
        if digits[:length] in TIMEZONE_DATA:
            return _zones_at(digits[:length], code)
    return frozenset()


@lru_cache(maxsize=2048)
def _zones_below(prefix: str, code: str) -> frozenset[str]:
    """Return all zones of all prefixes that begin with `prefix`."""
    return frozenset().union(*(_zones_at(longer, code) for longer in TIMEZONE_DATA if longer.startswith(prefix)))


@lru_cache(maxsize=len(TIMEZONE_DATA))
def _zones_at(prefix: str, code: str) -> frozenset[str]:
    """Return the zones that the map names for exactly this prefix, corrected."""
    corrected = (
        _CORRECTIONS.get((code, named), (_NAMES_OF_TODAY.get(named, named),)) for named in TIMEZONE_DATA[prefix]
    )
    return frozenset(zone for zones in corrected for zone in zones if known_zone(zone))


# -- what kind of number it is ---------------------------------------------------------------------------------------

NO_COUNTRY = phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
"""Stands where a region may: the number belongs to no country."""

_KINDS: Mapping[int, str] = MappingProxyType(
    {
        PhoneNumberType.MOBILE: "mobile",
        PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile_or_fixed",
        PhoneNumberType.FIXED_LINE: "fixed",
        PhoneNumberType.TOLL_FREE: "toll_free",
        PhoneNumberType.PREMIUM_RATE: "premium",
        PhoneNumberType.SHARED_COST: "shared_cost",
        PhoneNumberType.VOIP: "voip",
        PhoneNumberType.PERSONAL_NUMBER: "personal",
        PhoneNumberType.PAGER: "pager",
    }
)
_LONGEST_SHORT = 6
"""No emergency number is longer."""
MOBILE_KINDS = frozenset({"mobile", "mobile_or_fixed"})
"""Numbers that a text may reach: where a country does not tell the two apart, both are meant."""


def destination(e164: str) -> tuple[str, str]:
    """Return the region of a number and its kind, as far as its country's plan tells; `other` where it does not."""
    digits = e164[1:]
    code = _calling_code(digits)
    if code is None or len(digits) == len(code):
        return NO_COUNTRY, "other"
    number = _parsed(code, digits[len(code) :])
    region = phonenumbers.region_code_for_number(number)
    return region or NO_COUNTRY, _KINDS.get(phonenumbers.number_type(number), "other")


def is_emergency(text: str, region: str | None) -> bool:
    """Tell whether what is dialed reaches an emergency service, in a region or, without one, anywhere."""
    digits = re.sub(r"[^0-9]", "", text)
    if not 0 < len(digits) <= _LONGEST_SHORT:
        return False
    regions = (region.upper(),) if region else phonenumbers.SUPPORTED_SHORT_REGIONS
    return any(phonenumbers.connects_to_emergency_number(digits, one) for one in regions)
