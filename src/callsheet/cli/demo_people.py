"""The people of the demo: made-up contacts in four time zones, with everything that a real list brings along.

Their numbers lie in ranges that libphonenumber calls valid, so they may belong to somebody: they may meet no carrier
but the sandbox, whose handsets behave as the last four digits say.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from typing import NamedTuple
from zoneinfo import ZoneInfo

OPENS_HOUR, CLOSES_HOUR = 8, 21
"""The demo's calling hours, in the local time of each contact."""
_MARGIN = timedelta(minutes=30)
"""Nothing opens or closes while the demo runs."""

CLOSED_SHARE = 5
"""One contact in so many lives where it is night."""

ENDINGS = {
    "9901": 12,  # late receipt
    "9902": 10,  # receipt twice
    "9903": 10,  # receipt before the answer
    "9904": 40,  # undelivered
    "9905": 25,  # invalid number
    "9906": 15,  # throttled twice, then taken
    "9907": 4,  # never answered: uncertain; so few that the trunk is not taken for broken
    "9908": 6,  # accepted, and no receipt ever
    "9909": 8,  # replies STOP
    "9910": 10,  # replies 1
    "9911": 8,  # replies with a sentence
}
"""How many contacts have a number on which the sandbox's handset misbehaves."""


class Place(NamedTuple):
    """Where people live, and how their numbers begin."""

    zone: str
    prefix: str
    free_digits: int


PLACES = (
    Place("Pacific/Honolulu", "+18083", 6),
    Place("America/Los_Angeles", "+12063", 6),
    Place("America/Denver", "+15053", 6),
    Place("America/Chicago", "+13123", 6),
    Place("America/New_York", "+12123", 6),
    Place("America/Sao_Paulo", "+55119", 8),
    Place("Europe/London", "+447400", 6),
    Place("Europe/Berlin", "+49151", 8),
    Place("Asia/Dubai", "+97150", 7),
    Place("Asia/Kolkata", "+9198", 8),
    Place("Asia/Singapore", "+6581", 6),
    Place("Australia/Sydney", "+6128", 7),
)


class Around(NamedTuple):
    """Places chosen around the present moment: in three it is day, in one it is night."""

    by_day: tuple[Place, ...]
    by_night: Place


def around(now: datetime) -> Around:
    """Choose three places where the calling hours are open for a while, and one that opens later."""
    waits = {place: _until_open(place, now) for place in PLACES}
    by_day = [place for place, wait in waits.items() if wait is None]
    by_night = {place: wait for place, wait in waits.items() if wait is not None and wait > _MARGIN}
    spread = (by_day[0], by_day[len(by_day) // 2], by_day[-1])
    return Around(spread, min(by_night, key=by_night.__getitem__))


def _until_open(place: Place, now: datetime) -> timedelta | None:
    """Return how long a place stays closed; None where it is open and stays so, nothing where it is about to close."""
    local = now.astimezone(ZoneInfo(place.zone))
    opens, closes = (local.replace(hour=hour, minute=0, second=0, microsecond=0) for hour in (OPENS_HOUR, CLOSES_HOUR))
    if opens <= local < closes:
        return None if closes - local > _MARGIN else timedelta()
    return opens - local if local < opens else opens + timedelta(days=1) - local


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody made up."""

    first_name: str
    last_name: str
    number: str
    zone: str
    priority: int
    order: str


COLUMNS = ("firstName", "lastName", "phoneNumber", "timeZone", "uniqueId", "contactPriority", "order")

_FIRST_NAMES = ("Ada", "Ben", "Chloé", "Dilip", "Elif", "Femi", "Grace", "Hugo", "Inês", "Jun", "Karin", "Łucja", "")
_LAST_NAMES = ("Adeyemi", "Brown", "Costa", "Das", "Endo", "Fischer", "García", "Haddad", "Ito", "Jansen", "Kaya")


class People:
    """The people of one demo; the same seed makes the same ones."""

    def __init__(self, places: Around, seed: int, *, total: int) -> None:
        """Make `total` different people; in every fifth one's zone it is night."""
        self._rng = random.Random(seed)  # noqa: S311 (people, not secrets)
        self._taken: set[str] = set()
        night = total // CLOSED_SHARE
        self.by_night = [self._person(places.by_night) for _ in range(night)]
        endings = [ending for ending, times in ENDINGS.items() for _ in range(times)]
        days = cycle(places.by_day)
        self.odd = [self._person(next(days), ending) for ending in endings]
        self.plain = [self._person(next(days)) for _ in range(total - night - len(endings))]

    def shuffled(self) -> list[Person]:
        """Return everybody, in no order."""
        everybody = [*self.by_night, *self.odd, *self.plain]
        self._rng.shuffle(everybody)
        return everybody

    def _person(self, place: Place, ending: str | None = None) -> Person:
        number = self._number(place, ending)
        while number in self._taken:
            number = self._number(place, ending)
        self._taken.add(number)
        rng = self._rng
        priority = 10 if rng.random() < 0.02 else 0
        names = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)
        return Person(*names, number, place.zone, priority, f"A{rng.randrange(10_000):04d}")

    def _number(self, place: Place, ending: str | None) -> str:
        free = place.free_digits - len(ending or "")
        digits = f"{self._rng.randrange(10**free):0{free}d}{ending or ''}"
        if ending is None and digits[-4:-2] == "99":
            digits = f"{digits[:-4]}1{digits[-3:]}"  # only those who are asked to misbehave do
        return place.prefix + digits


def write_csv(people: Sequence[Person], *, twice: int, bad: int, plain_zone: str) -> bytes:
    """Write a list as people export it: some rows twice, some that are no contacts at all.

    Whoever lives in `plain_zone`, the campaign's own, has no time zone in the file.
    """
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for index, person in enumerate(people):
        zone = "" if person.zone == plain_zone else person.zone
        names = person.first_name, person.last_name
        rows.writerow((*names, person.number, zone, f"U{index:05d}", person.priority or "", person.order))
    for person in people[:twice]:
        names = person.first_name.upper(), person.last_name
        rows.writerow((*names, person.number, person.zone, "", "", person.order))
    rows.writerows(row for row, _ in zip(_bad_rows(), range(bad), strict=False))
    return text.getvalue().encode()


def _bad_rows() -> Iterator[tuple[str, ...]]:
    return cycle(
        (
            ("Mo", "Nobody", "", "", "", "", "A0000"),
            ("Mo", "Letters", "call me", "", "", "", "A0000"),
            ("Mo", "Short", "+1212", "", "", "", "A0000"),
            ("Mo", "Elsewhere", "+12025550123", "Mars/Olympus", "", "", "A0000"),
            ("Mo", "Eager", "+12025550124", "", "", "eleven", "A0000"),
        )
    )
