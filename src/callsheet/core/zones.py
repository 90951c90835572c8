"""Names of time zones, as the IANA tz database spells them, and what their clocks read.

bootstrap calls `zoneinfo.reset_tzpath(to=())`, so that the names and the rules come from the pinned `tzdata` wheel.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 24 * 60 * 60

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


def readings(info: ZoneInfo, wall: int) -> tuple[int, int]:
    """Return the first and the last instant at which the clocks of a zone come to read a wall time.

    `wall` is what a clock on UTC would read at that second. A wall time in a gap is reached when the gap ends.
    """
    clock = (EPOCH + timedelta(seconds=wall)).replace(tzinfo=info)
    first, last = wall - _offset(clock), wall - _offset(clock.replace(fold=1))
    if first <= last:
        return first, last
    # In a gap fold=0 reads with the offset before it and lands after the jump, fold=1 the other way round (PEP 495).
    before, jump = last, first
    while jump - before > 1:
        middle = (before + jump) // 2
        if middle + offset_at(info, middle) >= wall:
            jump = middle
        else:
            before = middle
    return jump, jump


def offset_at(info: ZoneInfo, second: int) -> int:
    """Return how many seconds the clocks of a zone are ahead of UTC, at a second since 1970."""
    return _offset((EPOCH + timedelta(seconds=second)).astimezone(info))


def _offset(clock: datetime) -> int:
    offset = clock.utcoffset()
    return offset.days * _DAY_SECONDS + offset.seconds if offset is not None else 0
