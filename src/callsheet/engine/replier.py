"""Reply: hand over the messages of ours that answer one of theirs, each once, at the pace of its sender."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from callsheet import meters
from callsheet.carriers.base import Accepted, Outbound, SendError, Stopped
from callsheet.clock import Clock
from callsheet.core.answering import ReplyState
from callsheet.core.asking import Leave
from callsheet.core.attempt import NOT_TAKEN, as_said
from callsheet.core.day_use import capped
from callsheet.core.ids import encode_reply
from callsheet.engine.crew import Crew
from callsheet.engine.day_caps import DayCaps, caps_of
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.holds import HeldAnswer, Holds
from callsheet.engine.line import Line
from callsheet.engine.pace import LONGEST_IDLE_SECONDS, Pace, rates_of
from callsheet.store.replies import MOST_OF_SENDER, SPARING, DueReply, From, TakenReply
from callsheet.store.store import Store

log = structlog.get_logger()

TICK_SECONDS = 1.0
MOST_AT_ONCE = 64
SHORTEST_REST_SECONDS = 0.02
LEASE_SECONDS = 60.0
"""Longer than an answer of the carrier may take, with the record of it."""
HAND_SECONDS = 10.0
"""Taking one may last so long; who forbids it, and hears nothing of us, need not wait longer than for an arm."""
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)

MakePace = Callable[[int, dict[str, float]], Pace]
LinesOf = Callable[[], Mapping[int, Line]]
"""Returns the lines that are open here, by the number of their trunk."""


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
    ) -> None:
        self._store = store
        self._clock = clock
        self._lines = lines
        self._make_pace = make_pace
        self._failpoints = failpoints
        self._holds = holds
        self._busy: dict[int, From] = {}
        self._paces: dict[From, Pace] = {}
        self._caps: dict[From, DayCaps | None] = {}
        self._rest_until: dict[From, float] = {}
        """Senders that may not speak yet, and until when, in monotonic seconds: nothing of theirs takes up room."""
        self._crew: Crew[DueReply] = Crew(
            "replier", self._look, self._work, clock, most=MOST_AT_ONCE, tick_seconds=max(TICK_SECONDS, tick_seconds)
        )
        self.wake = self._crew.wake
        self.stop = self._crew.stop
        self.run = self._crew.run

    async def _look(self, room: int) -> tuple[Sequence[DueReply], datetime | None]:
        now = await self._store.hot.now()
        swept = await self._store.replies.sweep(now)
        meters.answers.labels(ReplyState.expired.value).inc(swept.expired)
        meters.answers.labels(ReplyState.uncertain.value).inc(swept.uncertain)
        if swept.expired or swept.uncertain:
            log.warning("reply.ended", expired=swept.expired, uncertain=swept.uncertain)
        free = [no for no, line in self._lines().items() if line.takes_reply()]
        resting = self._resting()
        working = Counter(self._busy.values())
        full = {source for source, count in working.items() if count >= MOST_OF_SENDER}
        held = Counter(source.app for source in self._busy.values())
        found, next_at = await self._store.replies.due(
            now, trunks=free, busy=self._busy, resting=full | resting.keys(), held=held, limit=room
        )
        self._busy.update((one.no, one.source) for one in found)
        rested = [now + timedelta(seconds=seconds) for seconds in resting.values()]
        return found, min([*rested, *([next_at] if next_at is not None else [])], default=None)

    def _resting(self) -> Mapping[From, float]:
        """Return who may not speak yet, and for how many seconds."""
        now = self._clock.monotonic()
        soon = now + SHORTEST_REST_SECONDS / 2
        self._rest_until = {source: until for source, until in self._rest_until.items() if until > soon}
        return {source: until - now for source, until in self._rest_until.items()}

    async def _work(self, due: DueReply) -> None:
        try:
            await self._send(due)
        finally:
            del self._busy[due.no]

    async def _send(self, due: DueReply) -> None:
        line = self._lines().get(due.source.trunk_no)
        if line is None or not line.takes_reply() or not await self._has_turn(due):
            return
        line = self._lines().get(due.source.trunk_no)
        if line is None or not line.takes_reply():
            return
        # From before it is asked who may get it: who forbids it from then on finds it here.
        with self._holds.answer(due.no, due.source.app, due.person, spared=due.kind in SPARING) as held:
            await self._take_and_hand(line, due, held)

    async def _take_and_hand(self, line: Line, due: DueReply, held: HeldAnswer) -> None:
        hand_until = self._clock.monotonic() + HAND_SECONDS
        taken = await self._store.replies.take(due.no, await self._store.hot.now(), LEASE_SECONDS)
        if taken is None or self._clock.monotonic() >= hand_until:
            # Nobody waits for what has been held for so long: it stays uncertain.
            return
        held.taken = True
        self._failpoints.reach("before_hand")
        answer = await self._hand(line, taken, held.leave)
        self._failpoints.reach("after_hand")
        await self._settle(due, taken, answer)

    async def _has_turn(self, due: DueReply) -> bool:
        """Tell whether the sender may speak, within a moment; else it rests. Campaigns spend what it is allowed too."""
        wait_seconds = await self._spend(due)
        if wait_seconds:
            self._rest_until[due.source] = self._clock.monotonic() + max(wait_seconds, SHORTEST_REST_SECONDS)
        return not wait_seconds

    async def _spend(self, due: DueReply) -> float:
        """Spend what an answer takes of the pace and of the day; else return after how many seconds to ask again."""
        buckets = rates_of(due.buckets, due.settings)
        pace = self._paces.get(due.source)
        if pace is None or pace.buckets != buckets:
            pace = self._paces[due.source] = self._make_pace(due.source.app, buckets)
        if not pace.is_free and not await pace.lease(due.segments):
            return pace.idle_seconds()
        caps = self._caps[due.source] = caps_of(
            due.source.app, capped(due.buckets), self._caps.get(due.source), self._store.hot
        )
        if caps is not None and not await caps.spend(due.segments, await self._store.hot.now()):
            # While the answer is still worth it a campaign may give back what it held, or a cap be raised: the day is
            # asked anew then.
            self._caps[due.source] = None
            await caps.give_back()
            return LONGEST_IDLE_SECONDS
        if not pace.is_free:
            await pace.wait_turn(due.segments)
        return 0.0

    async def _hand(self, line: Line, taken: TakenReply, leave: Leave) -> Accepted | SendError:
        answered: asyncio.Future[Accepted | SendError] = asyncio.get_running_loop().create_future()

        def end(answer: Accepted | SendError) -> None:
            if not answered.done():  # else we were cut off meanwhile, and it stays uncertain
                answered.set_result(answer)

        message = Outbound(
            encode_reply(taken.no), taken.number, taken.sender, taken.text, taken.segments, "",
            valid_until=taken.deadline, wants_receipt=False,
        )  # fmt: skip
        line.hand_reply(message, leave, end)
        return await answered

    async def _settle(self, due: DueReply, taken: TakenReply, answer: Accepted | SendError) -> None:
        """Write down what the carrier said."""
        replies, now = self._store.replies, await self._store.hot.now()
        if isinstance(answer, SendError) and answer.kind in NOT_TAKEN:
            # It has not left: it may be tried again while it is worth it.
            at = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2**due.tries)
            await replies.again(taken.no, min(at, taken.deadline), as_said(answer.code))
            self.wake()
            return
        if isinstance(answer, Accepted):
            state, code, ref = ReplyState.accepted, "", as_said(answer.carrier_id)
        else:
            state, code, ref = ReplyState(answer.kind.value), as_said(answer.code), ""
        await replies.end(taken.no, state, now, code=code, ref=ref, carrier_ids=answer.carrier_ids)
        meters.answers.labels(state.value).inc()
        if isinstance(answer, Stopped):
            log.info("reply.stopped_by_carrier", app=due.source.app)
