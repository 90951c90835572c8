"""The times of the protocol: how long the carrier shall try."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

_LONGEST_DAYS: Final = 31


def validity_of(left: timedelta) -> str:
    """Write how long the carrier shall try, from now on: at least a second, at most 31 days.

    Relative: it does not depend on the carrier's clock and zone.
    """
    seconds = max(1, int(left.total_seconds()))
    days, seconds = divmod(min(seconds, _LONGEST_DAYS * 86_400), 86_400)
    return f"0000{days:02}{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}000R"
