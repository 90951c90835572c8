"""Transfer: a caller is put through to somebody else.

A second call goes out through the same trunk, from the same node; when it is answered the two are joined, and both are
watched until one of them hangs up.

The second call takes a place and its turn as every call does. It has no attempt: what dies with this process is hung up
when it is found.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from callsheet.clock import Clock
from callsheet.core.asking import nobody_forbids
from callsheet.core.calling import Clearing, Dial, decide_outcome
from callsheet.core.campaign import MachineDetection
from callsheet.core.day_use import sender_of_person
from callsheet.core.flow.effects import Transfer
from callsheet.core.run import Run, Sender
from callsheet.core.transferring import Target, Transferred, of_outcome, read_target
from callsheet.engine.calling.call_events import CallEvents
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.patience import Patience
from callsheet.engine.calling.slots import AGENTLESS, Limit
from callsheet.engine.calling.talking import Talking
from callsheet.engine.calling.voice_line import VoiceLine
from callsheet.engine.pace import Pace, rates_of
from callsheet.store.store import Store
from callsheet.voice.base import (
    Answered,
    Call,
    CallEvent,
    CallGone,
    CannotJoin,
    HungUp,
    Lost,
    NotDialed,
    Ringing,
)

log = structlog.get_logger()

END_SECONDS: Final = 10.0
"""So long the engine may take to say that a call is over which we hung up."""
GRACE_SECONDS: Final = 5.0
"""So much longer than it may ring a call may take until its engine says that nobody answered."""
TURN_SECONDS: Final = 10.0
"""So long a caller waits for the turn of a trunk that may begin only so many calls a second."""


Lines = Callable[[], Mapping[int, object]]
"""Returns the lines that are open now, by the numbers of their trunks."""


class Second:
    """The other side of a transfer."""

    def __init__(self) -> None:
        self.events = CallEvents()
        self.call: Call | None = None
        self.answered_at: datetime | None = None
        self.has_rung = False
        self.end: HungUp | Lost | None = None

    @property
    def is_answered(self) -> bool:
        """Tell whether somebody answered."""
        return self.answered_at is not None

    def take(self, event: CallEvent) -> None:
        """Read an event of it."""
        match event:
            case Ringing():
                self.has_rung = True
            case Answered(at=at):
                self.answered_at = at
            case HungUp() | Lost():
                self.end = event
            case _:
                pass

    def talk_seconds(self, ended_at: datetime) -> float:
        """Return how long it was answered, as a provider counts."""
        if self.answered_at is None:
            return 0.0
        return round(max(0.0, (ended_at - self.answered_at).total_seconds()), 3)

    def outcome(self, *, ran_out: bool) -> Transferred:
        """Return what its end without an answer makes of the transfer."""
        end = self.end
        if isinstance(end, HungUp):
            return of_outcome(
                decide_outcome(Clearing(end.cause, end.sip_status, self.is_answered, self.has_rung, ran_out, False))
            )
        return Transferred.no_answer if ran_out else Transferred.unreachable


class Connector:
    """Puts callers of this node through."""

    def __init__(self, store: Store, clock: Clock, lines: Lines) -> None:
        self._store = store
        self._clock = clock
        self._lines = lines
        self._patience = Patience(clock)

    async def put_through(self, talking: Talking, wanted: Transfer) -> Transferred | None:
        """Return when the two have talked, or could not; None: the caller hung up before.

        Raises CallGone where that was not read yet, and Unavailable when the store was away for too long.
        """
        talking.note(self._clock.now(), "transfer", block=wanted.block)
        try:
            outcome = await self._put_through(talking, wanted)
        except CallGone:
            outcome = None
        said = outcome.value if outcome is not None else "caller_left"
        talking.note(self._clock.now(), "transferred", outcome=said)
        # What they pressed was for each other.
        talking.keys.clear()
        if outcome is None and not talking.is_over:
            raise CallGone
        return outcome

    async def _put_through(self, talking: Talking, wanted: Transfer) -> Transferred | None:
        target = await self._target(talking, wanted)
        if isinstance(target, Transferred):
            return target
        run = talking.live.run
        sender = _sender_of(talking.live)
        line = self._lines().get(sender.trunk_no)
        if not isinstance(line, VoiceLine):
            return Transferred.unreachable
        limits = _as_of(line.limits(), run)
        if not line.occupy(limits):
            return Transferred.no_room
        try:
            return await self._call_in_turn(talking, wanted, line, target, sender)
        finally:
            line.give_back(limits)

    async def _call_in_turn(
        self, talking: Talking, wanted: Transfer, line: VoiceLine, target: Target, sender: Sender
    ) -> Transferred | None:
        run = talking.live.run
        pace = Pace(self._store.hot, self._clock, run.app, rates_of(sender.buckets, None))
        if not await self._patience.ask_while(talking.live, partial(_await_turn, pace), is_slow=True):
            return Transferred.no_room
        # Asked as late as may be: the turn took its time.
        if await self._patience.ask_while(talking.live, partial(self._is_spared, run, target)):
            return Transferred.forbidden
        if talking.live.events.over.is_set():
            return None
        dial = Dial(
            secrets.token_hex(24), target.to, sender.label, wanted.answer_seconds, MachineDetection.no,
            run.campaign_id, run.settings.longest_call_seconds,
        )  # fmt: skip
        return await self._call(talking, line, dial)

    async def _target(self, talking: Talking, wanted: Transfer) -> Target | Transferred:
        """Return whom to call, if anybody may."""
        app, said = talking.app, wanted.to
        if not said:
            called = partial(self._store.queues.called, app, wanted.queue)
            queue = await self._patience.ask_while(talking.live, called)
            said = queue.number if queue is not None and queue.is_active else ""
        if not said:
            return Transferred.no_agents
        return read_target(said, talking.live.run.settings.region)

    async def _is_spared(self, run: Run, target: Target) -> bool:
        """Tell whether somebody asked that nobody calls there."""
        key = self._store.vault.app(run.app)
        assert key is not None, "its calls go on"
        return any([await self._store.standings.is_spared(run, key.person(number)) for number in target.numbers])

    async def _call(self, talking: Talking, line: VoiceLine, dial: Dial) -> Transferred | None:
        second = Second()
        at = self._clock.now()
        try:
            second.call = await line.dial_beside(dial, nobody_forbids, second.events.put_nowait, talking.live.call)
        except NotDialed as refusal:
            log.warning("call.transfer_not_dialed", code=refusal.code)
            return Transferred.unreachable
        # Who reconciles the provider's bill finds both calls of a transfer in one place.
        talking.note(at, "transfer_dialed", to=dial.to, trunk=line.trunk_id)
        try:
            return await self._follow(talking, second, dial.ring_seconds)
        finally:
            await self._finish(talking, second)

    async def _follow(self, talking: Talking, second: Second, ring_seconds: float) -> Transferred | None:
        """Wait for the answer, join the two, and wait for the end of one of them."""
        ran_out = False
        try:
            async with asyncio.timeout(ring_seconds + GRACE_SECONDS):
                await self._watch(talking, second, lambda: second.is_answered)
        except TimeoutError:
            ran_out = True
        if talking.is_over:
            return None
        if second.end is not None or ran_out:
            return second.outcome(ran_out=ran_out)
        assert second.call is not None, "it was placed"
        try:
            await talking.live.call.join(second.call)
        except (CannotJoin, CallGone):
            log.warning("call.not_joined")
            return None if talking.is_over else Transferred.unreachable
        talking.note(self._clock.now(), "joined")
        await self._watch(talking, second, lambda: False)
        return Transferred.connected

    async def _watch(self, talking: Talking, second: Second, is_enough: Callable[[], bool]) -> None:
        """Hear both, until one is over, or it is enough."""
        while not (talking.is_over or second.end is not None or is_enough()):
            other = asyncio.get_running_loop().create_task(second.events.get())
            try:
                await talking.live.hear_beside(other)
            finally:
                other.cancel()
                await asyncio.gather(other, return_exceptions=True)
            if not other.cancelled():
                self._take(talking, second, other.result())

    def _take(self, talking: Talking, second: Second, event: CallEvent) -> None:
        second.take(event)
        if isinstance(event, Answered):
            talking.note(event.at, "transfer_answered")

    async def _finish(self, talking: Talking, second: Second) -> None:
        """Hang up the other side, and hear its end; the caller is alone again."""
        if second.call is not None and second.end is None:
            with suppress(CallGone):
                await second.call.hang_up()
            with suppress(TimeoutError):
                async with asyncio.timeout(END_SECONDS):
                    while second.end is None:
                        self._take(talking, second, await second.events.get())
        if second.call is not None:
            self._note_end(talking, second)
        if not talking.is_over:
            with suppress(CallGone):
                await talking.live.call.part()

    def _note_end(self, talking: Talking, second: Second) -> None:
        """Write down how the other side ended; of one that was lost there is no cause."""
        end = second.end
        at = end.at if end is not None else self._clock.now()
        said: dict[str, str | float] = {"talk_seconds": second.talk_seconds(at)}
        if isinstance(end, HungUp):
            said |= {"cause": end.cause, "sip_status": end.sip_status, "by_us": int(end.by_us)}
        talking.note(at, "transfer_ended", **said)


async def _await_turn(pace: Pace) -> bool:
    """Wait for the turn of a call at the trunk's rate; False: it takes too long. Raises Unavailable."""
    if pace.is_free:
        return True
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await pace.wait_turn(1)
    except TimeoutError:
        return False
    return True


def _sender_of(live: LiveCall) -> Sender:
    """Return the sender of a call: of a pool whoever goes out through the trunk that it went out through."""
    usual = sender_of_person(live.run, live.key.person, None)
    through = [sender for sender in live.run.senders if sender.trunk_no == live.trunk_no]
    return usual if usual in through or not through else through[0]


def _as_of(limits: tuple[Limit, ...], run: Run) -> tuple[Limit, ...]:
    """Return limits with what the app says now: whose run has ended meanwhile, nobody keeps the settings of."""
    mine = run.settings.agentless_concurrent_calls
    return tuple(limit._replace(most=mine) if limit.name == AGENTLESS else limit for limit in limits)
