"""A line for text: a carrier's session, with its answers and receipts turned into happenings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from callsheet.carriers.base import Accepted, Carrier, Condition, Heard, Inbound, Outbound, Receipt, SendError
from callsheet.clock import Clock
from callsheet.core.attempt import Happening, Kind, as_said
from callsheet.core.ids import AttemptKey, decode_attempt
from callsheet.engine.recorder import Recorder

log = structlog.get_logger()

HearInbound = Callable[[Sequence[Inbound]], Awaitable[None]]


class SmsLine:
    """A carrier as a line."""

    def __init__(self, carrier: Carrier, recorder: Recorder, clock: Clock, hear_inbound: HearInbound) -> None:
        self._carrier = carrier
        self._recorder = recorder
        self._clock = clock
        self._hear_inbound = hear_inbound
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
        else:
            happening = Happening(*key, answer.kind, at, as_said(answer.code))
        self._recorder.note(happening)
        self._in_flight -= 1
        if not self._in_flight:
            self._quiet.set()
        self.on_free()

    async def open(self) -> None:
        """Connect; what the carrier still has for us is told at once."""
        await self._carrier.open(self._hear)

    async def _hear(self, heard: Sequence[Heard]) -> None:
        """Store what a carrier tells; when this returns the carrier may acknowledge."""
        happenings: list[Happening] = []
        inbound: list[Inbound] = []
        for item in heard:
            match item:
                case Receipt():
                    key = decode_attempt(item.reference)
                    if key is None:
                        log.warning("receipt.unknown")
                        continue
                    code, ref = as_said(item.code), as_said(item.carrier_id)
                    happenings.append(Happening(*key, item.kind, item.at, code, ref))
                case Inbound():
                    inbound.append(item)
        if inbound:
            await self._hear_inbound(inbound)
        if happenings:
            await self._recorder.settle(happenings)

    async def close(self) -> None:
        """Drain: every message that was handed gets its answer or its time-out first."""
        self._closing = True
        await self._quiet.wait()
        await self._carrier.close()
