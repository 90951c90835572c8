"""Lead: one task takes a call from its dialing to its end, and tells what becomes of its attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

import structlog

from callsheet.clock import Clock
from callsheet.core.asking import Leave
from callsheet.core.attempt import Happening, Kind
from callsheet.core.breaker import Outcome as Sign
from callsheet.core.calling import TALKS, Dial, Outcome, decide_outcome, happening_of, is_sudden, result_of, sign_of
from callsheet.core.campaign import MachineDetection
from callsheet.core.errors import Unavailable
from callsheet.core.ids import AttemptKey
from callsheet.core.run import Run
from callsheet.engine.calling.leading import Leading
from callsheet.engine.calling.live_call import ANSWERED, ANSWERED_LATE, LiveCall
from callsheet.engine.calling.patience import Patience
from callsheet.engine.recorder import Recorder
from callsheet.store.apps import Trunk
from callsheet.voice.base import Answered, CallGone, Found, HungUp, Lost, NotDialed, Ringing, VoiceEngine

log = structlog.get_logger()

END_SECONDS: Final = 60.0
"""So long the engine may take to say that a call is over which we hung up; then it is lost to us. It is longer than an
engine waits for a node that is away: what that tells when it is back decides, and not our impatience."""
GRACE_SECONDS: Final = 5.0
"""So long calls that were answered may go on when this node stops, and nobody let them go on for longer."""
STOP_SECONDS: Final = 10.0
"""So long calls may take to end then; they are not waited for any longer."""
BROKE: Final = "broke"
"""The code of an attempt whose call we could not lead on, before anybody answered."""
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_SIGNS: Final = {Kind.refused: Sign.unwell, Kind.uncertain: Sign.unanswered, Kind.rejected: Sign.answered}
"""What a call that was not placed says of its trunk."""

Leads = Callable[[LiveCall, Outcome], None]


class Hint(Protocol):
    """What one call tells of its trunk."""

    def hear(self, sign: Sign, said: str, *, is_up: bool = False) -> None:
        """Take what it says, and how that was put; the first counts. `is_up`: it rings, or was answered."""

    async def weigh(self, *, is_sure: bool) -> bool:
        """Return whether a call that was turned away at once was so by the trunk itself; `is_sure`: in any case."""


class _Unheard:
    """Of a call that an earlier process placed nothing is learned."""

    def hear(self, sign: Sign, said: str, *, is_up: bool = False) -> None:
        """Hear nothing."""

    async def weigh(self, *, is_sure: bool) -> bool:
        """Believe what it says."""
        return is_sure


class Talks(Protocol):
    """What leads the conversation in a call."""

    async def lead(self, live: LiveCall, answered_by: str) -> bool:
        """Talk until the flow is through, or the call is over; one that is over already ends its conversation.

        False: it was given up, as the store stayed away.
        """


class Detects(Protocol):
    """What says who answered."""

    async def judge(self, live: LiveCall) -> Outcome:
        """Listen, and return `human`, `machine` or `unsure`; `unsure` too where the call ends meanwhile."""


class Leader:
    """Leads the calls of this node through one voice engine."""

    def __init__(self, engine: VoiceEngine, recorder: Recorder, clock: Clock, talk: Talks, detect: Detects) -> None:
        self._engine = engine
        self._recorder = recorder
        self._clock = clock
        self._patience = Patience(clock)
        self._talk = talk
        self._detect = detect
        self._led: dict[AttemptKey, Leading] = {}
        self._is_draining = False
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.on_dialed: Callable[[LiveCall], None] = lambda _: None
        """Told of each call that the engine took."""
        self.on_answered: Callable[[LiveCall], None] = lambda _: None
        """Told of each call that was answered, or that was when it was found."""
        self.on_ended: Leads = lambda _, __: None
        """Told of each call that is over, and what came of it."""

    def __len__(self) -> int:
        """Return how many calls go on."""
        return len(self._led)

    def led(self) -> Collection[Leading]:
        """Return the calls that go on."""
        return self._led.values()

    def ringing(self) -> Collection[Leading]:
        """Return the calls that nobody has answered yet."""
        return [leading for leading in self._led.values() if not leading.is_answered]

    async def lead(self, trunk: Trunk, key: AttemptKey, run: Run, dial: Dial, leave: Leave, hint: Hint) -> None:
        """Place a call and lead it to its end; what becomes of its attempt is recorded on the way."""
        leading = Leading(key, run, dial, trunk.no, asyncio.current_task(), began=self._clock.monotonic())
        self._enter(leading)
        try:
            if await self._place(trunk.id, leading, run, leave, hint):
                await self._follow(leading, hint)
        finally:
            self._leave(leading)

    async def adopt(
        self,
        live: LiveCall,
        dial: Dial,
        found: Found,
        told: Mapping[str, str],
    ) -> None:
        """Go on with a call that an earlier process placed. `told`: what is recorded of its attempt, code by kind."""
        rung = (self._clock.now() - found.placed_at) / timedelta(seconds=1)
        left = dial._replace(ring_seconds=max(1, round(dial.ring_seconds - rung)))
        leading = Leading(live.key, live.run, left, live.trunk_no, asyncio.current_task(), live.events, live)
        leading.rings_until = found.placed_at + timedelta(seconds=dial.ring_seconds)
        live.note(found.placed_at, "dialed")
        if found.is_answered:
            leading.is_answered = True
            live.note(found.answered_at or self._clock.now(), ANSWERED)
        live.note(self._clock.now(), "found")
        live.is_taken_over = found.is_answered
        leading.was_cancelled = self._is_draining and not found.is_answered
        self._enter(leading)
        try:
            await self._follow(leading, _Unheard(), told)
        finally:
            self._leave(leading)

    def _enter(self, leading: Leading) -> None:
        self._led[leading.key] = leading
        self._quiet.clear()

    def _leave(self, leading: Leading) -> None:
        # It may have been lost, and found again: then somebody else leads it by now.
        if self._led.get(leading.key) is leading:
            del self._led[leading.key]
        if not self._led:
            self._quiet.set()

    async def _place(self, trunk_id: str, leading: Leading, run: Run, leave: Leave, hint: Hint) -> bool:
        """Dial. False: the call was not placed, and that was said."""
        at = self._clock.now()
        try:
            call = await self._engine.dial(trunk_id, leading.dial, leave, leading.events.put_nowait)
        except NotDialed as refusal:
            self._say(leading, refusal.kind, refusal.code)
            hint.hear(_SIGNS.get(refusal.kind, Sign.throttled), refusal.code)
            return False
        except Exception:
            # It may have been placed: whoever is in doubt says so.
            log.exception("call.dial_broke")
            self._say(leading, Kind.uncertain, "dial_broke")
            hint.hear(Sign.unanswered, "dial_broke")
            return False
        leading.live = live = LiveCall(leading.key, run, call, leading.trunk_no, leading.events)
        leading.rings_until = at + timedelta(seconds=leading.dial.ring_seconds)
        live.note(at, "dialed")
        return True

    async def _follow(self, leading: Leading, hint: Hint, told: Mapping[str, str] = NOTHING) -> None:
        """Lead a call that was placed; of one that was found, with what is recorded of it."""
        live = leading.live
        assert live is not None, "it was placed"
        outcome: Outcome | None = None
        has_broken = False
        try:
            self.on_dialed(live)
            if not leading.is_answered:
                await self._ring(leading, hint)
            if leading.is_answered:
                self.on_answered(live)
                outcome = await self._answer(leading, live, told)
            else:
                outcome = decide_outcome(leading.clearing())
                self._say(leading, *happening_of(outcome, leading.dial.detection))
        except Exception:
            log.exception("call.broke")
            has_broken = True
        finally:
            await self._finish(leading, live)
            if has_broken:
                outcome = self._break_off(leading)
            self.on_ended(live, outcome or leading.judged or Outcome.uncertain)

    def _break_off(self, leading: Leading) -> Outcome:
        """Say what came of a call that could not be led on: its arm would be renewed for ever."""
        if leading.judged is not None:
            return leading.judged
        outcome = Outcome.lost if leading.is_answered or leading.was_answered_late else Outcome.uncertain
        if not leading.is_told:
            kind, code = happening_of(outcome, leading.dial.detection)
            self._say(leading, kind, BROKE if outcome is Outcome.uncertain else code)
        return outcome

    async def _ring(self, leading: Leading, hint: Hint) -> None:
        """Wait until somebody answers, or it is over. Nobody's phone rings for longer than it may."""
        live = leading.live
        assert live is not None, "it was placed"
        if leading.was_cancelled:
            await leading.hang_up()
        try:
            async with asyncio.timeout(leading.dial.ring_seconds):
                await self._until_answered(leading, hint)
        except TimeoutError:
            leading.ring_ran_out = True
            live.note(self._clock.now(), "ring_ran_out")
            await self._finish(leading, live)
            hint.hear(*sign_of(leading.clearing(), leading.dial.ring_seconds))

    async def _until_answered(self, leading: Leading, hint: Hint) -> None:
        live = leading.live
        assert live is not None, "it was placed"
        while live.end is None:
            match await live.hear():
                case Ringing(at=at, has_early_media=has_early_media):
                    leading.has_rung = True
                    live.note(at, "early_media" if has_early_media else "ringing")
                    hint.hear(Sign.answered, "", is_up=True)
                case Answered(at=at) if leading.was_cancelled:
                    self._take_late(leading, live, at)
                case Answered(at=at, not_before=not_before):
                    leading.is_answered = True
                    live.answered_from = not_before or at
                    live.note(at, ANSWERED)
                    hint.hear(Sign.answered, "", is_up=True)
                    return
                case _:
                    continue
        await self._weigh(leading, hint)

    async def _weigh(self, leading: Leading, hint: Hint) -> None:
        """Find out what the end of a call that nobody answered says of its trunk, and tell."""
        clearing = leading.clearing()
        if is_sudden(clearing, self._clock.monotonic() - leading.began):
            is_sure = decide_outcome(clearing) is Outcome.trunk_failed
            leading.is_crowded_out = await hint.weigh(is_sure=is_sure)
        hint.hear(*sign_of(leading.clearing(), leading.dial.ring_seconds))

    async def _answer(self, leading: Leading, live: LiveCall, told: Mapping[str, str]) -> Outcome:
        """Find out who answered, write it down, and talk: nothing is said before it is durable that somebody is there.

        While the store is away the callee hears nothing: they are hung up on when that takes too long, and it is
        recorded when the store is back.
        """
        outcome = result_of(told) or await self._judge(leading, live)
        kind, code = happening_of(outcome, leading.dial.detection)
        live.note(self._clock.now(), code)
        self._say(leading, kind, code)
        leading.judged = outcome
        try:
            await self._patience.ask_while(live, self._recorder.settled, again=False)
        except CallGone:
            return outcome
        except Unavailable:
            log.warning("call.unrecorded")
            return Outcome.lost if kind is Kind.delivered else outcome
        if kind is Kind.delivered and code in TALKS and not await self._talk.lead(live, code):
            return Outcome.lost
        return outcome

    async def _judge(self, leading: Leading, live: LiveCall) -> Outcome:
        if leading.dial.detection is MachineDetection.no:
            return Outcome.human
        self._say(leading, Kind.accepted, ANSWERED)
        verdict = await self._detect.judge(live)
        return Outcome.lost if isinstance(live.end, Lost) else verdict

    def _take_late(self, leading: Leading, live: LiveCall, at: datetime) -> None:
        """Take notice that somebody answered a call that is to end: it is hung up, and they heard nothing."""
        leading.was_answered_late = True
        live.note(at, ANSWERED_LATE)

    async def _finish(self, leading: Leading, live: LiveCall) -> None:
        """Hang up, and hear what is left until it is over. An engine that does not say so any more has lost it."""
        if live.is_closed:
            return
        try:
            async with asyncio.timeout(0 if leading.is_cut_off else END_SECONDS):
                await leading.hang_up()
                while live.end is None:
                    event = await live.hear()
                    if isinstance(event, Answered) and not leading.is_answered:
                        self._take_late(leading, live, event.at)
        except TimeoutError:
            live.events.put_nowait(Lost(self._clock.now(), "The engine did not say that it is over."))
            while live.end is None:
                await live.hear()
        live.is_closed = True
        leading.say_who_ended_it()
        last = live.end
        if isinstance(last, HungUp):
            live.note(last.at, "hung_up", cause=last.cause, sip_status=last.sip_status, by_us=int(last.by_us))
        elif last is not None:
            live.note(last.at, "lost")

    def _say(self, leading: Leading, kind: Kind, code: str) -> None:
        leading.is_told |= kind is not Kind.accepted
        self._recorder.note(Happening(*leading.key, kind, self._clock.now(), code))

    async def cancel(self, covers: Callable[[Leading], bool]) -> None:
        """Take back the calls among these that nobody has answered yet."""
        await asyncio.gather(*(leading.cancel() for leading in self.ringing() if covers(leading)))

    async def leave(self) -> None:
        """Take back what rings, and return when what was answered is over, too."""
        while self._led:
            await self.cancel(lambda _: True)
            await self._is_quiet(GRACE_SECONDS)

    async def drain(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Take back what rings, let what was answered go on for a moment, and hang up; return when all is over.

        It returns in time, whatever the engine and the store do: see STOP_SECONDS.
        """
        self._is_draining = True
        loop = asyncio.get_running_loop()
        taking_back = loop.create_task(self.cancel(lambda _: True))
        is_quiet = await self._is_quiet(grace_seconds)
        hanging_up = loop.create_task(self._hang_up_all())
        if not is_quiet and not await self._is_quiet(STOP_SECONDS):
            self._cut_off()
            await self._quiet.wait()
        for task in (taking_back, hanging_up):
            task.cancel()

    async def _hang_up_all(self) -> None:
        await asyncio.gather(*(leading.hang_up() for leading in list(self._led.values())))

    def _cut_off(self) -> None:
        """Lead no call any more: what is not recorded of it is uncertain at the next start."""
        log.warning("calls.cut_off", count=len(self._led))
        for leading in self._led.values():
            leading.is_cut_off = True
            if leading.task is not None:
                leading.task.cancel()

    async def _is_quiet(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._quiet.wait()
        except TimeoutError:
            return False
        return True
