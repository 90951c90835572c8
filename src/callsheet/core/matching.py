"""Matching: whose receipt it is, where a carrier does not carry our reference.

A carrier's id of a message settles it, however it is written. A receipt whose id nobody knows waits, because the answer
that brings the id may come after it; if the answer was lost, the receipt itself is the evidence of what became of an
uncertain attempt. It is attached to one only where no other can be meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from callsheet.core.attempt import FINAL, PENDING, Happening, Kind, advance, as_said
from callsheet.core.ids import NO_RUN, AttemptKey, hint_of, reference_of
from callsheet.core.phone import BadNumber, Number

REMEMBERED_DAYS: Final = 7
"""So long the ids of carriers are kept; receipts come within 72 hours, nearly all within minutes."""
ORPHAN_SPAN: Final = timedelta(hours=72)
"""A receipt without a known id speaks of an attempt that is not older."""
PARKED_SPAN: Final = ORPHAN_SPAN + timedelta(hours=1)
"""So long a receipt waits for its attempt."""
MOST_PARKED: Final = 100_000
"""So many receipts of a trunk wait, and no more: who sends receipts of what we never sent fills no disk."""
_SKEW: Final = timedelta(minutes=1)
"""Attempts are dated by the database, receipts by the node that heard them."""
_FIRST_WAIT: Final = timedelta(seconds=1)
_LONGEST_WAIT: Final = timedelta(hours=1)
_LONGEST_NUMERAL: Final = 64
_DIGITS_OF_E164: Final = range(7, 16)


class Carried(NamedTuple):
    """The ids under which a carrier will speak of an attempt."""

    app: int
    trunk_no: int
    key: AttemptKey
    carrier_ids: Sequence[str]
    """Canonical, one for each part of the text, in their order."""
    at: datetime
    parts: int = 0
    """Not 0: so many parts it has, and the carrier gave the ids of some of them only."""
    is_late: bool = False
    """Some of them may be remembered already."""
    day: int = 0
    """The day under which they are remembered; 0: that of `at`."""


class LooseReceipt(NamedTuple):
    """A receipt that does not carry our reference."""

    app: int
    trunk_no: int
    ids: Sequence[str]
    """Canonical: the id as the receipt writes it, then as the answer may have written it."""
    person: bytes
    """Whom it speaks of; empty: it does not say."""
    kind: Kind
    at: datetime
    heard_at: datetime
    code: str = ""
    ref: str = ""
    hint: int | None = None
    parked_no: int = 0
    """Not 0: it was heard before, and waited."""


class Hit(NamedTuple):
    """An attempt that a carrier knows by an id, or the part of its text that has it."""

    day: int
    carrier_id: str
    key: AttemptKey
    at: datetime
    parts: int
    others: Sequence[str]
    """The ids of the other parts."""


class Match(NamedTuple):
    """A receipt and its attempt; without a hit it was attached to the one that it can mean."""

    receipt: LooseReceipt
    key: AttemptKey
    hit: Hit | None

    def happening(self, kind: Kind, code: str) -> Happening:
        """Say what happened to the attempt."""
        return Happening(*self.key, kind, self.receipt.at, code, self.receipt.ref)

    @property
    def in_parts(self) -> bool:
        """Tell whether it speaks of one part of a text only."""
        return self.hit is not None and self.hit.parts > 1 and not self.is_of_answer

    @property
    def is_of_answer(self) -> bool:
        """Tell whether it speaks of an answer of ours, which is no attempt: nothing comes of it."""
        return self.key.run_no == NO_RUN


class Candidate(NamedTuple):
    """An attempt of a person through a trunk, or an answer to him, and how it stands."""

    key: AttemptKey
    at: datetime
    state: str


def canonical(carrier_id: str) -> str:
    """Return how we keep a carrier's id: lower case, without leading zeros and spaces; empty: there is none."""
    said = as_said(carrier_id).lower().replace(" ", "")
    return said.lstrip("0") or said[:1]


def canonical_ids(carrier_ids: Iterable[str]) -> tuple[str, ...]:
    """Return ids as we keep them, in their order, each once."""
    kept = dict.fromkeys(map(canonical, carrier_ids))
    kept.pop("", None)
    return tuple(kept)


def name_of_text(key: AttemptKey) -> str:
    """Return what the ids of a text are remembered by when some are missing: no carrier's id has a space in it."""
    return f"parts of {reference_of(key)}"


def as_receipts_write(carrier_id: str) -> tuple[str, ...]:
    """Return how a receipt may spell an id of an answer (canonical): as it is, in decimal, in hexadecimal."""
    found = [carrier_id]
    if carrier_id.isascii() and carrier_id.isalnum() and len(carrier_id) <= _LONGEST_NUMERAL:
        if carrier_id.isdecimal():
            found.append(f"{int(carrier_id):x}")
        with suppress(ValueError):
            found.append(str(int(carrier_id, 16)))
    return tuple(dict.fromkeys(found))


def contact_number(written: str) -> str | None:
    """Return a contact's number in E.164 as a carrier writes it: with or without `+`, or with `00`."""
    digits = written.removeprefix("+").removeprefix("00")
    # Nearly all are written like this. One that no country handed out is no person's: nothing matches it.
    if digits.isascii() and digits.isdecimal() and digits[0] != "0" and len(digits) in _DIGITS_OF_E164:
        return "+" + digits
    try:
        return Number.parse(written).e164
    except BadNumber:
        return None


def day_of(at: datetime) -> int:
    """Return the day of an instant, counted from 1970 in UTC."""
    return int(at.timestamp() // 86_400)


def recent_days(receipt: LooseReceipt) -> tuple[int, ...]:
    """Return the days on which nearly every receipt's message was taken."""
    day = day_of(receipt.heard_at)
    # The answer to one that waited may have come after it, behind a midnight.
    return (day, day - 1, day + 1) if receipt.parked_no else (day, day - 1)


def earlier_days(receipt: LooseReceipt) -> tuple[int, ...]:
    """Return the other days on which its message may have been taken."""
    day = day_of(receipt.heard_at)
    return tuple(range(day - 2, day - REMEMBERED_DAYS - 1, -1))


def days_of_open_texts(receipt: LooseReceipt) -> range:
    """Return the days on which the text was answered to that a receipt without a known id may speak of."""
    day = day_of(receipt.heard_at)
    return range(day - ORPHAN_SPAN.days, day + 2)


def is_sure(receipt: LooseReceipt, hits: Collection[Hit]) -> bool:
    """Tell whether no older message can fit better."""
    return any(not receipt.person or hit.key.person == receipt.person for hit in hits)


def choose(receipt: LooseReceipt, hits: Iterable[Hit], candidates: Collection[Candidate] = ()) -> Match | None:
    """Return the attempt that a receipt means; None: it waits.

    Prefer a hit for the receipt's person, then the id exactly as written, then the latest. Never attach it to another
    person: carriers reuse ids. `candidates` are the attempts of the receipt's person; where there are none, the number
    that it names says nothing: some carriers write it their own way.
    """
    best = max(
        hits,
        key=lambda hit: (hit.key.person == receipt.person, -receipt.ids.index(hit.carrier_id), hit.at, hit.key),
        default=None,
    )
    if best is not None and receipt.person in (b"", best.key.person):
        return Match(receipt, best.key, best)
    key = attribute(receipt, candidates)
    if key is not None:
        return Match(receipt, key, None)
    # Spelled otherwise an id may be another message's. Its own answer may be on its way: it waits once.
    is_hasty = len(receipt.ids) > 1 and not receipt.parked_no
    return None if best is None or candidates or is_hasty else Match(receipt, best.key, best)


def attribute(receipt: LooseReceipt, candidates: Iterable[Candidate]) -> AttemptKey | None:
    """Return the uncertain attempt that a receipt without a known id settles, where no other can be meant.

    While an attempt is in flight its answer may come, and bring the id. So the receipt waits, unless its hint decides.
    """
    open_ones = [
        candidate
        for candidate in candidates
        if candidate.key.person == receipt.person
        and candidate.state in (PENDING, Kind.uncertain)
        and receipt.heard_at - ORPHAN_SPAN <= candidate.at <= receipt.heard_at + _SKEW
        and receipt.hint in (None, 0, hint_of(reference_of(candidate.key)))
    ]
    if len(open_ones) != 1 or open_ones[0].state != Kind.uncertain:
        return None
    return open_ones[0].key


def fill(text: Hit, receipt: LooseReceipt) -> Sequence[str] | None:
    """Return the ids of a text when an orphan is taken for a part of it; None: none is missing, or which is unknown.

    `text` is what is remembered by its name: `others` are the ids that are known.
    """
    if not receipt.ids or receipt.ids[0] in text.others:
        return text.others if receipt.ids else None
    return (*text.others, receipt.ids[0]) if len(text.others) < text.parts else None


def tell_part(states: Mapping[str, str], carrier_id: str, kind: Kind, parts: int) -> tuple[str, Kind | None, bool]:
    """Return the state of a part after what a receipt says of it, and what that says of the whole message.

    A message is delivered when every part is, and undelivered when none is any more, for then it may come again: it has
    to be known that the person has nothing of it. Or, the last value, when the person has a part of it and not all.
    `states` holds those of all parts whose ids are known; of a message that has more nothing is known before.
    """
    state = advance(states[carrier_id] or PENDING, kind)
    stand = {**states, carrier_id: state}.values()
    has_some, has_failed = Kind.delivered in stand, not {Kind.undelivered, Kind.rejected}.isdisjoint(stand)
    if has_some and has_failed:
        return state, Kind.undelivered, True
    has_ended = len(stand) >= parts and all(one in FINAL for one in stand)
    return state, kind if state == kind and has_ended else None, False


def look_again_at(heard_at: datetime, now: datetime, tries: int) -> datetime:
    """Return when to look again for the attempt of a receipt that waits, after so many looks: ever more rarely."""
    wait = min(_FIRST_WAIT * float(2 ** min(tries, 20)), _LONGEST_WAIT)
    return min(now + wait, max(now, heard_at + PARKED_SPAN))
