"""Slots: how many calls may go on at once, over all nodes: of each trunk, and of an app without agents.

A call has a slot from before it is dialed until it is over. Where several nodes work on one store, each holds some of
the slots for a while: what all of them hold together is never more than is allowed, and a node that dies loses its own
when its lease ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from typing import Final, NamedTuple

import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.core.pacing import Claims
from callsheet.engine.loop import Loop
from callsheet.engine.places import Claim
from callsheet.store.slots import Use
from callsheet.store.store import Store

log = structlog.get_logger()

AGENTLESS: Final = "agentless"
"""All calls of an app that no agent is for."""
TRUNK: Final = "trunk"
"""Those of one trunk, as meters name it."""
NOBODY: Final = -1
"""Who asks for a call that is to be begun at once, and for no campaign."""
BREATH_SECONDS: Final = 0.25
"""Looks are at least this far apart, however much is asked for."""

Whose = tuple[int, str]
"""What a limit limits: an app, and a name."""


class Limit(NamedTuple):
    """So many calls at once."""

    app: int
    name: str
    """A trunk's id, or `agentless`."""
    most: int

    @property
    def whose(self) -> Whose:
        """Return what it limits: the limit itself may change while calls go on."""
        return self.app, self.name


class _Asked:
    """What was asked of a limit since the last look."""

    __slots__ = ("most", "peak", "waiting")

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting: dict[int, int] = {}
        """How many each who asked would have taken, and did not find."""
        self.peak = 0
        """The most that one who asked would have made of what was in use then."""

    def wanted(self, used: int) -> int:
        """Return how many this node could use."""
        return max(self.peak, used + sum(self.waiting.values()))


class _Held(NamedTuple):
    """What this node may use."""

    slots: int
    until: float
    """On the monotonic clock."""


class Slots(Loop):
    """The slots of this node."""

    def __init__(self, store: Store, clock: Clock, *, node_no: int, lease_seconds: float, sole_owner: bool) -> None:
        """`sole_owner`: there is no other node, and nothing to be agreed on."""
        super().__init__()
        self._store = store
        self._clock = clock
        self._node_no = node_no
        self._lease_seconds = lease_seconds
        self._sole_owner = sole_owner
        self._claims: dict[Whose, Claims] = {}
        self._used: Counter[Whose] = Counter()
        self._most: dict[Whose, int] = {}
        """The limits, as they were when somebody asked last."""
        self._held: dict[Whose, _Held] = {}
        self._asked: dict[Whose, _Asked] = {}
        self._uncounted = 0
        """Calls that go on, and of which nobody knows yet what they count for."""
        self._next_sweep = 0.0
        """On the monotonic clock."""
        self.on_free: Callable[[], None] = lambda: None
        """Called when there may be a slot for who found none."""

    def free(self, limits: Iterable[Limit]) -> int:
        """Return how many more calls all of these limits allow on this node now; whoever asks wants them all."""
        return max(0, min([self._ask(limit, NOBODY, limit.most) for limit in list(limits)]))

    def _free(self, limit: Limit) -> int:
        self._most[limit.whose] = limit.most
        return self._holds(limit) - self._used[limit.whose] if not self._uncounted else 0

    def _ask(self, limit: Limit, who: int, wanted: int) -> int:
        """Return how many are free, and take notice that somebody wants so many."""
        free = self._free(limit)
        if not self._sole_owner and wanted:
            asked = self._asked.setdefault(limit.whose, _Asked(limit.most))
            was_missed = any(asked.waiting.values())
            asked.most = limit.most
            asked.waiting[who] = max(0, wanted - max(0, free))
            asked.peak = max(asked.peak, self._used[limit.whose] + wanted)
            if free <= 0 and not was_missed:
                self.wake()
        return free

    def _holds(self, limit: Limit) -> int:
        if self._sole_owner:
            return limit.most
        held = self._held.get(limit.whose)
        return min(held.slots, limit.most) if held is not None and self._clock.monotonic() < held.until else 0

    def take(self, limits: Collection[Limit]) -> bool:
        """Take a slot of each; False: there is none, and nothing was taken."""
        if min(self._ask(limit, NOBODY, 1) for limit in list(limits)) <= 0:
            return False
        self.occupy(limits)
        return True

    def keep(self, limits: Collection[Limit], wanted: int, claim: Claim) -> int:
        """Take at most so many slots of each, and return how many: none whose turn it is for somebody else to take."""
        could = min([wanted, *(limit.most for limit in limits)])
        free = {limit.whose: max(0, self._ask(limit, claim.who, could)) for limit in limits}
        granted, waits_no_more = wanted, False
        for limit in limits:
            # Who could not use a slot of this for want of another one does not wait for it.
            wants = min([wanted, *(room for whose, room in free.items() if whose != limit.whose)])
            claims = self._claims.setdefault(limit.whose, Claims())
            waited = claims.waits(claim.who)
            granted = min(granted, claims.grant(claim.who, claim.weight, wants, free[limit.whose]))
            waits_no_more |= waited and not claims.waits(claim.who)
        for limit in limits:
            self._used[limit.whose] += granted
            self._claims[limit.whose].charge(claim.who, claim.weight, granted)
        self._measure()
        if waits_no_more and not granted:
            # What was left free for him may be somebody else's now.
            self._tell_those_who_wait()
        return granted

    def let_go(self, limits: Collection[Limit], count: int, claim: Claim | None) -> None:
        """Give back slots that were kept; `claim` is theirs who did not use them."""
        for limit in limits:
            self._used[limit.whose] -= count
            if claim is not None:
                self._claims[limit.whose].charge(claim.who, claim.weight, -count)
        self._measure()
        if claim is not None:
            self._tell_those_who_wait()

    def forget(self, limits: Collection[Limit], claim: Claim) -> None:
        """Take notice that somebody wants none now."""
        for limit in limits:
            if limit.whose in self._claims:
                self._claims[limit.whose].leave(claim.who)
        self._tell_those_who_wait()

    def _tell_those_who_wait(self) -> None:
        if any(claims.are_made for claims in self._claims.values()):
            self.on_free()

    def begin_counting(self) -> None:
        """Take notice of a call that goes on, and of which nobody knows yet whose it is: nothing is free meanwhile."""
        self._uncounted += 1

    def end_counting(self) -> None:
        """Take notice that this is known: the call was counted, or is over."""
        self._uncounted -= 1
        if not self._uncounted:
            self.on_free()

    def occupy(self, limits: Iterable[Limit]) -> None:
        """Count a call that goes on, whether there is a slot for it or not."""
        self._used.update(limit.whose for limit in limits)
        self._measure()

    def give_back(self, limits: Iterable[Limit]) -> None:
        """Give back what was taken."""
        self._used.subtract(limit.whose for limit in limits)
        self._measure()

    def _measure(self) -> None:
        """Show how many calls go on, and how many may, where some go on."""
        sums: Counter[tuple[str, str]] = Counter()
        for whose, used in self._used.items():
            if used > 0:
                kind, most = AGENTLESS if whose[1] == AGENTLESS else TRUNK, self._most.get(whose, used)
                held = self._held.get(whose)
                sums[kind, "used"] += used
                sums[kind, "allowed"] += most
                sums[kind, "held"] += most if self._sole_owner else held.slots if held is not None else 0
        for kind in (AGENTLESS, TRUNK):
            for state in ("used", "held", "allowed"):
                meters.call_slots.labels(kind, state).set(sums[kind, state])

    async def run(self) -> None:
        """Hold what is wanted here, and renew it, until `stop`; then hold nothing."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self.look()
            except Unavailable:
                log.warning("slots.store_away")
            if not self._stopping:
                await self._clock.sleep(BREATH_SECONDS)
            await self._rest(self._lease_seconds / 3)
        try:
            for app, name in list(self._held):
                await self._store.slots.give_back(app, name, self._node_no)
        except Unavailable:  # else the leases run out
            log.warning("slots.store_away")

    async def look(self) -> None:
        """Hold slots of what was asked for or is used, and give back the rest."""
        if self._sole_owner:
            return
        asked, self._asked = self._asked, {}
        wanted = {whose for whose, used in self._used.items() if used > 0} | asked.keys()
        for whose in self._held.keys() - wanted:
            if self._used[whose] > 0:
                continue
            del self._held[whose]
            await self._store.slots.give_back(*whose, self._node_no)
        if self._clock.monotonic() >= self._next_sweep:
            await self._store.slots.sweep(await self._store.hot.now())
            self._next_sweep = self._clock.monotonic() + self._lease_seconds
        gained = False
        for whose in sorted(wanted):
            gained |= await self._hold(whose, asked.get(whose))
        if gained:
            self.on_free()

    async def _hold(self, whose: Whose, asked: _Asked | None) -> bool:
        """Hold slots of one limit, or no more than is used where nobody asked; return whether there are more now."""
        # Ours ends before the row's does.
        until = self._clock.monotonic() + self._lease_seconds
        now = await self._store.hot.now()
        used = self._used[whose]
        before = self._held.get(whose)
        if before is not None:
            # Until the answer is here nobody takes one more: it may be somebody else's by now.
            self._held[whose] = before._replace(slots=min(used, before.slots))
        count = await self._store.slots.hold(
            *whose, most=used if asked is None else asked.most,
            use=Use(used, used if asked is None else asked.wanted(used)),
            node_no=self._node_no, now=now, until=now + timedelta(seconds=self._lease_seconds),
        )  # fmt: skip
        self._held[whose] = _Held(count, until)
        self._measure()
        return count > (before.slots if before is not None else 0)
