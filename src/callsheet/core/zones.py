"""Names of time zones, as the IANA tz database spells them.

bootstrap calls `zoneinfo.reset_tzpath(to=())`, so that the names and the rules come from the pinned `tzdata` wheel.
"""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# "Factory" is the database's word for "nobody has set a zone"; the others are machinery of the files.
_NOT_PLACES = frozenset({"Factory", "localtime", "posixrules"})


@cache
def _spellings() -> dict[str, str]:
    """Return every known name under its spelling in small letters."""
    return {name.lower(): name for name in available_timezones() - _NOT_PLACES}


def known_zone(name: str) -> bool:
    """Tell whether `name` is exactly a name of the tz database, such as `Asia/Kolkata`."""
    return _spellings().get(name.lower()) == name


def zone_named(text: str) -> str | None:
    """Return the zone that a person meant, or None.

    Case, blanks around the name and a blank in place of `_` are forgiven (`america/new york`), nothing else is: an
    abbreviation such as PST means several places.
    """
    return _spellings().get(text.strip().replace(" ", "_").lower())


@cache
def zone_info(name: str) -> ZoneInfo:
    """Return the rules of a known zone, kept for good.

    zoneinfo itself keeps only eight zones alive and reads the file again for every other one. Raises
    `zoneinfo.ZoneInfoNotFoundError`, a KeyError.
    """
    return ZoneInfo(name)
