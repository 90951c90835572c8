"""A line for text: a carrier's session, with its answers and receipts turned into happenings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from callsheet.carriers.base import Accepted, Carrier, Heard, Inbound, Outbound, Receipt, SendError
from callsheet.clock import Clock
from callsheet.core.attempt import Happening, Kind, as_said
from callsheet.core.ids import AttemptKey, decode_attempt
from callsheet.engine.recorder import Recorder

log = structlog.get_logger()

SUBMIT_SECONDS = 10.0
"""How long an answer may take. It must be shorter than the lease of what was armed."""

HearInbound = Callable[[Sequence[Inbound]], Awaitable[None]]


class SmsLine:
    """A carrier as a line."""

    def __init__(
        self,
        carrier: Carrier,
        recorder: Recorder,
        clock: Clock,
        hear_inbound: HearInbound,
        *,
        submit_seconds: float = SUBMIT_SECONDS,
    ) -> None:
        self._carrier = carrier
        self._recorder = recorder
        self._clock = clock
        self._hear_inbound = hear_inbound
        self._submit_seconds = submit_seconds
        self._sends: set[asyncio.Task[None]] = set()
        self._closing = False
        self.on_free: Callable[[], None] = lambda: None

    def free(self) -> int:
        """Return what the carrier's window still bears."""
        return 0 if self._closing else max(0, self._carrier.limits.window - len(self._sends))

    def hand(self, key: AttemptKey, message: Outbound, leave: Callable[[], None]) -> None:
        """Send a message in a task of its own."""
        task = asyncio.get_running_loop().create_task(self._send(key, message, leave))
        self._sends.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._sends.discard(task)
        self.on_free()

    async def _send(self, key: AttemptKey, message: Outbound, leave: Callable[[], None]) -> None:
        try:
            async with asyncio.timeout(self._submit_seconds):
                accepted = await self._carrier.send(message, leave)
            kind, code, ref, segments = _read(accepted)
        except SendError as error:
            kind, code, ref, segments = error.kind, error.code, "", 0
        except TimeoutError:
            kind, code, ref, segments = Kind.uncertain, "no_answer", "", 0
        except asyncio.CancelledError:
            # The process is going down hard: nobody knows what the carrier did with it.
            self._recorder.note(Happening(*key, Kind.uncertain, self._clock.now(), "cancelled"))
            raise
        except Exception:
            # A carrier that breaks its contract must not lose an attempt: what it did is unknown.
            run_no = key.run_no
            log.exception("line.carrier_failed", run_no=run_no)
            kind, code, ref, segments = Kind.uncertain, "carrier_failed", "", 0
        leave()
        self._recorder.note(Happening(*key, kind, self._clock.now(), as_said(code), as_said(ref), segments))

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
        while self._sends:
            await asyncio.wait(list(self._sends))
        await self._carrier.close()


def _read(accepted: Accepted) -> tuple[Kind, str, str, int]:
    return Kind.accepted, "", accepted.carrier_id, accepted.segments
