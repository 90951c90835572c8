"""Matching, the part that is the same on both databases: what is asked for, and what the answers amount to.

A database is asked at most three times a batch, however many receipts it has: for the ids of recent days, for those of
earlier days that are missing then, and for the attempts of persons whose receipts nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from callsheet.clock import from_micros, to_micros
from callsheet.core.attempt import INCOMPLETE, Happening, Kind, fold
from callsheet.core.ids import AttemptKey
from callsheet.core.matching import (
    MOST_PARKED,
    Candidate,
    Carried,
    Hit,
    LooseReceipt,
    Match,
    choose,
    day_of,
    earlier_days,
    is_sure,
    look_again_at,
    recent_days,
    spellings,
    tell_part,
)
from callsheet.store.protocol import Recorded

CARRIED = "app, trunk_no, day, carrier_id, run_no, person, n, at, parts, others"
"""The columns of what is remembered of an id, but for how a part stands."""
PART = "app, trunk_no, day, carrier_id, run_no, person, n"
"""The columns of its key."""
PARKED = "app, trunk_no, carrier_id, kind, person, other_ids, at, code, ref, hint, heard_at, due"
"""The columns of a receipt that waits; its number comes before them when it is read."""

TRUNK_OF_THEN = (
    "coalesce((select f.trunk_no from former_trunk f where f.app = a.app and f.sender_no = s.no and f.until > a.at"
    " order by f.until limit 1), s.trunk_no)"
)
"""The trunk that the sender `s` of an attempt `a` had when it was made."""

Where = tuple[int, int]
"""An app and a trunk of it."""


class Matched(NamedTuple):
    """What came of the receipts of a batch."""

    happenings: Sequence[Happening] = ()
    found: Sequence[Match] = ()
    parked: int = 0
    dropped: int = 0

    def counted(self, recorded: Recorded) -> Recorded:
        """Return what a batch changed, and what its receipts came to."""
        matched = tuple(one.receipt.kind for one in self.found if one.hit is not None)
        settled = tuple(one.receipt.kind for one in self.found if one.hit is None)
        return recorded._replace(matched=matched, settled=settled, parked=self.parked, dropped=self.dropped)


def carried_rows(carried: Iterable[Carried]) -> list[tuple[Any, ...]]:
    """Return the rows that remember ids."""
    rows = []
    for one in carried:
        ids, at = one.carrier_ids, to_micros(one.at)
        for carrier_id in ids:
            others = " ".join(other for other in ids if other != carrier_id)
            rows.append((one.app, one.trunk_no, day_of(one.at), carrier_id, *one.key, at, len(ids), others))
    return rows


def learned_rows(matches: Iterable[Match]) -> list[tuple[Any, ...]]:
    """Return the rows that remember the ids of receipts that were attached: what they say again is found by them."""
    return [
        (found.receipt.app, found.receipt.trunk_no, day_of(found.receipt.heard_at), found.receipt.ids[0], *found.key,
         to_micros(found.receipt.heard_at), 1, "")
        for found in matches
        if found.hit is None and found.receipt.ids
    ]  # fmt: skip


def awaited_ids(carried: Iterable[Carried]) -> set[tuple[int, int, str]]:
    """Return the ids by which receipts that wait may name what a batch brings."""
    return {
        (one.app, one.trunk_no, spelling)
        for one in carried
        for carrier_id in one.carrier_ids
        for spelling in spellings(carrier_id)
    }


def parked_rows(receipts: Iterable[LooseReceipt]) -> list[tuple[Any, ...]]:
    """Return the rows of receipts that begin to wait."""
    rows = [
        (one.app, one.trunk_no, one.ids[0] if one.ids else "", one.kind.value, one.person, " ".join(one.ids[1:]),
         to_micros(one.at), one.code, one.ref, one.hint or 0, to_micros(one.heard_at),
         to_micros(look_again_at(one.heard_at, one.heard_at, 0)))
        for one in receipts
        if not one.parked_no
    ]  # fmt: skip
    # In one order everywhere: two nodes that park the same wait for each other.
    return sorted(rows)


def within_bounds(rows: Sequence[tuple[Any, ...]], waiting: Mapping[Where, int]) -> list[tuple[Any, ...]]:
    """Return the receipts that may begin to wait, where so many of each trunk do."""
    room = {where: MOST_PARKED - count for where, count in waiting.items()}
    kept = []
    for row in rows:
        if room[row[:2]] > 0:
            room[row[:2]] -= 1
            kept.append(row)
    return kept


def read_parked(row: Sequence[Any]) -> LooseReceipt:
    """Read a receipt that waits, from its number and the columns after it."""
    no, app, trunk_no, carrier_id, kind, person, others, at, code, ref, hint, heard_at, *_ = row
    ids = (carrier_id, *others.split()) if carrier_id else ()
    return LooseReceipt(
        app, trunk_no, ids, person, Kind(kind), from_micros(at), from_micros(heard_at), code, ref, hint or None, no
    )


def taken_up(rows: Iterable[Sequence[Any]], carried: Iterable[Carried]) -> list[LooseReceipt]:
    """Return those of the receipts that wait that a batch brings the ids of."""
    brought = {(one.app, one.trunk_no, carrier_id) for one in carried for carrier_id in one.carrier_ids}
    return [
        receipt
        for receipt in map(read_parked, rows)
        if any((receipt.app, receipt.trunk_no, one) in brought for one in receipt.ids)
    ]


class Search:
    """Looks for the attempts of receipts."""

    def __init__(self, receipts: Sequence[LooseReceipt]) -> None:
        self._receipts = receipts
        self._hits: dict[tuple[int, int, str], list[Hit]] = {}
        self._candidates: dict[tuple[int, int, bytes], list[Candidate]] = {}

    def recent(self) -> dict[Where, tuple[set[int], set[str]]]:
        """Return the days and the ids to look for first, of each trunk."""
        wanted: dict[Where, tuple[set[int], set[str]]] = {}
        for receipt in self._receipts:
            days, ids = wanted.setdefault((receipt.app, receipt.trunk_no), (set(), set()))
            days.update(recent_days(receipt))
            ids.update(receipt.ids)
        return wanted

    def earlier(self) -> dict[Where, tuple[set[int], set[str]]]:
        """Return the days and the ids to look for then."""
        wanted: dict[Where, tuple[set[int], set[str]]] = {}
        for receipt in self._receipts:
            if not is_sure(receipt, self._hits_of(receipt)):
                days, ids = wanted.setdefault((receipt.app, receipt.trunk_no), (set(), set()))
                days.update(earlier_days(receipt))
                ids.update(receipt.ids)
        return wanted

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take in rows of `carried`, in the order of its columns."""
        for app, trunk_no, day, carrier_id, run_no, person, n, at, parts, others in rows:
            hit = Hit(day, carrier_id, AttemptKey(run_no, person, n), from_micros(at), parts, others.split())
            self._hits.setdefault((app, trunk_no, carrier_id), []).append(hit)

    def orphans(self) -> dict[Where, tuple[int, set[bytes]]]:
        """Return the persons whose attempts may be meant, of each trunk, and the earliest instant to look from."""
        wanted: dict[Where, tuple[int, set[bytes]]] = {}
        for receipt in self._receipts:
            if receipt.person and not is_sure(receipt, self._hits_of(receipt)):
                where = receipt.app, receipt.trunk_no
                heard_at = to_micros(receipt.heard_at)
                since, persons = wanted.get(where, (heard_at, set()))
                persons.add(receipt.person)
                wanted[where] = min(since, heard_at), persons
        return wanted

    def consider(self, where: Where, rows: Iterable[Sequence[Any]]) -> None:
        """Take in attempts through a trunk: run, person, try, when it was armed, and one of its events or None."""
        kinds: dict[AttemptKey, tuple[int, list[str]]] = {}
        for run_no, person, n, at, kind in rows:
            _, seen = kinds.setdefault(AttemptKey(run_no, person, n), (at, []))
            if kind is not None:
                seen.append(kind)
        for key, (at, seen) in kinds.items():
            candidate = Candidate(key, from_micros(at), fold(seen))
            self._candidates.setdefault((*where, key.person), []).append(candidate)

    def end(self) -> tuple[list[Match], list[LooseReceipt]]:
        """Return what was found, and the receipts of which nothing was."""
        found: list[Match] = []
        unknown: list[LooseReceipt] = []
        for receipt in self._receipts:
            place = receipt.app, receipt.trunk_no, receipt.person
            match = choose(receipt, self._hits_of(receipt), self._candidates.get(place, ()))
            if match is None:
                unknown.append(receipt)
            else:
                found.append(match)
        return found, unknown

    def _hits_of(self, receipt: LooseReceipt) -> list[Hit]:
        return [hit for one in receipt.ids for hit in self._hits.get((receipt.app, receipt.trunk_no, one), ())]


class Part(NamedTuple):
    """The key of what is remembered of an id: here of one part of a text."""

    app: int
    trunk_no: int
    day: int
    carrier_id: str
    run_no: int
    person: bytes
    n: int


def parts_of(matches: Iterable[Match]) -> set[Part]:
    """Return all parts of the texts that receipts speak of a part of."""
    return {part for found in matches if found.in_parts for part in _parts(found)}


def _parts(found: Match) -> list[Part]:
    """Return the parts of a text, the one that the receipt speaks of first."""
    hit, receipt = found.hit, found.receipt
    assert hit is not None, "who asks has looked"
    ids = (hit.carrier_id, *hit.others)
    return [Part(receipt.app, receipt.trunk_no, hit.day, carrier_id, *found.key) for carrier_id in ids]


def tell_parts(matches: Iterable[Match], states: Mapping[Part, str]) -> tuple[list[Happening], dict[Part, str]]:
    """Return what receipts say of whole messages, and the parts that stand otherwise now."""
    changed: dict[Part, str] = {}
    happenings = []
    for found in matches:
        kind: Kind | None = found.receipt.kind
        is_incomplete = False
        if found.in_parts:
            parts = _parts(found)
            known = {part.carrier_id: changed.get(part) or states.get(part, "") for part in parts}
            changed[parts[0]], kind, is_incomplete = tell_part(known, parts[0].carrier_id, found.receipt.kind)
        if kind is not None:
            happenings.append(found.happening(kind, INCOMPLETE if is_incomplete else found.receipt.code))
    return happenings, changed
