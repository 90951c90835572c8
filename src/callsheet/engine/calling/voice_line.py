"""A line for calls: a trunk of a voice engine, with slots for calls at once, and a breaker that hears of each call."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog

from callsheet.clock import Clock
from callsheet.core.asking import Leave
from callsheet.core.attempt import Happening, Kind
from callsheet.core.breaker import Breaker, Outcome, Position
from callsheet.core.calling import Dial
from callsheet.core.condition import Condition, State
from callsheet.core.ids import AttemptKey
from callsheet.core.run import Run
from callsheet.engine.calling.crowding import Crowding
from callsheet.engine.calling.leader import Leader
from callsheet.engine.calling.slots import Limit, Slots
from callsheet.engine.line import TRUNK_BROKEN, TRUNK_STARTING, ToHand
from callsheet.engine.places import Claim, Places
from callsheet.engine.recorder import Recorder
from callsheet.store.apps import Trunk
from callsheet.voice.base import Call, Hear, VoiceEngine

log = structlog.get_logger()

NO_SLOT: Final = "no_slot"
"""The code of a call that was taken back because others took the last place meanwhile."""

LOCKED_OUT: Final = "Look at username, password and realm, at the account's credit, and at whether it is locked."
"""What to do when the provider refuses the account."""

RunOf = Callable[[int], Awaitable[Run | None]]
"""Returns a run by its number."""
LimitsOf = Callable[[], tuple[Limit, ...]]
"""Returns how many calls may go on at once, as it is now."""


class VoiceLine:
    """A trunk of a voice engine as a line."""

    def __init__(
        self,
        trunk: Trunk,
        engine: VoiceEngine,
        leader: Leader,
        slots: Slots,
        limits: LimitsOf,
        run_of: RunOf,
        recorder: Recorder,
        clock: Clock,
        rng: random.Random,
        on_nodes: Counter[str],
    ) -> None:
        """`on_nodes`: how many places all lines of this process keep on nodes, by carrier."""
        self._trunk = trunk
        self._engine = engine
        self._leader = leader
        self._slots = slots
        self._limits = limits
        self._run_of = run_of
        self._recorder = recorder
        self._clock = clock
        self._rng = rng
        self._tasks: set[asyncio.Task[None]] = set()
        self._unheard = 0
        """Calls of which nothing was heard yet: until then they say nothing of the trunk."""
        self._crowding = Crowding(clock)
        self._kept = 0
        """Places of contacts that are being armed, or wait for their turn."""
        self._on_nodes = on_nodes
        self._closing = False
        self._breaker = Breaker()
        self.on_free: Callable[[], None] = lambda: None
        self.on_turn: Callable[[Breaker, Breaker], None] = lambda _, __: None

    @property
    def breaker(self) -> Breaker:
        """What is known of the route."""
        return self._breaker

    def free(self, segments: float = 1.0) -> int:  # noqa: ARG002 (a call is one, always)
        """Return how many calls may be begun now, if there are slots: what nodes and what is known of it allow."""
        if self._closing or not self.condition().takes:
            return 0
        now = self._clock.now()
        self._turn(self._breaker.wake(now))
        on_nodes = self._engine.room(self._trunk.id) - self._on_nodes[self._trunk.carrier]
        most = self._crowding.known.room_at(now)
        by_trunk = on_nodes if most is None else most - len(self._tasks) - self._kept
        return max(0, min(self._breaker.room_at(now) - self._unheard - self._kept, on_nodes, by_trunk))

    def keep(self, most: int, claim: Claim, segments: float = 1.0) -> Places:  # noqa: ARG002 (a call is one, always)
        """Keep places, and slots with them: those that nobody else waits for whose turn it is."""
        limits = self._limits()
        count = self._slots.keep(limits, min(most, self.free()), claim)
        self._kept += count
        self._on_nodes[self._trunk.carrier] += count
        return Places(count, partial(self._let_go, limits, claim))

    def _let_go(self, limits: tuple[Limit, ...], claim: Claim, count: int, *, is_used: bool) -> None:
        self._kept -= count
        self._on_nodes[self._trunk.carrier] -= count
        self._slots.let_go(limits, count, None if is_used else claim)

    def forget(self, claim: Claim) -> None:
        """Leave no slots free for somebody who wants none now."""
        self._slots.forget(self._limits(), claim)

    def condition(self) -> Condition:
        """Return how the trunk stands with its engine, and whether it takes fewer calls than we have."""
        condition, known = self._engine.condition(self._trunk.id), self._crowding.known
        if condition.state is not State.open or not known.is_full(self._clock.now()):
            return condition
        why = f"it turns away calls beyond {known.most} at once: most_calls may say more than it takes"
        return condition._replace(state=State.throttled, why=why)

    def try_now(self) -> None:
        """Try the trunk again at once, whatever its breaker says."""
        self._turn(self._breaker.try_now(self._clock.now()))
        self.on_free()

    def go_on_from(self, breaker: Breaker) -> None:
        """Begin with what was known of the trunk before its settings changed: one that was broken is tried first."""
        if breaker.position is not Position.closed:
            self._breaker = breaker.try_now(self._clock.now())

    def hand(self, key: AttemptKey, what: ToHand, leave: Leave) -> None:
        """Begin a call. What was armed before the breaker opened, or a limit was met, is taken back and comes again."""
        assert isinstance(what, Dial), "a run of calls goes out over lines for calls"
        breaker, limits = self._breaker, self._limits()
        if not breaker.may_hand(self._unheard):
            self._withdraw(key, TRUNK_STARTING if breaker.position is Position.closed else TRUNK_BROKEN)
        elif not self._slots.take(limits):
            self._withdraw(key, NO_SLOT)
        else:
            self._unheard += 1
            task = asyncio.get_running_loop().create_task(self._lead(key, what, leave, limits), name="call")
            self._tasks.add(task)
            task.add_done_callback(self._end)

    # Second calls, for those who are put through.

    @property
    def trunk_id(self) -> str:
        """Return what its trunk is called in reports."""
        return self._trunk.id

    def limits(self) -> tuple[Limit, ...]:
        """Return how many calls may go on at once."""
        return self._limits()

    def occupy(self, limits: tuple[Limit, ...]) -> bool:
        """Take a place of each limit; False: there is none."""
        return not self._closing and self._slots.take(limits)

    def give_back(self, limits: tuple[Limit, ...]) -> None:
        """Give the places back."""
        self._slots.give_back(limits)
        self.on_free()

    async def dial_beside(self, dial: Dial, leave: Leave, hear: Hear, beside: Call) -> Call:
        """Place a call from the node of another one. Raises NotDialed."""
        return await self._engine.dial(self._trunk.id, dial, leave, hear, beside)

    def _withdraw(self, key: AttemptKey, code: str) -> None:
        self._recorder.note(Happening(*key, Kind.withdrawn, self._clock.now(), code))

    async def _lead(self, key: AttemptKey, dial: Dial, leave: Leave, limits: tuple[Limit, ...]) -> None:
        hint = _Hint(self, self._crowding, self._breaker.turn)
        try:
            run = await self._run(key)
            if run is None:
                return
            await self._leader.lead(self._trunk, key, run, dial, leave, hint)
        finally:
            # Of a call that ends without a word nothing is learned.
            hint.hear(Outcome.throttled, "")
            hint.end()
            self._slots.give_back(limits)

    async def _run(self, key: AttemptKey) -> Run | None:
        """Return the run of an attempt; None: there is none to go by, and the contact comes again."""
        try:
            run = await self._run_of(key.run_no)
        except Exception as error:  # noqa: BLE001 (whatever it was, nobody was called, and nobody must be forgotten)
            log.warning("call.not_begun", error=type(error).__name__)
            self._withdraw(key, "run_unread")
            return None
        if run is None:
            self._withdraw(key, "run_gone")
        return run

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.on_free()

    def learn(self, turn: int, sign: Outcome, said: str) -> None:
        """Learn from what was first heard of a call how the trunk does."""
        self._unheard -= 1
        at = self._clock.now()
        if sign is Outcome.unwell and self._crowding.known.is_full(at):
            # It works, and takes no more.
            sign = Outcome.throttled
        meaning = LOCKED_OUT if sign is Outcome.locked_out else ""
        jitter = self._rng.random()
        self._turn(self._breaker.note(sign, at, turn=turn, jitter=jitter, said=said, meaning=meaning))

    def _turn(self, breaker: Breaker) -> None:
        before, self._breaker = self._breaker, breaker
        if breaker.turn != before.turn:
            self.on_turn(before, breaker)

    async def open(self) -> None:
        """Begin to take calls: the engine was opened before."""

    async def close(self) -> None:
        """Take no more calls; those that go on are led to their end."""
        self._closing = True
        while self._tasks:
            await asyncio.wait(self._tasks)


class _Hint:
    """What one call says of its trunk: the first sign counts."""

    __slots__ = ("_crowding", "_goes_on", "_is_told", "_line", "_turn")

    def __init__(self, line: VoiceLine, crowding: Crowding, turn: int) -> None:
        self._line = line
        self._crowding = crowding
        self._turn = turn
        self._is_told = False
        self._goes_on = False

    def hear(self, sign: Outcome, said: str, *, is_up: bool = False) -> None:
        """Take a sign; `is_up`: the call rings, or was answered."""
        if not self._is_told:
            self._is_told = True
            if sign is Outcome.answered and is_up:
                self._goes_on = True
                self._crowding.begin()
            self._line.learn(self._turn, sign, said)

    async def weigh(self, *, is_sure: bool) -> bool:
        """Return whether a call that was turned away at once was so by the trunk itself."""
        return await self._crowding.weigh(is_sure=is_sure)

    def end(self) -> None:
        """Take notice that the call is over."""
        if self._goes_on:
            self._crowding.going_on -= 1
