"""Appending, the part that is the same on both databases: who is in it already, and in which group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from callsheet.store.protocol import NewContact, NewEntry, Step

GroupKey = tuple[str, str, int]
"""What the contacts of a group share: own zone, candidate zones and priority."""


class Growth(NamedTuple):
    """How many contacts a group gains."""

    group_no: int
    key: GroupKey
    contacts: int


class Grouped(NamedTuple):
    """The number of every group of a list, and which of them grow."""

    numbers: Mapping[GroupKey, int]
    growths: Sequence[Growth]


def leave_out(contacts: Sequence[NewContact], known: Collection[bytes]) -> list[NewContact]:
    """Leave out the contacts of persons who are known, or who stand further up."""
    seen = set(known)
    fresh = []
    for contact in contacts:
        if contact.person not in seen:
            seen.add(contact.person)
            fresh.append(contact)
    return fresh


def number_groups(contacts: Sequence[NewContact], known: Mapping[GroupKey, int]) -> Grouped:
    """Number the groups of these contacts: one that the list has keeps its number, a new one gets the next."""
    numbers = dict(known)
    growths = []
    for key, count in Counter(contact[:3] for contact in contacts).items():
        number = numbers.setdefault(key, len(numbers))
        growths.append(Growth(number, key, count))
    return Grouped(numbers, growths)


def was_stored(step: Step, rows: int, block: Sequence[NewContact] | Sequence[NewEntry]) -> bool:
    """Tell whether a step is a repeat of one whose answer was lost; `rows` is how far the import has come."""
    return step.rows <= rows and bool(block or step.rejects)
