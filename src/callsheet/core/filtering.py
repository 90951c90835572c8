"""Filters: which contacts of the lists a campaign means, by conditions on their columns.

The documented system has such filters on its screens only and does not show their form; operators and form are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from callsheet.core.names import key_of

MOST_CONDITIONS = 50
MOST_VALUES = 1000


class Operator(StrEnum):
    """What a condition asks of a column's value. Case, and blanks at the ends, never count."""

    equals = "equals"
    differs = "differs"
    contains = "contains"
    lacks = "lacks"
    """It does not contain the value."""
    starts_with = "starts_with"
    ends_with = "ends_with"
    one_of = "one_of"
    none_of = "none_of"
    blank = "blank"
    filled = "filled"
    less = "less"
    at_most = "at_most"
    more = "more"
    at_least = "at_least"


ORDERING = frozenset({Operator.less, Operator.at_most, Operator.more, Operator.at_least})
"""They compare numbers, or dates written as ISO 8601; a value that is neither fits none of them."""

WITHOUT_VALUE = frozenset({Operator.blank, Operator.filled})


class Match(StrEnum):
    """How many of the conditions must hold."""

    all = "all"
    any = "any"


@dataclass(frozen=True, slots=True)
class Condition:
    """One question about one column."""

    column: str
    operator: Operator
    values: tuple[str, ...] = ()
    """One value, or for `one_of` and `none_of` several; none for `blank` and `filled`."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which contacts are meant."""

    conditions: tuple[Condition, ...]
    match: Match = Match.all

    def accepts(self, attributes: Mapping[str, str]) -> bool:
        """Tell whether a contact with these columns is meant; a column that it lacks is blank."""
        values = {key_of(name): value for name, value in attributes.items()}
        held = (_holds(condition, values.get(key_of(condition.column), "")) for condition in self.conditions)
        return all(held) if self.match is Match.all else any(held)


def _holds(condition: Condition, value: str) -> bool:
    mine, wanted = key_of(value), [key_of(one) for one in condition.values]
    if condition.operator in ORDERING:
        return any(_compare(condition.operator, mine, one) for one in wanted)
    return _TESTS[condition.operator](mine, wanted)


_TESTS: Mapping[Operator, Callable[[str, Sequence[str]], bool]] = {
    Operator.blank: lambda mine, _: not mine,
    Operator.filled: lambda mine, _: bool(mine),
    Operator.equals: lambda mine, wanted: mine in wanted,
    Operator.one_of: lambda mine, wanted: mine in wanted,
    Operator.differs: lambda mine, wanted: mine not in wanted,
    Operator.none_of: lambda mine, wanted: mine not in wanted,
    Operator.contains: lambda mine, wanted: any(one in mine for one in wanted),
    Operator.lacks: lambda mine, wanted: all(one not in mine for one in wanted),
    Operator.starts_with: lambda mine, wanted: mine.startswith(tuple(wanted)),
    Operator.ends_with: lambda mine, wanted: mine.endswith(tuple(wanted)),
}

_COMPARISONS: Mapping[Operator, Callable[[Decimal, Decimal], bool]] = {
    Operator.less: lambda mine, theirs: mine < theirs,
    Operator.at_most: lambda mine, theirs: mine <= theirs,
    Operator.more: lambda mine, theirs: mine > theirs,
    Operator.at_least: lambda mine, theirs: mine >= theirs,
}


def _compare(operator: Operator, mine: str, theirs: str) -> bool:
    for read in (read_number, read_day):
        left, right = read(mine), read(theirs)
        if left is not None and right is not None:
            return _COMPARISONS[operator](left, right)
    return False


def read_number(text: str) -> Decimal | None:
    """Read a number as people write it into a column, `1,250.50` as well; None when it is none."""
    try:
        number = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def read_day(text: str) -> Decimal | None:
    """Read a date, or a date with a time of day, in ISO 8601 as something that can be compared; None when it is none.

    Offsets are left aside: a column holds wall time.
    """
    words = text.strip().upper()
    try:
        if len(words) == len("2026-01-31"):
            return Decimal(date.fromisoformat(words).toordinal())
        wall = datetime.fromisoformat(words).replace(tzinfo=None)
    except ValueError:
        return None
    seconds = wall.hour * 3600 + wall.minute * 60 + wall.second
    return wall.toordinal() + Decimal(seconds) / 86_400
