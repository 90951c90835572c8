"""Arming, the part that is the same on both databases: sift candidates by what the gate says of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from callsheet.clock import from_micros, to_micros
from callsheet.core.attempt import UNREACHED, Intent, fold
from callsheet.core.filtering import Filter
from callsheet.core.gate import (
    SEND,
    Cap,
    Facts,
    Reason,
    Send,
    Suppress,
    Verdict,
    Wait,
    capped_until,
    judge,
)
from callsheet.core.retrying import Turn, is_needless
from callsheet.core.rooms import Rooms
from callsheet.core.run import Run, judge_group_hours
from callsheet.core.walk import Chunk, Group
from callsheet.store.protocol import ArmKey
from callsheet.store.retry import Retry
from callsheet.store.rows import DAMAGE
from callsheet.store.vault import AppKey, Vault

ARMED = "armed"
"""Counter: attempts that were inserted."""
SUPPRESSED = "suppressed:"
"""Counter prefix: contacts that the gate refused, by reason."""

_TRY_BYTES = 2

_attributes = msgspec.json.Decoder(dict[str, str])


class Candidate(NamedTuple):
    """A contact that is about to be armed."""

    list_no: int
    pos: int
    group_no: int
    person: bytes
    sealed: bytes
    attributes: str | bytes
    n: int
    used: int
    """Attempts used before this one."""
    sender_no: int = 0
    """Through which sender, once that was judged; 0: the run's own."""


class Known(NamedTuple):
    """What the store found out about the candidates, inside the arming transaction."""

    on_dnc: Collection[bytes]
    opted_out: Collection[bytes]
    attempted: Collection[tuple[bytes, int]]
    """Persons and tries that this run has attempted already."""
    placed: Collection[tuple[int, int]]
    """Lists and positions of those attempts: who stands there was attempted himself, and is no duplicate."""
    capped: Mapping[bytes, datetime]
    reached: Collection[bytes] = ()
    """Persons that an earlier run reached, where this one is for those who were not."""
    needless: Collection[tuple[bytes, int]] = ()
    """Repeats whose try before was taken after all, as evidence says that came meanwhile, or that were suppressed."""
    senders: Mapping[bytes, int] = MappingProxyType({})
    """Of a pool: through which member persons were attempted last."""
    on_the_line: Collection[bytes] = ()
    """Persons to whom a call of this run goes on."""


class Sifted(NamedTuple):
    """Who is contacted, who is not and why, and who waits until when."""

    send: Sequence[Candidate]
    suppress: Sequence[tuple[Candidate, Reason]]
    wait: Sequence[tuple[Candidate, Wait]]
    counters: Counter[str]


def sift(run: Run, candidates: Sequence[Candidate], known: Known, hours: Verdict, now: datetime) -> Sifted:
    """Judge each candidate; the first row of a person counts, later ones are duplicates."""
    send: list[Candidate] = []
    suppress: list[tuple[Candidate, Reason]] = []
    wait: list[tuple[Candidate, Wait]] = []
    taken = set(known.attempted)
    # Nearly everyone is untroubled: for them a look into one set is all it costs.
    troubled = {*known.on_dnc, *known.opted_out, *known.capped, *known.reached, *known.on_the_line}
    wanted = run.definition.filter
    for candidate in _not_placed(candidates, known.placed):
        if wanted is not None and candidate.n == 1 and not _is_wanted(wanted, candidate):
            suppress.append((candidate, Reason.filtered))
            continue
        key = (candidate.person, candidate.n)
        if key in taken or key in known.needless:
            # A repeat can be queued twice: after a doubt, and after the refusal that settled it.
            if candidate.n == 1:
                suppress.append((candidate, Reason.duplicate))
            continue
        sender_no, verdict = 0, hours
        if candidate.person in troubled:
            facts = Facts(
                candidate.person in known.on_dnc,
                candidate.person in known.opted_out,
                known.capped.get(candidate.person),
                candidate.person in known.reached,
                candidate.person in known.on_the_line,
            )
            verdict = _stricter(judge(facts, now), hours)
        if run.rooms is not None and isinstance(verdict, Send):
            verdict, sender_no = _room_for(run.rooms, candidate, known, now)
        match verdict:
            case Send():
                taken.add(key)
                send.append(candidate._replace(sender_no=sender_no) if sender_no else candidate)
            case Suppress(reason):
                suppress.append((candidate, reason))
            case Wait():
                wait.append((candidate, verdict))
    return Sifted(send, suppress, wait, _counted(send, suppress))


def _counted(send: Sequence[Candidate], suppress: Sequence[tuple[Candidate, Reason]]) -> Counter[str]:
    counters = Counter({ARMED: len(send)} if send else {})
    counters.update(SUPPRESSED + reason for _, reason in suppress)
    return counters


def _room_for(rooms: Rooms, candidate: Candidate, known: Known, now: datetime) -> tuple[Verdict, int]:
    """Return whether a candidate's limits have room now, and through which sender; 0: none."""
    found = rooms.judge(candidate.person, candidate.sealed, known.senders.get(candidate.person), now)
    return (found, 0) if isinstance(found, Wait) else (SEND, found)


def _is_wanted(wanted: Filter, candidate: Candidate) -> bool:
    try:
        return wanted.accepts(_attributes.decode(candidate.attributes))
    except DAMAGE:
        return True  # it is armed, and rejected before any carrier is asked


def _not_placed(candidates: Sequence[Candidate], placed: Collection[tuple[int, int]]) -> Sequence[Candidate]:
    """Leave out who was attempted already at this very place: evidence told so of a run that came out of a backup."""
    return [c for c in candidates if c.n > 1 or (c.list_no, c.pos) not in placed] if placed else candidates


def sift_groups(run: Run, candidates: Mapping[Group, Sequence[Candidate]], known: Known, now: datetime) -> Sifted:
    """Sift candidates of several groups, each by the hours of its own; one that was queued twice counts once."""
    attempted = set(known.attempted)
    parts = []
    for group, mine in candidates.items():
        once: dict[tuple[int, int], Candidate] = {}
        for candidate in mine:
            once.setdefault((candidate.pos, candidate.n), candidate)
        hours = judge_group(run, group, now)
        part = sift(run, list(once.values()), known._replace(attempted=attempted), hours, now)
        attempted.update((candidate.person, candidate.n) for candidate in part.send)
        parts.append(part)
    return Sifted(
        list(chain.from_iterable(part.send for part in parts)),
        list(chain.from_iterable(part.suppress for part in parts)),
        list(chain.from_iterable(part.wait for part in parts)),
        sum((part.counters for part in parts), Counter()),
    )


def find_needless(
    turn: Turn, candidates: Iterable[Candidate], events: Iterable[tuple[bytes, int, str]]
) -> set[tuple[bytes, int]]:
    """Find the repeats that evidence of any earlier try has made needless; `events`: persons, tries and kinds."""
    kinds: dict[bytes, list[tuple[int, str]]] = {}
    for person, n, kind in events:
        kinds.setdefault(person, []).append((n, kind))
    return {
        (c.person, c.n)
        for c in candidates
        if is_needless(turn, fold(kind for n, kind in kinds.get(c.person, ()) if n < c.n))
    }


def find_left(chunk: Chunk, candidates: Sequence[Candidate], limit: int, *, fifo: bool) -> Chunk | None:
    """Return what is left of a chunk after its next `limit` contacts were looked at; None when it is done."""
    if len(candidates) < limit:
        return None
    last = candidates[-1].pos
    left = chunk._replace(lo=last + 1) if fifo else chunk._replace(hi=last - 1)
    return left if left.lo <= left.hi else None


def defer(wait: Sequence[tuple[Candidate, Wait]], turn: Turn) -> list[Retry]:
    """Write down when those who wait come again, in the turn that they have."""
    return [
        Retry(
            turn, to_micros(until.until), c.list_no, c.pos, c.person, c.n, c.used, c.group_no, until.reason.value
        )
        for c, until in wait
    ]  # fmt: skip


def cap_persons(cap: Cap, recent: Iterable[tuple[bytes, int]]) -> dict[bytes, datetime]:
    """Find out who had as many attempts lately as the cap allows, and until when.

    `recent` holds persons and instants (microseconds) of the attempts within the cap's hours.
    """
    instants: dict[bytes, list[datetime]] = {}
    for person, at in recent:
        instants.setdefault(person, []).append(from_micros(at))
    untils = {person: capped_until(cap, mine) for person, mine in instants.items()}
    return {person: until for person, until in untils.items() if until is not None}


def _stricter(person: Verdict, hours: Verdict) -> Verdict:
    """A prohibition goes before waiting, and the longer wait before the shorter."""
    match person, hours:
        case (Suppress(), _) | (_, Send()):
            return person
        case (Wait(until=mine), Wait(until=theirs)) if mine >= theirs:
            return person
        case _:
            return hours


def pack_members(send: Sequence[Candidate]) -> bytes:
    """Write who is in an arm, 18 bytes each, so that a reaper finds its attempts without an index."""
    return b"".join(c.person + c.n.to_bytes(_TRY_BYTES, "big") for c in send)


def unpack_members(members: bytes) -> list[tuple[bytes, int]]:
    """Read who is in an arm."""
    size = 16 + _TRY_BYTES
    return [
        (members[i : i + 16], int.from_bytes(members[i + 16 : i + size], "big")) for i in range(0, len(members), size)
    ]


def has_any(members: bytes, persons: Collection[bytes] | None) -> bool:
    """Tell whether some of these persons are in an arm; None stands for anybody."""
    return persons is None or any(person in persons for person, _ in unpack_members(members))


class Lease(NamedTuple):
    """Who arms, now, and until when: instants in microseconds."""

    key: ArmKey
    now: int
    until: int


class Outcome(NamedTuple):
    """What arming returns before numbers are opened."""

    send: Sequence[Candidate] = ()
    left: Chunk | None = None
    lost: bool = False
    closed_until: datetime | None = None
    seen: int = 0
    groups: Sequence[Group] = ()


def find_reached(events: Iterable[tuple[bytes, int, int, str | None]]) -> set[bytes]:
    """Find who was reached, or may have been: persons, runs, tries and kinds (none: nothing happened yet)."""
    kinds: dict[tuple[bytes, int, int], list[str]] = {}
    for person, run_no, n, kind in events:
        kinds.setdefault((person, run_no, n), []).extend([kind] if kind is not None else [])
    return {person for (person, _, _), mine in kinds.items() if fold(mine) not in UNREACHED}


def judge_group(run: Run, group: Group, now: datetime) -> Verdict:
    """Judge the hours of a group in a run."""
    return judge_group_hours(run.definition, run.settings, run.launch, group, now)


UNREADABLE = ""
"""The number of an intent whose sealed number, or whose columns, cannot be read."""


def open_intents(vault: Vault, key: ArmKey, send: Sequence[Candidate]) -> list[Intent]:
    """Open the numbers of what was armed."""
    app_key = vault.app(key.app)
    assert app_key is not None, "a run was armed whose app was never opened"
    open_number, decode = app_key.open_number, _attributes.decode
    app, run_no, _, arm_no = key
    try:
        opened = [(open_number(c.sealed, c.person), decode(c.attributes)) for c in send]
    except DAMAGE:
        # One damaged row must not hold up its neighbours, which are armed already.
        opened = [_open_or_not(app_key, c) for c in send]
    return [
        Intent(
            app,
            run_no,
            c.person,
            c.n,
            c.used + 1,
            c.list_no,
            c.pos,
            c.group_no,
            arm_no,
            number,
            attributes,
            c.sender_no,
        )
        for c, (number, attributes) in zip(send, opened, strict=True)
    ]


def _open_or_not(key: AppKey, candidate: Candidate) -> tuple[str, dict[str, str]]:
    try:
        return key.open_number(candidate.sealed, candidate.person), _attributes.decode(candidate.attributes)
    except DAMAGE:
        return UNREADABLE, {}
