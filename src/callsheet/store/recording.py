"""Recording, the part that is the same on both databases: what a batch of happenings changes.

An event is unique by (attempt, kind), a state never moves backwards, and counters hold attempts by their present
state: so a repeated receipt, or a batch whose commit nobody heard of, changes nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from callsheet.clock import to_micros
from callsheet.core.attempt import PENDING, UNSENT, Happening, Kind, advance, fold
from callsheet.core.calling import TALKS
from callsheet.core.campaign import Channel, Status
from callsheet.core.retrying import RetryPolicy, decide
from callsheet.core.run import retry_policy
from callsheet.store.retry import Retry
from callsheet.store.rows import DAMAGE, read_definition, read_settings

Key = tuple[bytes, int]
"""A person and a try: an attempt within its run."""

SEGMENTS = "segments"
"""Counter: segments that carriers took, as far as they told us."""
UNMEASURED = "unmeasured"
"""Counter: attempts that a carrier took, as its receipt says; its answer, with their segments, was lost or is late."""
REJECTED = "rejected:"
"""Counter prefix: those of the rejected attempts that no carrier was asked about, by reason."""


_TAKEN = frozenset({Kind.accepted, Kind.delivered})
_RECEIVED = frozenset({Kind.undelivered, Kind.delivered})


class Changes(NamedTuple):
    """What a batch changes in one run."""

    events: list[Happening]
    doubts: list[Happening]
    """Attempts that became uncertain."""
    settled: list[Happening]
    """Attempts that were uncertain and are not any more."""
    moved: list[Happening]
    """Events that moved their attempt's state: what comes again is decided for these."""
    taken: list[Happening]
    """The first that was heard of attempts that their carrier took, or that somebody answered: here a conversation may
    begin.
    """
    lost: list[Happening]
    """Attempts that their carrier took and could not deliver: there is nobody to converse with."""
    counters: Counter[str]
    unknown: int


class _Standing:
    """Where an attempt stands while a batch is weighed."""

    __slots__ = ("kinds", "state")

    def __init__(self, kinds: Collection[str]) -> None:
        self.kinds = set(kinds)
        self.state = fold(kinds) if kinds else PENDING

    def unmeasure(self, kind: Kind) -> int:
        """Take in a new event, and return by how much it changes the number of unmeasured attempts.

        One is unmeasured that a carrier took, but did not say in how many segments: its answer says that, no receipt.
        """
        change = 0
        if kind is Kind.accepted:
            change = -(not self.kinds.isdisjoint(_RECEIVED))
        elif kind in _RECEIVED and Kind.accepted not in self.kinds:
            change = +self.kinds.isdisjoint(_RECEIVED)
        self.kinds.add(kind)
        return change


def weigh(
    happenings: Sequence[Happening],
    seen: Mapping[Key, Collection[str]],
    attempts: Collection[Key],
    channel: Channel = Channel.sms,
) -> Changes:
    """Find out what is new in a run of a channel.

    `seen` holds the kinds of the events that are stored already, `attempts` the attempts without an event that exist:
    what is in neither was never ours.
    """
    changes = Changes([], [], [], [], [], [], Counter(), 0)
    standings: dict[Key, _Standing] = {}
    unknown = 0
    for happening in happenings:
        key = (happening.person, happening.n)
        standing = standings.get(key)
        if standing is None:
            stored = seen.get(key)
            if stored is None and key not in attempts:
                unknown += 1
                continue
            standing = standings[key] = _Standing(stored or ())
        if happening.kind not in standing.kinds:
            _add(happening, standing, changes, channel)
    return changes._replace(unknown=unknown)


def _add(happening: Happening, standing: _Standing, changes: Changes, channel: Channel) -> None:
    """Take in a new event, and what it does to its attempt's state."""
    kind, before = happening.kind, standing.state
    changes.counters[UNMEASURED] += standing.unmeasure(kind)
    changes.events.append(happening)
    if happening.segments:
        changes.counters[SEGMENTS] += happening.segments
    after = advance(before, kind)
    if after == before:
        return
    standing.state = after
    changes.moved.append(happening)
    changes.counters[after] += 1
    if after == Kind.rejected and happening.code in UNSENT:
        changes.counters[REJECTED + happening.code] += 1
    if before != PENDING:
        changes.counters[before] -= 1
    if after in _TAKEN:
        if _begins_talk(happening, before, channel):
            changes.taken.append(happening)
    elif before == Kind.accepted:
        changes.lost.append(happening)
    if after == Kind.uncertain:
        changes.doubts.append(happening)
    elif before == Kind.uncertain:
        changes.settled.append(happening)


def _begins_talk(happening: Happening, before: str, channel: Channel) -> bool:
    """Tell whether a conversation may begin: the carrier took a message, or somebody answered a call and is there."""
    if channel is Channel.voice:
        return happening.kind is Kind.delivered and happening.code in TALKS
    return before not in _TAKEN


class Talking(NamedTuple):
    """What a run begins conversations with."""

    channel: Channel
    flow_no: int
    """0: it begins none."""
    version: int
    restored_at: int
    """What was armed before may have been talked about in a store that was lost: nothing begins. 0: none was lost."""


def read_talking(channel: str, flow_no: int, version: int, restored_at: int) -> Talking:
    """Read what a run begins conversations with."""
    return Talking(Channel(channel), flow_no, version, restored_at)


class Tried(NamedTuple):
    """What an attempt hands on to the next try."""

    used: int
    list_no: int
    pos: int
    group_no: int


def by_run(happenings: Iterable[Happening]) -> dict[int, list[Happening]]:
    """Sort happenings into their runs, in the order they came."""
    runs: dict[int, list[Happening]] = {}
    for happening in happenings:
        runs.setdefault(happening.run_no, []).append(happening)
    return runs


def may_come_again(moved: Iterable[Happening]) -> list[Happening]:
    """Return the events after which a contact may come again: nearly all batches have none."""
    return [happening for happening in moved if happening.kind not in (Kind.accepted, Kind.delivered)]


def read_policy(status: str, definition: str, settings: str) -> RetryPolicy:
    """Read what a run says about trying again.

    In one that has ended, or cannot be read, nobody is repeated; who was not taken is written down all the same, so
    that its numbers add up.
    """
    if status not in (Status.active, Status.paused):
        return RetryPolicy()
    try:
        return retry_policy(read_definition(definition), read_settings(settings))
    except DAMAGE:
        return RetryPolicy()


def plan_retries(
    ended: Iterable[Happening], tried: Mapping[Key, Tried], policy: RetryPolicy, jitter: Callable[[], float]
) -> list[Retry]:
    """Ask core who comes again, and when."""
    retries = []
    for happening in ended:
        used, list_no, pos, group_no = tried[happening.person, happening.n]
        again = decide(
            happening.kind, policy, n=happening.n, used=used, at=happening.at, jitter=jitter(), code=happening.code
        )
        if again is not None:
            due = to_micros(again.due_at)
            retries.append(
                Retry(
                    again.turn, due, list_no, pos, happening.person, again.n, again.used, group_no,
                    happening.kind.value,
                )
            )  # fmt: skip
    return retries


def leases_ran_out(run_no: int, tries: Iterable[Key], ended: Collection[Key], now: datetime) -> list[Happening]:
    """Say of the tries of an arm whose lease ran out that nobody knows what became of those without an event."""
    return [Happening(run_no, *key, Kind.uncertain, now, "lease_ran_out") for key in tries if key not in ended]
