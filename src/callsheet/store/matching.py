"""Matching, the part that is the same on both databases: what is asked for, and what the answers amount to.

A database is asked at most four times a batch, however many receipts it has: for the ids of recent days, for those of
earlier days that are missing then, for the attempts of persons whose receipts nobody knows, and of those that these
settle for what the carrier answered to parts of them: again, with the attempts locked.
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
    as_receipts_write,
    choose,
    day_of,
    days_of_open_texts,
    earlier_days,
    fill,
    is_sure,
    look_again_at,
    name_of_text,
    recent_days,
    tell_part,
)
from callsheet.store.protocol import Recorded

CARRIED = "app, trunk_no, day, carrier_id, run_no, person, n, at, parts, others"
"""The columns of what is remembered of an id, but for how a part stands."""
PART = "app, trunk_no, day, carrier_id, run_no, person, n"
"""The columns of its key."""
PARKED = "app, trunk_no, carrier_id, kind, person, other_ids, at, code, ref, hint, heard_at, due"
"""The columns of a receipt that waits; its number comes before them when it is read."""

LEARN = f"on conflict ({PART}) do update set at = excluded.at, parts = excluded.parts, others = excluded.others"
"""What becomes of an id that is remembered: a late answer knows more of its text. How it stands, stays."""
OPEN_ANSWERS = "state in ('taken', 'uncertain')"
"""Answers of ours, of which a receipt may speak whose id nobody knows: they may have left."""

TRUNK_OF_THEN = (
    "coalesce((select f.trunk_no from former_trunk f where f.app = a.app and f.sender_no = s.no and f.until > a.at"
    " order by f.until limit 1), s.trunk_no)"
)
"""The trunk that the sender `s` of an attempt `a` had when it was made."""

Where = tuple[int, int]
"""An app and a trunk of it."""
Wanted = dict[Where, tuple[set[int], set[str]]]
"""Days and ids to look for, of each trunk."""


class Matched(NamedTuple):
    """What came of the receipts of a batch."""

    happenings: Sequence[Happening] = ()
    found: Sequence[Match] = ()
    parked: int = 0
    dropped: int = 0

    def counted(self, recorded: Recorded) -> Recorded:
        """Return what a batch changed, and what its receipts came to."""
        mine = [one for one in self.found if not one.is_of_answer]
        matched = tuple(one.receipt.kind for one in mine if one.hit is not None)
        settled = tuple(one.receipt.kind for one in mine if one.hit is None)
        return recorded._replace(
            matched=matched,
            settled=settled,
            parked=self.parked,
            dropped=self.dropped,
            of_answers=len(self.found) - len(mine),
        )


def carried_rows(carried: Iterable[Carried]) -> list[tuple[Any, ...]]:
    """Return the rows that remember ids, each once: the last knows most."""
    rows = {}
    for one in carried:
        ids, at = one.carrier_ids, to_micros(one.at)
        for carrier_id in (*ids, name_of_text(one.key)) if one.parts else ids:
            others = " ".join(other for other in ids if other != carrier_id)
            key = (one.app, one.trunk_no, one.day or day_of(one.at), carrier_id, *one.key)
            rows[key] = (*key, at, one.parts or len(ids), others)
    return list(rows.values())


def late_names(carried: Iterable[Carried]) -> Wanted:
    """Return the days and the ids by which a text may be remembered to which an answer comes late, of each trunk."""
    wanted: Wanted = {}
    for one in carried:
        if one.is_late:
            days, ids = wanted.setdefault((one.app, one.trunk_no), (set(), set()))
            days.update((day_of(one.at) - 1, day_of(one.at)))
            ids.update((*one.carrier_ids, name_of_text(one.key)))
    return wanted


def keep_days(carried: Iterable[Carried], rows: Iterable[Sequence[Any]]) -> list[Carried]:
    """Remember late answers under the days of such rows: a midnight may have passed, and how parts stand, stays."""
    first: dict[tuple[int, int, AttemptKey], int] = {}
    for app, trunk_no, *row in rows:
        hit = _read_hit(*row)
        where = app, trunk_no, hit.key
        first[where] = min(first.get(where, hit.day), hit.day)
    return [one._replace(day=first.get((one.app, one.trunk_no, one.key), 0)) if one.is_late else one for one in carried]


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
        for spelling in as_receipts_write(carrier_id)
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
    """Return those of the receipts that wait that a batch brings the ids of, in the order in which they were heard."""
    brought = {(one.app, one.trunk_no, carrier_id) for one in carried for carrier_id in one.carrier_ids}
    return [
        receipt
        for receipt in sorted(map(read_parked, rows), key=lambda receipt: receipt.parked_no)
        if any((receipt.app, receipt.trunk_no, one) in brought for one in receipt.ids)
    ]


class Search:
    """Looks for the attempts of receipts."""

    def __init__(self, receipts: Sequence[LooseReceipt]) -> None:
        self._receipts = receipts
        self._hits: list[list[Hit]] = [[] for _ in receipts]
        """What was found of each receipt."""
        self._named: dict[tuple[int, int, str], list[list[Hit]]] = {}
        """The same, by the ids that they name."""
        self._candidates: dict[tuple[int, int, bytes], list[Candidate]] = {}
        for receipt, hits in zip(receipts, self._hits, strict=True):
            for one in receipt.ids:
                self._named.setdefault((receipt.app, receipt.trunk_no, one), []).append(hits)

    def recent(self) -> Wanted:
        """Return the days and the ids to look for first."""
        wanted: Wanted = {}
        for receipt in self._receipts:
            days, ids = wanted.setdefault((receipt.app, receipt.trunk_no), (set(), set()))
            days.update(recent_days(receipt))
            ids.update(receipt.ids)
        return wanted

    def earlier(self) -> Wanted:
        """Return the days and the ids to look for then."""
        wanted: Wanted = {}
        for receipt, hits in zip(self._receipts, self._hits, strict=True):
            if not is_sure(receipt, hits):
                days, ids = wanted.setdefault((receipt.app, receipt.trunk_no), (set(), set()))
                days.update(earlier_days(receipt))
                ids.update(receipt.ids)
        return wanted

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take in rows of `carried`, in the order of its columns."""
        for app, trunk_no, *row in rows:
            hit = _read_hit(*row)
            for hits in self._named.get((app, trunk_no, hit.carrier_id), ()):
                hits.append(hit)

    def orphans(self) -> dict[Where, tuple[int, set[bytes]]]:
        """Return the persons whose attempts may be meant, of each trunk, and the earliest instant to look from."""
        wanted: dict[Where, tuple[int, set[bytes]]] = {}
        for receipt, hits in zip(self._receipts, self._hits, strict=True):
            if receipt.person and not is_sure(receipt, hits):
                where = receipt.app, receipt.trunk_no
                heard_at = to_micros(receipt.heard_at)
                since, persons = wanted.get(where, (heard_at, set()))
                persons.add(receipt.person)
                wanted[where] = min(since, heard_at), persons
        return wanted

    def consider(self, where: Where, rows: Iterable[Sequence[Any]]) -> None:
        """Take in attempts through a trunk: run, person, try, when it was armed, and one of its events or None.

        Answers of ours are among them.
        """
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
        for receipt, hits in zip(self._receipts, self._hits, strict=True):
            place = receipt.app, receipt.trunk_no, receipt.person
            match = choose(receipt, hits, self._candidates.get(place, ()))
            if match is None:
                unknown.append(receipt)
            else:
                found.append(match)
        return found, unknown


class Filling:
    """Fills texts to some of whose parts the carrier did not answer with the ids that orphans bring.

    What it looks at is read with the attempts locked: each of two nodes knows what the other has filled in.
    """

    def __init__(self, matches: Sequence[Match]) -> None:
        self._matches = matches
        self._hits: dict[tuple[AttemptKey, str], Hit] = {}
        self._learned: dict[AttemptKey, Carried] = {}

    def wanted(self) -> Wanted:
        """Return the days, and the ids and names, of the texts of which some ids may be missing."""
        wanted: Wanted = {}
        for match in filter(_may_lack_ids, self._matches):
            hit, receipt = match.hit, match.receipt
            days, ids = wanted.setdefault((receipt.app, receipt.trunk_no), (set(), set()))
            days.update((hit.day,) if hit is not None else days_of_open_texts(receipt))
            ids.update((name_of_text(match.key), *receipt.ids))
        return wanted

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take in rows of `carried` about them."""
        for _, _, *row in rows:
            hit = _read_hit(*row)
            self._hits[hit.key, hit.carrier_id] = hit

    def end(self) -> tuple[list[Match], list[LooseReceipt], list[Carried]]:
        """Return what was found, the receipts that are of no part of their text, and the ids to be remembered."""
        found: list[Match] = []
        unknown: list[LooseReceipt] = []
        for before in self._matches:
            match = self._look(before) if _may_lack_ids(before) else before
            if match is None:
                unknown.append(before.receipt)
            else:
                found.append(match)
        # What was found before the others were, knows them now too.
        learned = self._learned
        found = [_with_others(match, learned[match.key]) if match.key in learned else match for match in found]
        return found, unknown, list(learned.values())

    def _look(self, match: Match) -> Match | None:
        """Return the part of its text that a receipt speaks of, by what is known now; None: it has no such part."""
        key, receipt = match.key, match.receipt
        for one in (match.hit.carrier_id,) if match.hit is not None else receipt.ids:
            if (key, one) in self._hits:
                return match._replace(hit=self._hits[key, one])
        text = self._hits.get((key, name_of_text(key)))
        if match.hit is not None or text is None:
            return match
        ids = fill(text, receipt)
        if ids is None:
            return None
        self._hits[key, name_of_text(key)] = text._replace(others=ids)
        place = receipt.app, receipt.trunk_no
        self._learned[key] = Carried(*place, key, ids, text.at, text.parts, day=text.day)
        return match._replace(hit=text._replace(carrier_id=receipt.ids[0]))


def _may_lack_ids(match: Match) -> bool:
    hit = match.hit
    return not match.is_of_answer and (hit is None or len(hit.others) + 1 < hit.parts)


def _with_others(match: Match, text: Carried) -> Match:
    hit = match.hit
    assert hit is not None, "all that is attached to such a text is attached to a part of it"
    others = [one for one in text.carrier_ids if one != hit.carrier_id]
    return match._replace(hit=hit._replace(others=others))


def _read_hit(day: int, carrier_id: str, run_no: int, person: bytes, n: int, at: int, parts: int, others: str) -> Hit:
    return Hit(day, carrier_id, AttemptKey(run_no, person, n), from_micros(at), parts, others.split())


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
        if found.is_of_answer:
            continue
        kind: Kind | None = found.receipt.kind
        is_incomplete = False
        if found.hit is not None and found.in_parts:
            parts = _parts(found)
            known = {part.carrier_id: changed.get(part) or states.get(part, "") for part in parts}
            state, kind, is_incomplete = tell_part(known, parts[0].carrier_id, found.receipt.kind, found.hit.parts)
            changed[parts[0]] = state
        if kind is not None:
            happenings.append(found.happening(kind, INCOMPLETE if is_incomplete else found.receipt.code))
    return happenings, changed
