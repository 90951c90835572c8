"""Dispatch: choose whose turn it is, take, arm, hand. One dispatcher for each sender, and channel, that has runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import NamedTuple

import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.attempt import Happening, Intent, Kind
from callsheet.core.errors import CallsheetError, Unavailable
from callsheet.core.gate import Reason
from callsheet.core.ids import AttemptKey
from callsheet.core.pacing import Shares
from callsheet.core.retrying import Turn
from callsheet.core.run import Run, Way
from callsheet.engine.agenda import Agenda, RunState
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.holds import Holds
from callsheet.engine.making import Contacted
from callsheet.engine.pace import Pace, rates
from callsheet.engine.places import Claim
from callsheet.engine.recorder import Recorder
from callsheet.engine.rooms import Kept, RoomKeeper
from callsheet.engine.tuning import Tuning
from callsheet.engine.turnstile import Turnstile
from callsheet.store.arming import UNREADABLE
from callsheet.store.protocol import Armed, ArmKey, HotStore

log = structlog.get_logger()

AWAY_SECONDS = 0.5
"""How long to wait before a store that is away is asked again: what it took unheard must not outlive its lease."""

ASIDE = timedelta(seconds=10)
"""How long a run is left alone whose contacts could not be armed, for a reason of its own perhaps."""

MakePace = Callable[[int, dict[str, float]], Pace]
"""How the pace of an app's sender is made from its rates."""


class _Ready(NamedTuple):
    """What was armed and waits to be handed."""

    state: RunState
    armed: Armed
    kept: Kept
    reader: int
    deadline: float
    """Until when, on the monotonic clock, the gate's verdict holds."""


class Dispatcher:
    """Hands the contacts of one sender's runs of a channel to lines."""

    def __init__(
        self,
        way: Way,
        *,
        agenda: Agenda,
        hot: HotStore,
        rooms: RoomKeeper,
        make_pace: MakePace,
        recorder: Recorder,
        holds: Holds,
        clock: Clock,
        failpoints: Failpoints,
        tuning: Tuning,
        node_no: int,
        arm_nos: Iterator[int],
        turnstile: Turnstile,
    ) -> None:
        self._way = way
        self._agenda = agenda
        self._hot = hot
        self._rooms = rooms
        self._make_pace = make_pace
        self._pace = make_pace(0, {})
        self._recorder = recorder
        self._holds = holds
        self._clock = clock
        self._failpoints = failpoints
        self._tuning = tuning
        self._node_no = node_no
        self._arm_nos = arm_nos
        self._turnstile = turnstile
        self._shares = Shares()
        self._wake = asyncio.Event()
        self._stopping = self._unsure = self._late = False
        self._ahead: asyncio.Task[_Ready | None] | None = None
        self._unanswered: list[ArmKey] = []
        """Arms whose answer was lost: they may have been stored."""
        self._arm_size = tuning.arm_size

    def wake(self) -> None:
        """Look for work now."""
        self._wake.set()

    def stop(self) -> None:
        """Arm nobody any more."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Take turns until `stop`."""
        while not self._stopping or self._ahead is not None:
            self._wake.clear()
            try:
                if self._unsure:
                    await self._begin_anew()
                worked = await self.turn()
            except Exception as error:
                # A take that failed may have been stored: a chunk that nobody remembers must not be kept for ever.
                self._unsure = True
                if not isinstance(error, Unavailable):
                    raise
                log.warning("dispatcher.store_away", sender_no=self._way.sender_no)
                worked = False
            if not worked and (self._ahead is not None or not self._stopping):
                await self._rest()
        self._rooms.forget()
        with suppress(Unavailable):
            if self._unanswered:
                await self._begin_anew()
            await self._rooms.give_back()

    async def _begin_anew(self) -> None:
        """Take up what was stored although its answer was lost: nobody handed it, so it comes again."""
        for state in self._agenda.of_way(self._way).values():
            await self._give_back(state)
        while self._unanswered:
            arm = self._unanswered[-1]
            keys = [AttemptKey(arm.run_no, person, n) for person, n in await self._hot.members(arm)]
            self._holds.hold(arm, keys)
            self._withdraw(keys)
            self._unanswered.pop()
        self._unsure = False

    async def _rest(self) -> None:
        await self._rooms.give_back()
        try:
            async with asyncio.timeout(AWAY_SECONDS if self._unsure else self._tuning.tick_seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def turn(self) -> bool:
        """Arm and hand once; False when there is nothing to do now."""
        ahead, self._ahead = self._ahead, None
        ready = await (ahead or self._next())
        if ready is None:
            return False
        if self._is_free(ready.state.run) and ready.armed.intents and not self._stopping:
            # Arm the next ones while these are rendered and handed: the store and this loop work side by side.
            self._ahead = asyncio.get_running_loop().create_task(self._next())
            await asyncio.sleep(0)
        try:
            await self._hand(ready)
        finally:
            ready.kept.fit(())
            self._holds.finish(ready.reader)
        return True

    async def _next(self) -> _Ready | None:
        """Choose whose turn it is, and arm; None when there is nothing to do now."""
        mine = self._agenda.of_way(self._way)
        now = await self._hot.now() if not self._stopping and self._rooms.free(mine.values()) else None
        states = {no: state for no, state in mine.items() if now is not None and state.has_work(now)}
        # An emergency has the sender for itself.
        states = {no: state for no, state in states.items() if state.run.is_emergency} or states
        self._shares.keep(states)
        if now is None or not states:
            self._rooms.forget()
            return None
        weights = {no: state.run.definition.priority for no, state in states.items()}
        run_no = self._shares.choose(weights)
        state = states[run_no]
        kept = self._rooms.reserve(state, self._arm_size, Claim(self._way.sender_no, sum(weights.values())))
        if not kept:
            return None
        self._keep_pace(state)
        reader = self._holds.begin()
        try:
            limit = await self._allow(state, kept, now)
            armed, deadline = Armed(), 0.0
            if limit:
                async with self._turnstile.turn(state.run.app, limit):
                    armed, deadline = await self._take_turn(state, kept, limit, now)
        except BaseException as error:
            kept.fit(())
            self._holds.finish(reader)
            if isinstance(error, Unavailable) or not isinstance(error, Exception):
                raise
            # Those who share its sender go on.
            log.exception("run.broke", run=state.run.id, campaign=state.run.campaign_id)
            state.aside_until = now + ASIDE
            self._unsure = True
            return None
        if limit:
            # Who only waited for the pace has used nothing.
            self._shares.spend(run_no, weights[run_no], max(1, armed.seen))
        kept.fit(state.run.sender_of(intent.sender_no).trunk_no for intent in armed.intents)
        return _Ready(state, armed, kept, reader, deadline)

    async def _take_turn(self, state: RunState, kept: Kept, limit: int, now: datetime) -> tuple[Armed, float]:
        """Arm whose turn it is, and say until when, on the monotonic clock, the verdicts hold."""
        if self._agenda.states.get(state.run.no) is not state:
            # It was paused while its app waited for its turn.
            return Armed(), 0.0
        turn = state.next_turn(now)
        state.took(turn)
        found = turn is not None or state.chunk is not None or await self._take(state)
        deadline = self._clock.monotonic() + self._tuning.hand_seconds
        return (await self._arm(state, turn, kept, limit, now) if found else Armed()), deadline

    def _is_free(self, run: Run) -> bool:
        return self._pace.is_free and self._rooms.caps is None and not run.has_rooms

    def _keep_pace(self, state: RunState) -> None:
        """Go at the rates of now: they may have been changed since the last turn."""
        buckets = rates(state.run)
        if buckets != self._pace.buckets:
            self._pace = self._make_pace(state.run.app, buckets)
        self._rooms.keep(state.run)

    async def _allow(self, state: RunState, kept: Kept, now: datetime) -> int:
        """Return how many contacts may be armed: no more than can be handed within the slice. 0: too soon.

        Who has to wait first keeps no places meanwhile.
        """
        caps, limit = self._rooms.caps, len(kept)
        if caps is not None and caps.is_closed(now):
            kept.fit(())
            return await caps.rest(self._clock, now, self._tuning.tick_seconds)
        if not self._pace.is_free:
            segments = await self._pace.lease(limit)
            if not segments:
                kept.fit(())
                await self._clock.sleep(self._pace.idle_seconds())
                return 0
            limit = min(limit, max(1, int(segments / state.segments_guess)))
        if caps is not None:
            left = await caps.reserve(ceil(limit * state.segments_guess), now)
            if not left:
                kept.fit(())
                return await caps.rest(self._clock, now, self._tuning.tick_seconds)
            limit = min(limit, max(1, int(left / state.segments_guess)))
        return limit

    async def _arm(self, state: RunState, turn: Turn | None, kept: Kept, limit: int, now: datetime) -> Armed:
        arm = ArmKey(state.run.app, state.run.no, self._node_no, next(self._arm_nos))
        self._failpoints.reach("before_arm")
        run = await self._rooms.open(state, now, kept)
        if turn is None:
            armed = await self._arm_fresh(state, run, limit, arm)
        else:
            armed = await self._arm_again(state, run, turn, limit, arm)
        self._rooms.close(run, now)
        self._failpoints.reach("after_arm")
        state.learn(armed.groups, now)
        self._holds.hold(arm, [AttemptKey(intent.run_no, intent.person, intent.n) for intent in armed.intents])
        meters.armed.inc(len(armed.intents))
        return armed

    async def _answered(self, arm: ArmKey, arming: Awaitable[Armed]) -> Armed:
        try:
            return await arming
        except BaseException:
            self._unanswered.append(arm)
            raise

    async def _arm_fresh(self, state: RunState, run: Run, limit: int, arm: ArmKey) -> Armed:
        chunk, group = state.chunk, state.group
        assert chunk is not None, "a chunk was taken"
        assert group is not None, "a chunk is of a group"
        arming = self._hot.arm(
            run, chunk, group, limit=limit, arm_no=arm.arm_no, node_no=self._node_no,
            lease_seconds=self._tuning.lease_seconds,
        )  # fmt: skip
        armed = await self._answered(arm, arming)
        state.chunk = armed.left
        if armed.closed_until is not None:
            state.open_groups.pop((chunk.list_no, chunk.group_no), None)
            await self._give_back(state)
        if armed.lost:
            # Paused, perhaps only for a moment: nobody should have to wait for the lease of a chunk that we forget.
            await self._give_back(state)
            self._agenda.wake()
        return armed

    async def _arm_again(self, state: RunState, run: Run, turn: Turn, limit: int, arm: ArmKey) -> Armed:
        arming = self._hot.arm_again(
            run, turn, limit=limit, arm_no=arm.arm_no, node_no=self._node_no,
            lease_seconds=self._tuning.lease_seconds,
        )  # fmt: skip
        armed = await self._answered(arm, arming)
        if armed.seen < limit:
            state.due.pop(turn, None)
            self._agenda.wake()
        return armed

    async def _take(self, state: RunState) -> bool:
        self._failpoints.reach("before_take")
        groups = dict(state.open_groups)
        state.chunk = await self._hot.take(
            state.run,
            list(groups.values()),
            node_no=self._node_no,
            size=self._tuning.chunk_size,
            lease_seconds=self._tuning.lease_seconds,
        )
        self._failpoints.reach("after_take")
        if state.chunk is None:
            state.dry = True
            self._agenda.wake()
            return False
        if self._agenda.states.get(state.run.no) is not state:
            await self._give_back(state)
            return False
        state.group = groups[state.chunk.list_no, state.chunk.group_no]
        return True

    async def _give_back(self, state: RunState) -> None:
        state.chunk = None
        await self._hot.release(self._node_no, state.run.no)

    async def _hand(self, ready: _Ready) -> None:
        armed = ready.armed
        if not armed.intents:
            return
        self._failpoints.reach("before_hand")
        self._late = False
        handed: list[int] = []
        for i, intent in enumerate(armed.intents):
            try:
                handed.append(await self._hand_one(ready, intent))
            except Exception:
                self._withdraw(AttemptKey(left.run_no, left.person, left.n) for left in armed.intents[i:])
                raise
        self._failpoints.reach("after_hand")
        # Where verdicts grow old before their turn, smaller steps are armed until they do not.
        self._arm_size = max(1, self._arm_size // 2) if self._late else min(2 * self._arm_size, self._tuning.arm_size)
        if measured := [segments for segments in handed if segments]:
            state = ready.state
            state.segments_guess += (sum(measured) / len(measured) - state.segments_guess) / 8
        self._recorder.nudge()

    def _withdraw(self, keys: Iterable[AttemptKey]) -> None:
        """Say of intents that something broke before they could be handed: they come again."""
        now = self._clock.now()
        for key in keys:
            if not self._holds.is_handed(key):
                self._recorder.note(Happening(*key, Kind.withdrawn, now, "broken_off"))

    async def _hand_one(self, ready: _Ready, intent: Intent) -> int:
        """Make and hand one text or call, in its turn, unless it was forbidden meanwhile or its verdict has grown old.

        Returns its segments; 0 of one that has none, as there is no text or no number.
        """
        run = ready.state.run
        key = AttemptKey(intent.run_no, intent.person, intent.n)
        if intent.number == UNREADABLE:
            self._recorder.note(Happening(*key, Kind.rejected, await self._hot.now(), "unreadable_number"))
            return 0
        state, group, sender = ready.state, (intent.list_no, intent.group_no), run.sender_of(intent.sender_no)
        contacted = Contacted(
            intent, sender, ready.armed.at, state.own_zones.get(group, ""), state.closes.get(group)
        )  # fmt: skip
        try:
            what, segments = state.maker.make(run, contacted)
        except CallsheetError as error:
            # This contact's values do not go into this template: nobody else has to wait for that.
            self._recorder.note(Happening(*key, Kind.rejected, await self._hot.now(), error.code))
            return 0
        if not self._pace.is_free:
            await self._pace.wait_turn(segments)
        late = self._clock.monotonic() > ready.deadline
        if not late and not await self._rooms.spend(run, intent, segments):
            self._recorder.note(Happening(*key, Kind.withdrawn, await self._hot.now(), Reason.daily_cap))
            return segments
        late = late or self._clock.monotonic() > ready.deadline
        talks = intent if run.flow_no else None
        barred = late or self._holds.is_barred(ready.reader, intent)
        if barred or not self._holds.hand(key, talks, state.maker.goes_on_after):
            self._late |= late
            code = "late" if late else "forbidden"
            self._recorder.note(Happening(*key, Kind.withdrawn, await self._hot.now(), code))
            return segments
        ready.kept.use(sender.trunk_no)
        self._rooms.line(sender.trunk_no).hand(key, what, partial(self._holds.leave, key))
        return segments
