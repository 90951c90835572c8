"""Transfer: a caller is put through to somebody else.

A second call goes out through the same trunk, from the same node; when it is answered the two are joined, and both are
watched until one of them hangs up.

The second call takes a place and its turn as every call does. It has no attempt: what dies with this process is hung up
when it is found.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from callsheet.clock import Clock
from callsheet.core.attempt import Kind
from callsheet.core.calling import Dial
from callsheet.core.campaign import MachineDetection
from callsheet.core.day_use import sender_of_person
from callsheet.core.flow.effects import Say, Transfer
from callsheet.core.run import Run, Sender
from callsheet.core.transferring import Target, Transferred, read_target
from callsheet.engine.calling.leading import end
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.patience import Patience
from callsheet.engine.calling.playing import Player
from callsheet.engine.calling.prompts import RINGING
from callsheet.engine.calling.ringing_back import RingBack
from callsheet.engine.calling.second_call import Second, Waiting
from callsheet.engine.calling.slots import AGENTLESS, Limit
from callsheet.engine.calling.talking import Talking
from callsheet.engine.calling.voice_line import VoiceLine
from callsheet.engine.holds import Scope
from callsheet.engine.pace import Pace, rates_of
from callsheet.store.store import Store
from callsheet.voice.base import (
    Answered,
    CallEvent,
    CallGone,
    CannotJoin,
    HungUp,
    NotDialed,
)

log = structlog.get_logger()

END_SECONDS: Final = 10.0
"""So long the engine may take to say that a call is over which we hung up."""
GRACE_SECONDS: Final = 5.0
"""So much longer than it may ring a call may take until its engine says that nobody answered."""
PLACE_SECONDS: Final = 3.0
"""So long a caller waits for a place among the calls at once."""
ASK_SECONDS: Final = 0.1
"""So often it is asked for one."""
TURN_SECONDS: Final = 10.0
"""So long a caller waits for the turn of a trunk that may begin only so many calls a second."""


Lines = Callable[[], Mapping[int, object]]
"""Returns the lines that are open now, by the numbers of their trunks."""


class Connector:
    """Puts callers of this node through."""

    def __init__(self, store: Store, clock: Clock, lines: Lines, player: Player) -> None:
        self._store = store
        self._clock = clock
        self._lines = lines
        self._ring_back = RingBack(player, clock)
        self._seconds: set[Second] = set()
        """Second calls, from before it is asked whether they are forbidden."""
        self._patience = Patience(clock)

    def bar(self, scope: Scope) -> None:
        """Place no call that a scope covers; call it after the commit. What rings is for a ring watch."""
        for second in self._seconds:
            second.bar(scope)

    def ringing(self) -> Collection[Second]:
        """Return the second calls that nobody has answered yet."""
        return [second for second in self._seconds if second.is_ringing]

    async def put_through(self, talking: Talking, wanted: Transfer, language: str) -> Transferred | None:
        """Return when the two have talked, or could not; None: the caller hung up before.

        `language`: that of what is said to the caller who waits.
        Raises CallGone where that was not read yet, and Unavailable when the store was away for too long.
        """
        talking.note(self._clock.now(), "transfer", block=wanted.block)
        try:
            outcome = await self._put_through(talking, wanted, language)
        except CallGone:
            outcome = None
        said = outcome.value if outcome is not None else "caller_left"
        talking.note(self._clock.now(), "transferred", outcome=said)
        # What they pressed was for each other.
        talking.keys.clear()
        if outcome is None and not talking.is_over:
            raise CallGone
        return outcome

    async def _put_through(self, talking: Talking, wanted: Transfer, language: str) -> Transferred | None:
        target = await self._target(talking, wanted)
        if isinstance(target, Transferred):
            return target
        sender = _sender_of(talking.live)
        line = self._lines().get(sender.trunk_no)
        if not isinstance(line, VoiceLine):
            return Transferred.unreachable
        limits = _as_of(line.limits(), talking.live.run)
        if not await self._await_place(talking, line, limits):
            return Transferred.no_room
        waiting = partial(self._ring_back.heard, talking, _said_meanwhile(wanted), language)
        second = self._second(talking.live.run, sender, target, wanted, waiting)
        self._seconds.add(second)
        try:
            return await self._call_in_turn(talking, line, sender, second)
        finally:
            self._seconds.discard(second)
            line.give_back(limits)

    async def _await_place(self, talking: Talking, line: VoiceLine, limits: tuple[Limit, ...]) -> bool:
        """Take a place of each limit. One of many nodes holds as many as it uses, and gets more soon after it asks.

        Raises CallGone.
        """
        waits_until = self._clock.monotonic() + PLACE_SECONDS
        while not line.occupy(limits):
            if talking.live.events.over.is_set():
                raise CallGone
            if self._clock.monotonic() >= waits_until:
                return False
            await self._clock.sleep(ASK_SECONDS)
        return True

    def _second(self, run: Run, sender: Sender, target: Target, wanted: Transfer, waiting: Waiting) -> Second:
        key = self._store.vault.app(run.app)
        assert key is not None, "its calls go on"
        dial = Dial(
            secrets.token_hex(24), target.to, sender.label, wanted.answer_seconds, MachineDetection.no,
            run.campaign_id, run.settings.longest_call_seconds,
        )  # fmt: skip
        return Second(run, frozenset(key.person(number) for number in target.numbers), dial, waiting)

    async def _call_in_turn(
        self, talking: Talking, line: VoiceLine, sender: Sender, second: Second
    ) -> Transferred | None:
        pace = Pace(self._store.hot, self._clock, second.run.app, rates_of(sender.buckets, None))
        if not await self._patience.ask_while(talking.live, partial(_await_turn, pace), is_slow=True):
            return Transferred.no_room
        while True:
            second.is_barred = False
            # Asked as late as may be: the turn took its time.
            if await self._patience.ask_while(talking.live, partial(self._is_forbidden, second.run, second)):
                return Transferred.forbidden
            if talking.live.events.over.is_set():
                return None
            try:
                return await self._call(talking, line, second)
            except NotDialed as refusal:
                # Whom a bar met on the way may not have been meant, and is asked for again.
                if refusal.kind is not Kind.withdrawn:
                    log.warning("call.transfer_not_dialed", code=refusal.code)
                    return Transferred.forbidden if second.is_barred else Transferred.unreachable

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

    async def _is_forbidden(self, run: Run, second: Second) -> bool:
        """Tell whether somebody asked that nobody calls there, or all sending of the app was stopped."""
        if await self._store.sending.find(run.app) is not None:
            return True
        return any([await self._store.standings.is_spared(run, person) for person in second.persons])

    async def _call(self, talking: Talking, line: VoiceLine, second: Second) -> Transferred | None:
        """Place it, and follow it to its end. Raises NotDialed."""
        at, dial = self._clock.now(), second.dial
        second.call = await line.dial_beside(dial, second.leave, second.events.put_nowait, talking.live.call)
        # Who reconciles the provider's bill finds both calls of a transfer in one place.
        talking.note(at, "transfer_dialed", to=dial.to, trunk=line.trunk_id)
        try:
            return await self._follow(talking, second)
        finally:
            await self._finish(talking, second)

    async def _follow(self, talking: Talking, second: Second) -> Transferred | None:
        """Wait for the answer, join the two, and wait for the end of one of them.

        Nobody is joined with who was forbidden, while it was placed or while it rang: that call is over now.
        """
        ran_out = False
        try:
            async with second.waiting(), asyncio.timeout(second.dial.ring_seconds + GRACE_SECONDS):
                await self._watch(talking, second, lambda: second.is_answered or second.is_barred)
        except TimeoutError:
            ran_out = True
        if talking.is_over:
            return None
        if second.end is not None or ran_out or second.is_barred:
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
            talking.note(event.at, "transfer_answered" if second.is_answered else "transfer_answered_too_late")

    async def _finish(self, talking: Talking, second: Second) -> None:
        """Hang up the other side, and hear its end; the caller is alone again."""
        if second.call is not None and second.end is None:
            await end(second.call)
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
        last = second.end
        at = last.at if last is not None else self._clock.now()
        said: dict[str, str | float] = {"talk_seconds": second.talk_seconds(at)}
        if isinstance(last, HungUp):
            said |= {"cause": last.cause, "sip_status": last.sip_status, "by_us": int(last.by_us)}
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


def _said_meanwhile(wanted: Transfer) -> Say:
    """Return what a caller hears until somebody answers."""
    text, audio = wanted.waiting_text, wanted.waiting_audio
    return Say(wanted.block, text, audio or ("" if text else RINGING))


def _sender_of(live: LiveCall) -> Sender:
    """Return the sender of a call: of a pool whoever goes out through the trunk that it went out through."""
    usual = sender_of_person(live.run, live.key.person, None)
    through = [sender for sender in live.run.senders if sender.trunk_no == live.trunk_no]
    return usual if usual in through or not through else through[0]


def _as_of(limits: tuple[Limit, ...], run: Run) -> tuple[Limit, ...]:
    """Return limits with what the app says now: whose run has ended meanwhile, nobody keeps the settings of."""
    mine = run.settings.agentless_concurrent_calls
    return tuple(limit._replace(most=mine) if limit.name == AGENTLESS else limit for limit in limits)
