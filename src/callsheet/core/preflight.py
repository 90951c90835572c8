"""Preflight: what all messages of a campaign's lists come to before anybody gets one. Values in, values out.

Contacts are tallied block by block, and tallies are added up: none grows with the number of contacts, and none holds a
number or a text of anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from callsheet.core.phone import destination
from callsheet.core.pools import choose
from callsheet.core.rooms import own_buckets
from callsheet.core.run import Sender
from callsheet.core.segments import forcing_ucs, measure
from callsheet.core.template import PersonalMessage, Unrenderable

MOST_SAMPLES = 5
"""Of each thing that is found, so many contacts are named."""
MOST_CHARACTERS = 100
"""So many characters that force UCS-2 are told apart; of a text in Chinese nobody wants to see them all."""
MOST_COUNTED_SEGMENTS = 256
"""A text is at most 255 segments; all that are longer count as one size."""
_NOBODY = Sender(0, "", "", 0, None)
"""Speaks where nobody does: without limits."""
_COUNTS = frozenset({"contacts", "segments", "calls", "loads"})
"""What of a tally is no pile of contacts."""
SAYS_NOTHING = "says_nothing"
"""The call of a contact ends before anything was said."""
UNREADABLE = "unreadable_number"
"""What keeps a message from a contact whose row was damaged."""


class Person(NamedTuple):
    """A contact as the gate would find it now."""

    id: str
    number: str
    """E.164; empty where the row is damaged."""
    attributes: Mapping[str, str]
    spared: str = ""
    """Why nothing would be sent: a reason of the gate, or `filtered`; empty: nothing stands against it."""
    person: bytes = b""
    """By which a pool chooses their sender."""


@dataclass(frozen=True, slots=True)
class Pile:
    """Of how many contacts something is true, and a few of them by their ids."""

    contacts: int = 0
    samples: tuple[str, ...] = ()

    def __add__(self, other: Pile) -> Pile:
        """Put two piles together; the samples of the first stay in front."""
        return Pile(self.contacts + other.contacts, (*self.samples, *other.samples)[:MOST_SAMPLES])


Piles = Mapping[str, Pile]


@dataclass(frozen=True, slots=True)
class Tally:
    """What some contacts came to."""

    contacts: int = 0
    """So many were looked at."""
    segments: int = 0
    """So many leave, all messages together; a call counts as one."""
    calls: int = 0
    """So many contacts would be called."""
    loads: Mapping[str, int] = field(default_factory=dict)
    """So many of them each limit is asked for, by its bucket's name: of senders, of trunks, of their classes."""
    spared: Piles = field(default_factory=dict)
    """To whom nothing would be sent as of now, by reason."""
    encodings: Piles = field(default_factory=dict)
    sizes: Mapping[int, Pile] = field(default_factory=dict)
    """Messages by their number of segments."""
    characters: Piles = field(default_factory=dict)
    """Messages by each character that GSM-7 cannot write."""
    blanks: Piles = field(default_factory=dict)
    """Messages by each placeholder that has neither value nor default."""
    faults: Piles = field(default_factory=dict)
    """To whom nothing can be sent, by the code of the reason."""
    countries: Piles = field(default_factory=dict)
    """Messages by region (ISO 3166-1 alpha-2; `001`: a number of no country)."""
    kinds: Piles = field(default_factory=dict)
    """Messages by what kind of number they go to."""

    @property
    def messages(self) -> int:
        """How many messages would leave."""
        return sum(pile.contacts for pile in self.encodings.values())

    @property
    def leaving(self) -> int:
        """How many messages, or calls, there would be."""
        return self.messages + self.calls

    def __add__(self, other: Tally) -> Tally:
        """Add two tallies."""
        mine = {one.name: _added(getattr(self, one.name), getattr(other, one.name)) for one in fields(self)}
        # What comes first is told apart; the rest of a long alphabet adds nothing to what is to be done.
        return Tally(**{**mine, "characters": dict(list(mine["characters"].items())[:MOST_CHARACTERS])})


def tally(message: PersonalMessage, persons: Iterable[Person], senders: Sequence[Sender] = ()) -> Tally:
    """Render the message of each contact, and count what comes of it.

    `senders`: those that speak, with what their trunks may send; a pool has several.
    """
    piles: dict[str, dict[Any, list[str]]] = new_piles()
    speaking = {sender.no: sender for sender in senders or (_NOBODY,)}
    loads: Counter[str] = Counter()
    contacts = segments = 0
    for person in persons:
        contacts += 1
        if person.spared:
            note(piles["spared"], person.spared, person)
            continue
        text = _rendered(message, person, piles["faults"])
        if text is None:
            continue
        sender = speaking[choose(speaking, person.person)]
        measured = measure(text, sender.writing)
        segments += measured.count
        for bucket in own_buckets(sender, person.number, is_member=True):
            loads[bucket.name] += measured.count
        note(piles["sizes"], min(measured.count, MOST_COUNTED_SEGMENTS), person)
        note(piles["encodings"], measured.encoding, person)
        for character in forcing_ucs(text, sender.writing) if measured.forcing else ():
            note(piles["characters"], character, person)
        for name in message.blanks(person.attributes):
            note(piles["blanks"], name, person)
        country, kind = destination(person.number)
        note(piles["countries"], country, person)
        note(piles["kinds"], kind, person)
    return Tally(contacts, segments, loads=dict(loads), **counted(piles))


def _rendered(message: PersonalMessage, person: Person, faults: dict[Any, list[str]]) -> str | None:
    """Render a message; None where there is none, which is noted."""
    if not person.number:
        note(faults, UNREADABLE, person)
        return None
    try:
        return message.render(person.attributes, person.number)
    except Unrenderable as error:
        note(faults, error.code, person)
        return None


def new_piles() -> dict[str, dict[Any, list[str]]]:
    """Return the piles of a tally, empty: the ids of contacts by what is true of them."""
    return {one.name: {} for one in fields(Tally) if one.name not in _COUNTS}


def counted(piles: Mapping[str, Mapping[Any, Sequence[str]]]) -> Mapping[str, Any]:
    """Count piles, and keep a few ids of each."""
    return {name: {key: _piled(ids) for key, ids in found.items()} for name, found in piles.items()}


def note(found: dict[Any, list[str]], key: object, person: Person) -> None:
    """Put a contact on a pile."""
    found.setdefault(key, []).append(person.id)


def _piled(ids: Sequence[str]) -> Pile:
    return Pile(len(ids), tuple(ids[:MOST_SAMPLES]))


def _added(mine: Any, other: Any) -> Any:
    if not isinstance(mine, Mapping):
        return mine + other
    return {**mine, **{key: mine[key] + value if key in mine else value for key, value in other.items()}}


def median_segments(sizes: Mapping[int, Pile]) -> int:
    """Return how many segments the message in the middle has; 0 without any."""
    half = (sum(pile.contacts for pile in sizes.values()) + 1) // 2
    for size in sorted(sizes):
        half -= sizes[size].contacts
        if half <= 0:
            return size
    return 0
