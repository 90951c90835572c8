"""Lines: one for each trunk, opened and closed as the trunks are made, changed and deleted, on whatever node.

A node has two sets of them, for texts and for calls: a trunk whose carrier speaks both has a line in each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Generic, NamedTuple, TypeVar

import structlog

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.asking import Leave
from callsheet.core.attempt import Happening, Kind
from callsheet.core.breaker import Breaker, Position
from callsheet.core.condition import Condition, State
from callsheet.core.errors import CallsheetError, Unavailable
from callsheet.core.ids import AttemptKey
from callsheet.core.notice import NoticeKind
from callsheet.engine.line import Line, ToHand
from callsheet.engine.loop import Loop
from callsheet.engine.places import Claim, Places, no_places
from callsheet.engine.recorder import Recorder
from callsheet.store.apps import Trunk
from callsheet.store.store import Store

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0
"""How often to look whether another node changed a trunk, and how the lines stand."""

TRUNK_SECONDS: Final = 10.0
LONGEST_TRUNK_SECONDS: Final = 300.0
"""How long to wait before a trunk that could not be opened is tried again: at first, and at most."""

OPEN_SECONDS: Final = 15.0
"""A carrier connects by itself, later if need be: one whose opening takes longer holds up the others."""

PATIENCE: Final = timedelta(minutes=1)
"""A trunk that connects for longer is broken, to those who want to be told."""

LineT = TypeVar("LineT", bound=Line)
MakeLine = Callable[[Trunk], LineT]
"""How a trunk becomes a line."""


class Standing(NamedTuple):
    """How the line of a trunk stands on this node."""

    condition: Condition
    since: datetime | None
    """Since when it has this state; none: nobody looked yet."""
    breaker: Breaker

    @property
    def trouble(self) -> str:
        """Say why no message is handed over, in a sentence; empty: messages flow."""
        if self.breaker.position is not Position.closed:
            return self.breaker.why
        if self.condition.takes:
            return ""
        return self.condition.why or f"It is {self.condition.state.value}."

    @property
    def is_broken(self) -> bool:
        """Tell whether it takes nothing for long, and people may have to act."""
        return self.breaker.position is Position.open or (
            self.condition.state is State.broken and not self.condition.takes
        )


_NOT_YET: Final = Standing(Condition(State.closed, "This node has not opened the trunk yet."), None, Breaker())
NOT_HERE: Final = Standing(Condition(State.closed, "This node sends nothing."), None, Breaker())


class _Tell(NamedTuple):
    """What others are to be told of a trunk."""

    trunk: Trunk
    kind: NoticeKind
    why: str


@dataclass(slots=True)
class _Held(Generic[LineT]):
    """What this node has of a trunk."""

    trunk: Trunk
    line: LineT | None = None
    """None: it could not be opened."""
    why: str = ""
    try_again_at: float = 0.0
    """When a trunk that could not be opened is tried again, on the monotonic clock."""
    tries: int = 0
    """How often it could not be opened."""
    is_told_of: bool = False
    """Others were told that it is broken."""
    state: State = State.closed
    since: datetime | None = None


class Route:
    """The line of a trunk, whichever it is at this moment: what dispatchers hand to."""

    def __init__(self, held: Callable[[], Line | None], recorder: Recorder, clock: Clock) -> None:
        self._line = held
        self._recorder = recorder
        self._clock = clock

    def free(self, segments: float = 1.0) -> int:
        """Return how many intents of so many segments may be armed now; none while there is no line."""
        line = self._line()
        return line.free(segments) if line is not None else 0

    def keep(self, most: int, claim: Claim, segments: float = 1.0) -> Places:
        """Keep places on the line of now; should another take its turn, they are free there all the same."""
        line = self._line()
        return line.keep(most, claim, segments) if line is not None else no_places()

    def forget(self, claim: Claim) -> None:
        """Tell the line that somebody wants no place now."""
        line = self._line()
        if line is not None:
            line.forget(claim)

    def hand(self, key: AttemptKey, what: ToHand, leave: Leave) -> None:
        """Hand a text or a call to the line; when there is none any more it is taken back, and comes again."""
        line = self._line()
        if line is not None:
            line.hand(key, what, leave)
            return
        self._recorder.note(Happening(*key, Kind.withdrawn, self._clock.now(), "trunk_closed"))


@dataclass(slots=True)
class _Closing:
    """Lines that drain."""

    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def add(self, closing: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(closing, name="close line")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Lines(Loop, Generic[LineT]):
    """The lines of this node for one channel."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        recorder: Recorder,
        make_line: MakeLine[LineT],
        *,
        carries: Callable[[str], bool],
        tick_seconds: float,
    ) -> None:
        """`carries` tells of a carrier, by its name, whether its trunks have lines here."""
        super().__init__()
        self._carries = carries
        self._store = store
        self._clock = clock
        self._recorder = recorder
        self._make_line = make_line
        self._look_seconds = max(LOOK_SECONDS, tick_seconds)
        self._held: dict[int, _Held[LineT]] = {}
        self._closing = _Closing()
        self._looking = asyncio.Lock()
        self._tells: list[_Tell] = []
        self._telling = asyncio.Lock()
        self.on_change: Callable[[], None] = lambda: None
        """Called when a line was opened, or is mended: there may be work for it."""
        self.on_free: Callable[[], None] = lambda: None
        """Called when much of a line has become free."""

    def route(self, trunk_no: int) -> Route:
        """Return the way to a trunk, whether its line is open or not."""
        if trunk_no not in self._held:
            self.wake()
        return Route(lambda: self._line(trunk_no), self._recorder, self._clock)

    def open_ones(self) -> Mapping[int, LineT]:
        """Return the lines that are open, by the number of their trunk."""
        return {no: held.line for no, held in self._held.items() if held.line is not None}

    def has(self, trunk_no: int) -> bool:
        """Tell whether a trunk has a line here, or should have, as far as this node has looked."""
        return trunk_no in self._held

    def standing(self, trunk_no: int) -> Standing:
        """Return how a trunk stands here."""
        held = self._held.get(trunk_no)
        if held is None:
            return _NOT_YET
        if held.line is None:
            return Standing(Condition(State.broken, held.why), held.since, Breaker())
        condition = held.line.condition()
        return Standing(condition, held.since if condition.state is held.state else None, held.line.breaker)

    def try_now(self, trunk_no: int) -> None:
        """Try a trunk again at once, whatever its breaker says."""
        held = self._held.get(trunk_no)
        if held is None or held.line is None:
            if held is not None:
                held.try_again_at = 0.0
            self.wake()
            return
        held.line.try_now()

    async def run(self) -> None:
        """Look until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self.look()
                await self._tell()
            except Unavailable:
                log.warning("lines.store_away")
            await self._rest(self._look_seconds)

    async def look(self) -> None:
        """Open, open anew and close lines until they are those of the trunks, and see how they stand."""
        async with self._looking:
            if not self._stopping:
                await self._look()

    async def _look(self) -> None:
        every = await self._store.trunks.changes()
        changed = {no: one.at for no, one in every.items() if self._carries(one.carrier)}
        for trunk_no in self._held.keys() - changed.keys():
            self._close(self._held.pop(trunk_no))
        now = self._clock.monotonic()
        if any(self._wants(trunk_no, at, now) for trunk_no, at in changed.items()):
            mine = [one for one in await self._store.apps.trunks() if self._carries(one.carrier)]
            wanted = [one for one in mine if self._wants(one.no, one.changed_at, now)]
            await asyncio.gather(*(self._open(trunk) for trunk in wanted))
            self.on_change()
        for held in self._held.values():
            self._see(held)

    async def close(self) -> None:
        """Close all lines, once what was handed has an answer; then tell what is left to tell."""
        self.stop()
        async with self._looking:
            for held in self._held.values():
                self._close(held)
        while self._closing.tasks:
            await asyncio.wait(self._closing.tasks)
        self._held.clear()
        with suppress(Unavailable):
            await self._tell()

    def _line(self, trunk_no: int) -> LineT | None:
        held = self._held.get(trunk_no)
        return held.line if held is not None else None

    def _wants(self, trunk_no: int, changed_at: datetime, now: float) -> bool:
        held = self._held.get(trunk_no)
        if held is None or held.trunk.changed_at != changed_at:
            return True
        return held.line is None and now >= held.try_again_at

    async def _open(self, trunk: Trunk) -> None:
        """Open the line of a trunk in place of the one of before, which drains. One that cannot be opened waits."""
        before = self._held.get(trunk.no)
        new: _Held[LineT] = _Held(trunk, is_told_of=before is not None and before.is_told_of)
        line: LineT | None = None
        try:
            line = self._make_line(trunk)
            async with asyncio.timeout(OPEN_SECONDS):
                await line.open()
        except Exception as error:
            self._close(_Held(trunk, line))
            log.exception("trunk.broke", trunk=trunk.id)
            new.why = error.message if isinstance(error, CallsheetError) else "It cannot be opened; the log says why."
            new.tries = before.tries + 1 if before is not None else 1
            pause = min(TRUNK_SECONDS * 2 ** min(new.tries - 1, 10), LONGEST_TRUNK_SECONDS)
            new.try_again_at = self._clock.monotonic() + pause
        else:
            if before is not None and before.line is not None:
                line.go_on_from(before.line.breaker)
            line.on_turn = partial(self._turned, trunk)
            line.on_free = self.on_free
            new.line = line
        self._held[trunk.no] = new
        if before is not None:
            log.info("trunk.reopened", trunk=trunk.id, is_open=new.line is not None)
            self._close(before)

    def _close(self, held: _Held[LineT]) -> None:
        if held.line is not None:
            self._closing.add(self._close_line(held.trunk, held.line))
            held.line = None

    async def _close_line(self, trunk: Trunk, line: Line) -> None:
        try:
            await line.close()
        except Exception:
            log.exception("trunk.close_broke", trunk=trunk.id)

    def _see(self, held: _Held[LineT]) -> None:
        """Remember since when a line stands as it does, and what others have to be told of that."""
        now = self._clock.now()
        standing = self.standing(held.trunk.no)
        state = standing.condition.state
        if state is not held.state or held.since is None:
            held.state, held.since = state, now
            log.info("trunk.stands", trunk=held.trunk.id, state=state.value)
        takes = standing.condition.takes
        is_late = state is State.connecting and not takes and now - held.since > PATIENCE
        if standing.is_broken or is_late or standing.breaker.position is not Position.closed:
            if not held.is_told_of:
                self._tells.append(_Tell(held.trunk, NoticeKind.trunk_broken, standing.trouble))
            held.is_told_of = True
        elif held.is_told_of and takes:
            held.is_told_of = False
            self._tells.append(_Tell(held.trunk, NoticeKind.trunk_mended, ""))

    def _turned(self, trunk: Trunk, before: Breaker, after: Breaker) -> None:
        """Say that a breaker changed its position: in the log and to the meters; others are told at the next look."""
        if after.position is before.position:
            return
        meters.breaker_turns.labels(position=after.position.value).inc()
        match after.position:
            case Position.open:
                log.warning("trunk.breaker_opened", trunk=trunk.id, why=after.why, next_try_at=str(after.next_try_at))
            case Position.half_open:
                log.info("trunk.breaker_tries", trunk=trunk.id)
            case Position.closed:
                log.info("trunk.breaker_closed", trunk=trunk.id)
                self.on_change()
        self.wake()

    async def _tell(self) -> None:
        # The loop may be at it when the engine stops and tells the rest: each is told once.
        async with self._telling:
            while self._tells:
                tell = self._tells[0]
                await self._store.trunks.tell(tell.trunk, tell.kind, tell.why, self._clock.now())
                del self._tells[0]
