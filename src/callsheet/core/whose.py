"""Whose a reply is: carriers write a number with its country code or without, and often do not say which."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from callsheet.core.phone import MOBILE_KINDS, BadNumber, Number, destination


@dataclass(frozen=True, slots=True)
class Readings:
    """What a number that a carrier wrote can mean."""

    possible: tuple[Number, ...] = ()
    """What the carrier's words say comes first."""
    likely: Number | None = None
    """What it means when we know none of them."""
    is_certain: bool = False
    """The carrier says that it is international, and it is."""

    @property
    def is_open(self) -> bool:
        """Tell whether it matters whom we know."""
        return len(self.possible) > 1 or (bool(self.possible) and self.likely is None)


def read_number(written: str, region: str | None, *, is_national: bool = False) -> Readings:
    """Read a number of a reply; `region` is where it would be local, `is_national` what its carrier says of it.

    With `+` or `00` in front it is international, if that is a number. Of others it is not known: many carriers leave
    the plus out, and many write what is dialed at home. "34912345678" is somebody in Brazil and somebody in Spain.
    """
    bare = written.strip()
    digits = bare.removeprefix("+").removeprefix("00")
    international = _parse(f"+{digits}", None)
    if international is not None and bare != digits:
        return Readings((international,), international, is_certain=True)
    national = _parse(digits, region) if region is not None else None
    if is_national:
        return Readings(_all(national, international), national)
    return Readings(_all(international, national), _likely(_all(national, international)))


def region_of(sender: str) -> str | None:
    """Return where one of our senders is at home, if it is a number with its country code."""
    number = _parse(sender, None) if sender.startswith("+") else None
    return number.region if number is not None else None


def whose(readings: Readings, known: Collection[Number]) -> tuple[Number, ...]:
    """Return whose reply it is: whom of those who are possible we know, or else the likely one; empty: nobody's.

    Where that are two, either may have said it. A STOP is both's, and the first is answered.
    """
    met = tuple(number for number in readings.possible if number in known)
    return met or _all(readings.likely)


def _likely(numbers: tuple[Number, ...]) -> Number | None:
    """Return the first that can write texts: nearly any 12 digits are a number on a fixed line in Germany."""
    return next((one for one in numbers if destination(one.e164)[1] in MOBILE_KINDS), next(iter(numbers), None))


def _parse(text: str, region: str | None) -> Number | None:
    try:
        return Number.parse(text, region)
    except BadNumber:
        return None


def _all(*numbers: Number | None) -> tuple[Number, ...]:
    return tuple(dict.fromkeys(number for number in numbers if number is not None))
