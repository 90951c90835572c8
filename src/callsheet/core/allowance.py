"""Allowances: how many segments a trunk or a sender may send in a second and in a day, and to whom.

Carriers sell speed by class of destination (a network, a country), and count days in a zone of their own. All figures
are data: sources differ by year and contract.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from callsheet.core.phone import destination
from callsheet.core.zones import zone_info

UTC_ZONE = "UTC"
OF_APP = "app"
"""The name of the limit that all messages of an app share."""


@dataclass(frozen=True, slots=True)
class CarrierClass:
    """A set of destinations with limits of its own."""

    name: str
    prefixes: tuple[str, ...] = ()
    """Beginnings of numbers in E.164, such as `+1415`."""
    countries: tuple[str, ...] = ()
    """Regions (ISO 3166-1 alpha-2), as the number tells."""
    segments_per_second: float | None = None
    segments_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits of a trunk or a sender; none: no limit."""

    segments_per_second: float | None = None
    segments_per_day: int | None = None
    reset_zone: str = UTC_ZONE
    """Where a day begins: at midnight of this zone."""
    classes: tuple[CarrierClass, ...] = ()

    def class_of(self, number: str) -> CarrierClass | None:
        """Return the class of a number: of the longest prefix that fits, else of its country; none: no class."""
        if not self.classes:
            return None
        fitting = [(len(p), one) for one in self.classes for p in one.prefixes if number.startswith(p)]
        if fitting:
            return max(fitting, key=lambda fit: fit[0])[1]
        if not any(one.countries for one in self.classes):
            return None
        country, _ = destination(number)
        return next((one for one in self.classes if country in one.countries), None)


UNLIMITED = Allowance()


class Bucket(NamedTuple):
    """A limit that messages share."""

    name: str
    segments_per_second: float | None
    segments_per_day: int | None = None
    reset_zone: str = UTC_ZONE


def buckets_of(owner: str, allowance: Allowance) -> Iterator[Bucket]:
    """Return the bucket that all messages of a trunk or a sender share, if it has a limit; `owner` is its id."""
    if allowance.segments_per_second is not None or allowance.segments_per_day is not None:
        yield Bucket(owner, allowance.segments_per_second, allowance.segments_per_day, allowance.reset_zone)


def class_bucket(owner: str, allowance: Allowance, number: str) -> Bucket | None:
    """Return the bucket of a number's class, if it has one with a limit."""
    found = allowance.class_of(number)
    if found is None or (found.segments_per_second is None and found.segments_per_day is None):
        return None
    return bucket_of_class(owner, allowance, found)


def bucket_of_class(owner: str, allowance: Allowance, one: CarrierClass) -> Bucket:
    """Return the bucket that all messages to a class share."""
    return Bucket(f"{owner}/{one.name}", one.segments_per_second, one.segments_per_day, allowance.reset_zone)


def bounds_of_day(zone: str, now: datetime) -> tuple[datetime, datetime]:
    """Return when the present day of a zone began, and when the next one does (UTC). A day may have 23 or 25 hours."""
    info = zone_info(zone)
    midnight = now.astimezone(info).replace(hour=0, minute=0, second=0, microsecond=0, fold=0, tzinfo=None)
    begins, ends = ((midnight + timedelta(days=days)).replace(tzinfo=info).astimezone(UTC) for days in (0, 1))
    return begins, ends
