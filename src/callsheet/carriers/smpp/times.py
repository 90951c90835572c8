"""The times of the protocol: how long the carrier shall try, and when a receipt says that it ended."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final

_LONGEST_DAYS: Final = 31
# Years with two digits or four, and seconds or none.
_WRITTEN: Final = re.compile(r"(?:20)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?")


def validity_of(left: timedelta) -> str:
    """Write how long the carrier shall try, from now on: at least a second, at most 31 days.

    Relative: it does not depend on the carrier's clock and zone.
    """
    seconds = max(1, int(left.total_seconds()))
    days, seconds = divmod(min(seconds, _LONGEST_DAYS * 86_400), 86_400)
    return f"0000{days:02}{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}000R"


def read_time(written: str, zone: tzinfo) -> datetime | None:
    """Read the date of a receipt, `YYMMDDhhmm` with or without seconds, in the carrier's zone; None: it is no date."""
    found = _WRITTEN.fullmatch(written.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(digits or 0) for digits in found.groups())
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
