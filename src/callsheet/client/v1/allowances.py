"""What a trunk or a sender may send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from callsheet.client.record import Record


class NewClass(TypedDict):
    """Destinations with limits of their own."""

    name: str
    prefixes: NotRequired[Sequence[str]]
    countries: NotRequired[Sequence[str]]
    segments_per_second: NotRequired[float | None]
    segments_per_day: NotRequired[int | None]


class CarrierClass(Record, frozen=True):
    """Destinations with limits of their own."""

    name: str
    prefixes: tuple[str, ...]
    countries: tuple[str, ...]
    segments_per_second: float | None
    segments_per_day: int | None
    used_today: int | None
    """Segments of the present day that are reserved; None: no `segments_per_day`."""
    left_today: int | None
