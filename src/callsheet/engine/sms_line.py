"""A line for text: a carrier's session, with its answers turned into happenings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from callsheet.carriers.base import Accepted, Carrier, Condition, Outbound, SendError
from callsheet.clock import Clock
from callsheet.core.attempt import Happening, Kind, as_said
from callsheet.core.ids import AttemptKey
from callsheet.engine.hearing import Hearing
from callsheet.engine.recorder import Recorder


class SmsLine:
    """A carrier as a line."""

    def __init__(self, carrier: Carrier, recorder: Recorder, clock: Clock, hearing: Hearing) -> None:
        self._carrier = carrier
        self._recorder = recorder
        self._clock = clock
        self._hearing = hearing
        self._in_flight = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._closing = False
        self.on_free: Callable[[], None] = lambda: None

    def free(self) -> int:
        """Return what the carrier's window still bears."""
        return 0 if self._closing else max(0, self._carrier.limits.window - self._in_flight)

    def condition(self) -> Condition:
        """Return how the carrier stands."""
        return self._carrier.condition()

    def hand(self, key: AttemptKey, message: Outbound, leave: Callable[[], None]) -> None:
        """Hand a message to the carrier."""
        self._in_flight += 1
        self._quiet.clear()
        self._carrier.submit(message, leave, partial(self._end, key, leave))

    def _end(self, key: AttemptKey, leave: Callable[[], None], answer: Accepted | SendError) -> None:
        leave()
        at = self._clock.now()
        if isinstance(answer, Accepted):
            happening = Happening(*key, Kind.accepted, at, "", as_said(answer.carrier_id), answer.segments)
            carried = self._hearing.expect(key, answer.carrier_ids, at) if answer.carrier_ids else None
            self._recorder.note(happening, carried)
        else:
            self._recorder.note(Happening(*key, answer.kind, at, as_said(answer.code)))
        self._in_flight -= 1
        if not self._in_flight:
            self._quiet.set()
        self.on_free()

    async def open(self) -> None:
        """Connect; what the carrier still has for us is told at once."""
        await self._carrier.open(self._hearing.hear)

    async def close(self) -> None:
        """Drain: every message that was handed gets its answer or its time-out first."""
        self._closing = True
        await self._quiet.wait()
        await self._carrier.close()
