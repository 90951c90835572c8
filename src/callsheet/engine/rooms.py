"""Rooms of one dispatcher: it leases what the limits of classes and of members of a pool have left, and spends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf
from typing import Protocol

from callsheet.core.allowance import Bucket
from callsheet.core.attempt import Intent
from callsheet.core.day_use import capped
from callsheet.core.rooms import Rooms, own_buckets
from callsheet.core.run import Run
from callsheet.engine.agenda import RunState
from callsheet.engine.day_caps import DayCaps, caps_of
from callsheet.engine.line import Taker
from callsheet.engine.lines import Standing
from callsheet.engine.pace import Pace
from callsheet.engine.places import Claim, Places
from callsheet.store.protocol import HotStore
from callsheet.store.vault import Vault

MakePace = Callable[[int, dict[str, float]], Pace]

AHEAD_SEGMENTS = 50
"""So many segments of a limit are leased, or reserved of its day, at once."""
WANTED_FOR = timedelta(seconds=5)
"""So long after contacts met a limit what it has left is leased for those who come again."""


class Routes(Protocol):
    """The lines of the channel of a dispatcher's runs."""

    def route(self, trunk_no: int) -> Taker:
        """Return the way to a trunk."""

    def standing(self, trunk_no: int) -> Standing:
        """Return how a trunk stands."""


class Kept:
    """The places of one arm, by trunk."""

    def __init__(self, places: Mapping[int, Places], most: int) -> None:
        self._places = places
        self._most = most

    def __len__(self) -> int:
        """Return how many contacts may be armed."""
        return min(self._most, sum(map(len, self._places.values())))

    def by_trunk(self) -> dict[int, int]:
        """Return how many places each trunk has."""
        return {trunk_no: len(places) for trunk_no, places in self._places.items()}

    def fit(self, trunks: Iterable[int]) -> None:
        """Give back what is not needed: one place is, for each contact that was armed, of its trunk."""
        needed = Counter(trunks)
        for trunk_no, places in self._places.items():
            places.give_back(keeping=needed[trunk_no])

    def use(self, trunk_no: int) -> None:
        """Let go of the place of a contact that is handed at this moment."""
        if trunk_no in self._places:
            self._places[trunk_no].use()


class RoomKeeper:
    """What one dispatcher knows of limits that not all of its contacts share."""

    def __init__(self, hot: HotStore, vault: Vault, lines: Routes, make_pace: MakePace) -> None:
        self._hot = hot
        self._vault = vault
        self._lines = lines
        self._make_pace = make_pace
        self.caps: DayCaps | None = None
        """The daily caps that all messages of the sender obey."""
        self._routes: dict[int, Taker] = {}
        self._paces: dict[Bucket, Pace] = {}
        self._caps: dict[Bucket, DayCaps] = {}
        self._wanted: dict[Bucket, datetime] = {}
        """The limits that contacts met, and until when it is worth to lease of them."""
        self._later: dict[Bucket, datetime] = {}
        self._asked: dict[int, Claim] = {}
        """The lines, by their trunks, on which places were asked for since there was nothing to do."""
        self._turns = 0

    def keep(self, run: Run) -> None:
        """Go by the daily caps of now: they may have been changed."""
        self.caps = caps_of(run.app, capped(run.sender.buckets), self.caps, self._hot)

    def free(self, states: Iterable[RunState]) -> int:
        """Return how many intents the lines of some runs take now: as many as of the run with the shortest texts."""
        shortest: dict[int, float] = {}
        for state in states:
            for sender in state.run.senders:
                shortest[sender.trunk_no] = min(state.segments_guess, shortest.get(sender.trunk_no, inf))
        return sum(self.line(trunk_no).free(segments) for trunk_no, segments in shortest.items())

    def reserve(self, state: RunState, most: int, claim: Claim) -> Kept:
        """Keep at most so many places for contacts of a run, on the lines that they may take."""
        trunks = sorted({sender.trunk_no for sender in state.run.senders})
        kept: dict[int, Places] = {}
        self._turns += 1
        for i in range(len(trunks)):
            # Trunks may share slots: each is the first to take them now and then.
            trunk_no = trunks[(i + self._turns) % len(trunks)]
            kept[trunk_no] = self.line(trunk_no).keep(most, claim, state.segments_guess)
            self._asked[trunk_no] = claim
        return Kept(kept, most)

    def forget(self) -> None:
        """Take notice that there is nothing to do: no places are left free for those who wait here."""
        while self._asked:
            trunk_no, claim = self._asked.popitem()
            self.line(trunk_no).forget(claim)

    def line(self, trunk_no: int) -> Taker:
        """Return the way to a trunk."""
        if trunk_no not in self._routes:
            self._routes[trunk_no] = self._lines.route(trunk_no)
        return self._routes[trunk_no]

    async def open(self, state: RunState, now: datetime, kept: Kept) -> Run:
        """Return a run with what its limits have left for one arm; as it is where all its contacts share them."""
        run = state.run
        if not run.has_rooms:
            return run
        room: dict[Bucket, float] = {}
        closed: dict[Bucket, datetime] = {}
        self._wanted = {bucket: until for bucket, until in self._wanted.items() if until > now}
        for bucket in self._wanted:
            await self._look(run.app, bucket, room, closed, now)
        key = self._vault.app(run.app)
        assert key is not None, "a run of an app that was never opened"
        senders = {sender.no: sender for sender in run.senders}
        trunks = {sender.trunk_no for sender in run.senders}
        pool = run.sender.pool
        rooms = Rooms(
            senders, room, self._later, closed,
            is_pool=pool is not None,
            lines=kept.by_trunk(),
            broken=[no for no in trunks if self._lines.standing(no).is_broken],
            fail_over=pool is not None and pool.fail_over,
            segments_guess=state.segments_guess,
            number_of=key.open_number,
        )  # fmt: skip
        return replace(run, rooms=rooms)

    def close(self, run: Run, now: datetime) -> None:
        """Remember which limits an arm met."""
        for bucket in run.rooms.met if run.rooms is not None else ():
            self._wanted[bucket] = max(now, self._later.get(bucket, now)) + WANTED_FOR

    async def spend(self, run: Run, intent: Intent, segments: int) -> bool:
        """Wait for the turn of a message, and spend its segments; False when a day has no room for it any more."""
        if self.caps is not None and not await self.caps.spend(segments, await self._hot.now()):
            return False
        if not run.has_rooms:
            return True
        sender = run.sender_of(intent.sender_no)
        for bucket in own_buckets(sender, intent.number, is_member=run.sender.pool is not None):
            pace, caps = self._of(run.app, bucket)
            if caps is not None and not await caps.spend(segments, await self._hot.now()):
                return False
            if not pace.is_free:
                await pace.wait_turn(segments)
        return True

    async def give_back(self) -> None:
        """Return what was reserved and not used."""
        for caps in (*self._caps.values(), *([self.caps] if self.caps is not None else [])):
            await caps.give_back()

    async def _look(
        self, app: int, bucket: Bucket, room: dict[Bucket, float], closed: dict[Bucket, datetime], now: datetime
    ) -> None:
        """Find out what one limit has left now."""
        pace, caps = self._of(app, bucket)
        if caps is not None and caps.is_closed(now):
            closed[bucket] = caps.closed_until or now
            return
        room[bucket] = inf
        if not pace.is_free:
            await pace.lease(AHEAD_SEGMENTS)
            room[bucket] = pace.due()
        if caps is not None and room[bucket]:
            left = await caps.reserve(int(min(room[bucket], AHEAD_SEGMENTS)), now)
            room[bucket] = min(room[bucket], left)
            if caps.closed_until is not None and not left:
                closed[bucket] = caps.closed_until

    def _of(self, app: int, bucket: Bucket) -> tuple[Pace, DayCaps | None]:
        if bucket not in self._paces:
            rate = bucket.segments_per_second
            self._paces[bucket] = self._make_pace(app, {bucket.name: rate} if rate is not None else {})
            if bucket.segments_per_day is not None:
                self._caps[bucket] = DayCaps(self._hot, app, (bucket,))
        return self._paces[bucket], self._caps.get(bucket)
