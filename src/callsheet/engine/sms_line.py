"""A line for text: a carrier's session, with its answers turned into happenings, and a breaker that hears them too."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from callsheet.carriers.base import (
    Accepted,
    AccountRefused,
    Carrier,
    Done,
    InvalidMessage,
    NotConnected,
    Outbound,
    SendError,
    Stopped,
    Unwell,
)
from callsheet.clock import Clock
from callsheet.core.asking import Leave
from callsheet.core.attempt import NOT_TAKEN, Happening, Kind, as_said
from callsheet.core.breaker import Breaker, Outcome, Position
from callsheet.core.condition import Condition
from callsheet.core.ids import AttemptKey
from callsheet.engine.handed import Handed
from callsheet.engine.hearing import Hearing
from callsheet.engine.line import TRUNK_BROKEN, TRUNK_STARTING, ToHand
from callsheet.engine.places import Claim, Places
from callsheet.engine.recorder import Recorder

REPLIES_BESIDE: Final = 8
"""So many messages that are no attempts go beside a window that campaigns fill."""

_TOLD_BY: Final[Sequence[tuple[type[SendError], Outcome]]] = (
    (InvalidMessage, Outcome.answered),
    (AccountRefused, Outcome.locked_out),
    (NotConnected, Outcome.unwell),
    (Unwell, Outcome.unwell),
)


class SmsLine:
    """A carrier as a line."""

    def __init__(
        self, carrier: Carrier, recorder: Recorder, clock: Clock, hearing: Hearing, rng: random.Random
    ) -> None:
        self._carrier = carrier
        self._recorder = recorder
        self._clock = clock
        self._hearing = hearing
        self._rng = rng
        self._in_flight = 0
        self._kept = 0
        """Places of contacts that are being armed, or wait for their turn."""
        self._is_short = False
        """Somebody found no place since places were last given back."""
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._closing = False
        self._hold: asyncio.TimerHandle | None = None
        """Ends when the carrier does not ask us to wait any more."""
        self._breaker = Breaker()
        self.on_free: Callable[[], None] = lambda: None
        self.on_turn: Callable[[Breaker, Breaker], None] = lambda _, __: None
        """Told what the breaker was and is, when its position changes."""

    @property
    def breaker(self) -> Breaker:
        """What is known of the route."""
        return self._breaker

    def free(self, segments: float = 1.0) -> int:
        """Return what the carrier's window still bears; nothing while it is not connected, or its breaker is open."""
        return max(0, min(self._room() - self._in_flight, self._carrier.room(segments)) - self._kept)

    def keep(self, most: int, claim: Claim, segments: float = 1.0) -> Places:  # noqa: ARG002 (answers come soon)
        """Keep places in the carrier's window: who finds none has one as soon as the next answers are here."""
        count = max(0, min(most, self.free(segments)))
        self._kept += count
        self._is_short |= not count
        return Places(count, self._let_go)

    def _let_go(self, count: int, *, is_used: bool) -> None:
        self._kept -= count
        if self._is_short and not is_used:
            self._is_short = False
            self.on_free()

    def forget(self, claim: Claim) -> None:
        """Do nothing: no place is left free for anybody here."""

    def _room(self) -> int:
        """Return how many messages may wait for an answer, by what is known of the route now."""
        if self._closing or not self._carrier.condition().takes:
            return 0
        now = self._clock.now()
        self._turn(self._breaker.wake(now))
        return self._breaker.room_at(now)

    def condition(self) -> Condition:
        """Return how the carrier stands."""
        return self._carrier.condition()

    def try_now(self) -> None:
        """Try the carrier again at once, whatever its breaker says."""
        self._turn(self._breaker.try_now(self._clock.now()))
        self.on_free()

    def go_on_from(self, breaker: Breaker) -> None:
        """Begin with what was known of the trunk before its settings changed: one that was broken is tried first."""
        if breaker.position is not Position.closed:
            self._breaker = breaker.try_now(self._clock.now())

    def hand(self, key: AttemptKey, what: ToHand, leave: Leave) -> None:
        """Hand a message to the carrier. What was armed before the breaker opened is taken back, and comes again."""
        assert isinstance(what, Outbound), "a run of texts goes out over lines for text"
        breaker = self._breaker
        if not breaker.may_hand(self._in_flight):
            code = TRUNK_STARTING if breaker.position is Position.closed else TRUNK_BROKEN
            self._recorder.note(Happening(*key, Kind.withdrawn, self._clock.now(), code))
            return
        self._submit(what, leave, partial(self._end, key, breaker.turn))

    def takes_reply(self) -> bool:
        """Tell whether a message that is no attempt may be handed: campaigns that fill the window leave room for it."""
        return self.reply_room() > 0

    def reply_room(self) -> int:
        """Return how many messages that are no attempts may be handed now."""
        most = self._room()
        beside = REPLIES_BESIDE if most and self._breaker.position is Position.closed else 0
        return max(0, min(most - self._in_flight, self._carrier.room()) + beside)

    def hand_reply(self, message: Outbound, leave: Leave, done: Done) -> None:
        """Hand a message to the carrier that is no attempt: `done` gets its answer, and no happening comes of it."""
        turn = self._breaker.turn

        def end(answer: Accepted | SendError) -> None:
            self._learn(turn, answer, self._clock.now())
            done(answer)

        self._submit(message, leave, end)

    def _submit(self, message: Outbound, leave: Leave, done: Done) -> None:
        self._in_flight += 1
        self._quiet.clear()
        Handed(leave, done).submit(self._carrier, message)

    def _end(self, key: AttemptKey, turn: int, answer: Accepted | SendError) -> None:
        at = self._clock.now()
        if isinstance(answer, Accepted):
            happening = Happening(*key, Kind.accepted, at, "", as_said(answer.carrier_id), answer.segments)
        else:
            happening = Happening(*key, answer.kind, at, as_said(answer.code))
        carried = self._hearing.expect(key, answer.carrier_ids, at) if answer.carrier_ids else None
        self._recorder.note(happening, carried)
        if isinstance(answer, Stopped):
            self._hearing.hear_stopped(key.person)
        self._learn(turn, answer, at)

    def _learn(self, turn: int, answer: Accepted | SendError, at: datetime) -> None:
        """Free the place of a message that was answered, and learn from the answer how the route does."""
        self._in_flight -= 1
        if not self._in_flight:
            self._quiet.set()
        if isinstance(answer, Accepted):
            after = self._breaker.note(Outcome.answered, at, turn=turn, jitter=0.0)
        else:
            after = self._breaker.note(
                _outcome(answer), at, turn=turn, jitter=self._rng.random(), said=answer.word,
                meaning=answer.meaning,
            )  # fmt: skip
        self._turn(after)
        room = self._carrier.room()
        if self._in_flight <= room:
            # Not at every answer: a step of one contact costs a commit as a step of fifty does.
            self.on_free() if room else self._tell_when_free()

    def _tell_when_free(self) -> None:
        """Tell that there is room once the carrier does not ask us to wait any more: no answer comes that would."""
        held_seconds = self._carrier.condition().held_seconds
        if not held_seconds:
            self.on_free()
        elif self._hold is None:
            self._hold = asyncio.get_running_loop().call_later(held_seconds, self._end_hold)

    def _end_hold(self) -> None:
        self._hold = None
        self._tell_when_free()

    def _turn(self, breaker: Breaker) -> None:
        before, self._breaker = self._breaker, breaker
        if breaker.turn != before.turn:
            self.on_turn(before, breaker)

    async def open(self) -> None:
        """Connect; what the carrier still has for us is told at once."""
        await self._carrier.open(self._hearing.hear)

    async def close(self) -> None:
        """Drain: every message that was handed gets its answer or its time-out first."""
        self._closing = True
        await self._quiet.wait()
        await self._carrier.close()


def _outcome(answer: SendError) -> Outcome:
    """Say what an answer tells of the route."""
    if answer.cut_off:
        return Outcome.cut_off
    for kind, outcome in _TOLD_BY:
        if isinstance(answer, kind):
            return outcome
    if answer.kind is Kind.uncertain:
        return Outcome.unanswered
    if answer.kind in NOT_TAKEN:
        return Outcome.throttled
    return Outcome.answered if answer.at_fault == "contact" else Outcome.rejected
