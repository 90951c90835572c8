"""Reply: hand over the messages of ours that answer one of theirs, each once, at the pace of its sender.

What is due is looked for, taken, handed and recorded in batches: one of each sender at a time. A place is in use from
when a message was found until what the carrier said of it is durable.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from callsheet import meters
from callsheet.carriers.base import Accepted, Outbound, SendError, Stopped
from callsheet.clock import Clock
from callsheet.core.answering import ReplyState
from callsheet.core.attempt import NOT_TAKEN, as_said
from callsheet.core.day_use import capped
from callsheet.core.errors import Unavailable
from callsheet.core.ids import encode_reply
from callsheet.engine.crew import GRACE_SECONDS, Crew
from callsheet.engine.day_caps import DayCaps, caps_of
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.holds import HeldAnswer, Holds
from callsheet.engine.line import TextLine
from callsheet.engine.pace import LONGEST_IDLE_SECONDS, Pace, rates_of
from callsheet.engine.settler import Settler
from callsheet.engine.tuning import MOST_ANSWERS
from callsheet.store.due_replies import MOST_OF_SENDER, DueReply, From
from callsheet.store.forbidden_replies import SPARING
from callsheet.store.replies import Outcome, Swept, TakenReply
from callsheet.store.store import Store

log = structlog.get_logger()

TICK_SECONDS = 1.0
LINGER_SECONDS = 0.02
"""It is looked for what is due at most this often: who comes alone waits for nobody."""
SHORTEST_REST_SECONDS = 0.02
LEASE_SECONDS = 60.0
"""Longer than an answer of the carrier may take, with the record of it."""
HAND_SECONDS = 10.0
"""Taking one may last so long; who forbids it, and hears nothing of us, need not wait longer than for an arm."""
TOO_LONG = "held_too_long"
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)
_MOST_DOUBLINGS = 5

MakePace = Callable[[int, dict[str, float]], Pace]
LinesOf = Callable[[], Mapping[int, TextLine]]
"""Returns the lines for text that are open here, by the number of their trunk."""
Batch = Sequence[DueReply]
"""Messages of one sender."""


class Replier:
    """Sends answers of all apps through the lines of this node."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        lines: LinesOf,
        make_pace: MakePace,
        failpoints: Failpoints,
        holds: Holds,
        *,
        tick_seconds: float = TICK_SECONDS,
        most: int = MOST_ANSWERS,
        sole_owner: bool = False,
    ) -> None:
        """Work on at most so many messages at once; the `sole_owner` of a store knows what an earlier process left."""
        self._store = store
        self._clock = clock
        self._lines = lines
        self._make_pace = make_pace
        self._failpoints = failpoints
        self._holds = holds
        self._most = most
        self._owns_all = sole_owner
        self._busy: dict[int, From] = {}
        """Messages that take up a place."""
        self._choosing: dict[From, Batch] = {}
        """What was found, and is not handed yet: of a sender one batch at a time."""
        self._paces: dict[From, Pace] = {}
        self._caps: dict[From, DayCaps | None] = {}
        self._rest_until: dict[From, float] = {}
        """Senders that may not speak yet, and until when, in monotonic seconds: nothing of theirs takes up room."""
        self._looked_at = self._swept_at = float("-inf")
        self._crew: Crew[Batch] = Crew(
            "replier", self._look, self._work, clock, most=most, tick_seconds=max(TICK_SECONDS, tick_seconds)
        )
        self._settler = Settler(store, clock, self._free)
        self._quiet = asyncio.Event()
        self.wake = self._crew.wake
        self.stop = self._crew.stop

    async def run(self) -> None:
        """Answer until `stop`; then wait a while for what carriers have."""
        settling = asyncio.get_running_loop().create_task(self._settler.run(), name="settler")
        try:
            await self._crew.run()
            await self._wait_for_carriers()
        finally:
            self._settler.stop()
            await settling
            for no in self._busy:
                self._holds.let_answer_go(no)

    async def _wait_for_carriers(self) -> None:
        """Wait for their answers; what they do not answer by then is uncertain."""
        self._quiet.clear()
        if not self._busy:
            return
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await self._quiet.wait()
        except TimeoutError:
            return

    async def _look(self, _: int) -> tuple[Sequence[Batch], datetime | None]:
        await self._linger()
        now = await self._store.hot.now()
        await self._sweep(now)
        room = self._most - len(self._busy)
        if room <= 0:
            return [], None  # what is recorded next wakes us
        free = [no for no, line in self._lines().items() if line.takes_reply()]
        resting = self._resting()
        working = Counter(self._busy.values())
        full = {source for source, count in working.items() if count >= MOST_OF_SENDER}
        found, next_at = await self._store.replies.due(
            now, trunks=free, resting=full | resting.keys() | self._choosing.keys(), held=_by_app(working), limit=room
        )
        batches = self._take_up(found, working)
        rested = [now + timedelta(seconds=seconds) for seconds in resting.values()]
        return batches, min([*rested, *([next_at] if next_at is not None else [])], default=None)

    async def _linger(self) -> None:
        """Let company come to what is due, where it was looked for a moment ago."""
        wait = self._looked_at + LINGER_SECONDS - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)
        self._looked_at = self._clock.monotonic()

    async def _sweep(self, now: datetime) -> None:
        if self._clock.monotonic() < self._swept_at + TICK_SECONDS / 2:
            return
        self._swept_at = self._clock.monotonic()
        if self._owns_all:
            # Once, at the beginning: nobody else can have it.
            swept = Swept(0, await self._store.replies.give_up(now))
            self._owns_all = False
        else:
            swept = await self._store.replies.sweep(now)
        meters.answers.labels(ReplyState.expired.value).inc(swept.expired)
        meters.answers.labels(ReplyState.uncertain.value).inc(swept.uncertain)
        if swept.expired or swept.uncertain:
            log.warning("reply.ended", expired=swept.expired, uncertain=swept.uncertain)

    def _take_up(self, found: Sequence[DueReply], working: Mapping[From, int]) -> Sequence[Batch]:
        """Give what was found its places, by senders."""
        batches: dict[From, list[DueReply]] = {}
        for due in found:
            mine = batches.setdefault(due.source, [])
            if len(mine) + working.get(due.source, 0) < MOST_OF_SENDER:
                mine.append(due)
        self._choosing.update(batches)
        self._busy.update((due.no, source) for source, batch in batches.items() for due in batch)
        return list(batches.values())

    def _resting(self) -> Mapping[From, float]:
        """Return who may not speak yet, and for how many seconds."""
        now = self._clock.monotonic()
        soon = now + SHORTEST_REST_SECONDS / 2
        self._rest_until = {source: until for source, until in self._rest_until.items() if until > soon}
        return {source: until - now for source, until in self._rest_until.items()}

    async def _work(self, batch: Batch) -> None:
        handed: set[int] = set()
        try:
            await self._send(batch, handed)
        finally:
            del self._choosing[batch[0].source]
            self._release(due.no for due in batch if due.no not in handed)

    async def _send(self, batch: Batch, handed: set[int]) -> None:
        source = batch[0].source
        line = self._lines().get(source.trunk_no)
        if line is None:
            return
        chosen = await self._with_turn(source, batch[: line.reply_room()])
        line = self._lines().get(source.trunk_no)
        if line is None or not chosen:
            return
        # From before it is asked who may get it: who forbids it from then on finds it here.
        held = {due.no: self._hold(due) for due in chosen}
        hand_until = self._clock.monotonic() + HAND_SECONDS
        taken = await self._store.replies.take(list(held), await self._store.hot.now(), LEASE_SECONDS)
        if self._clock.monotonic() >= hand_until:
            # Nobody waits for what has been held for so long: whether it may leave is asked again.
            self._give_back(taken, handed, TOO_LONG)
            return
        for one in taken:
            held[one.no].taken = True
        pace = self._paces[source]
        for one in taken:
            try:
                if not pace.is_free:
                    await pace.wait_turn(one.segments)
            except Unavailable:
                self._give_back(taken, handed, "store_away")
                raise
            if self._clock.monotonic() >= hand_until:
                self._give_back(taken, handed, TOO_LONG)
                return
            handed.add(one.no)
            self._hand(line, source, one, held[one.no])

    def _hold(self, due: DueReply) -> HeldAnswer:
        app, is_spared = due.source.app, due.kind in SPARING
        return self._holds.hold_answer(due.no, app, due.person, spared=is_spared, run_no=due.run_no)

    def _give_back(self, taken: Sequence[TakenReply], handed: set[int], why: str) -> None:
        """Say that messages were surely not handed: they are taken again."""
        for one in taken:
            if one.no not in handed:
                handed.add(one.no)
                self._settler.note(Outcome(one.no, one.tries, ReplyState.waiting, why, FIRST_PAUSE))

    async def _with_turn(self, source: From, batch: Batch) -> Batch:
        """Return those that the sender may say within a moment; else it rests. Campaigns spend what it is allowed too.

        What they take of the day is spent.
        """
        if not batch:
            return batch
        first = batch[0]
        buckets = rates_of(first.buckets, first.settings.messages_per_minute)
        pace = self._paces.get(source)
        if pace is None or pace.buckets != buckets:
            pace = self._paces[source] = self._make_pace(source.app, buckets)
        if not pace.is_free:
            batch = _within(batch, await pace.lease(sum(due.segments for due in batch)))
            if not batch:
                self._let_rest(source, pace.idle_seconds())
                return batch
        return await self._within_day(source, batch)

    async def _within_day(self, source: From, batch: Batch) -> Batch:
        """Spend of the day what these messages take, and return those for which it has room."""
        caps = self._caps[source] = caps_of(
            source.app, capped(batch[0].buckets), self._caps.get(source), self._store.hot
        )
        if caps is None:
            return batch
        now = await self._store.hot.now()
        await caps.reserve(sum(due.segments for due in batch), now)
        for count, due in enumerate(batch):
            if not await caps.spend(due.segments, now):
                # While the answer is still worth it a campaign may give back what it held, or a cap be raised: the day
                # is asked anew then.
                self._caps[source] = None
                await caps.give_back()
                self._let_rest(source, LONGEST_IDLE_SECONDS)
                return batch[:count]
        return batch

    def _let_rest(self, source: From, wait_seconds: float) -> None:
        self._rest_until[source] = self._clock.monotonic() + max(wait_seconds, SHORTEST_REST_SECONDS)

    def _hand(self, line: TextLine, source: From, taken: TakenReply, held: HeldAnswer) -> None:
        self._failpoints.reach("before_hand")
        message = Outbound(
            encode_reply(taken.no), taken.number, taken.sender, taken.text, taken.segments, "",
            valid_until=taken.deadline, wants_receipt=False,
        )  # fmt: skip
        line.hand_reply(message, held.leave, partial(self._hear, source, taken))

    def _hear(self, source: From, taken: TakenReply, answer: Accepted | SendError) -> None:
        """Hear what the carrier says of one; it says it once."""
        self._failpoints.reach("after_hand")
        if isinstance(answer, Stopped):
            log.info("reply.stopped_by_carrier", app=source.app)
        if isinstance(answer, SendError) and answer.kind in NOT_TAKEN:
            # It has not left: it may be tried again while it is worth it.
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(taken.tries - 1, _MOST_DOUBLINGS))
            outcome = Outcome(taken.no, taken.tries, ReplyState.waiting, as_said(answer.code), pause)
        elif isinstance(answer, Accepted):
            said = as_said(answer.carrier_id)
            outcome = Outcome(taken.no, taken.tries, ReplyState.accepted, ref=said, carrier_ids=answer.carrier_ids)
        else:
            state, code = ReplyState(answer.kind.value), as_said(answer.code)
            outcome = Outcome(taken.no, taken.tries, state, code, carrier_ids=answer.carrier_ids)
        self._settler.note(outcome)

    def _free(self, outcomes: Sequence[Outcome]) -> None:
        """Give up the places of what is durable, or will be uncertain."""
        for outcome in outcomes:
            if outcome.state is not ReplyState.waiting:
                meters.answers.labels(outcome.state.value).inc()
        self._release(outcome.no for outcome in outcomes)
        self.wake()

    def _release(self, nos: Iterable[int]) -> None:
        for no in nos:
            self._busy.pop(no, None)
            self._holds.let_answer_go(no)
        if not self._busy:
            self._quiet.set()


def _by_app(working: Mapping[From, int]) -> Mapping[int, int]:
    held: Counter[int] = Counter()
    for source, count in working.items():
        held[source.app] += count
    return held


def _within(batch: Batch, segments: int) -> Batch:
    """Return the first of these messages for which so many segments suffice; any is enough to begin one."""
    for count, due in enumerate(batch):
        if segments <= 0:
            return batch[:count]
        segments -= due.segments
    return batch
