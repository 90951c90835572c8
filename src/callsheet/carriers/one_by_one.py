"""One by one: a carrier that is asked for each message by itself, each in a task of its own."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import structlog

from callsheet.carriers.base import Accepted, Done, Hear, Limits, NoAnswer, Outbound, Probe, SendError
from callsheet.core.asking import Leave, nobody_forbids
from callsheet.core.condition import Condition

log = structlog.get_logger()

SUBMIT_SECONDS: Final = 10.0
"""How long an answer may take. It must be shorter than the lease of what was armed."""


class AwaitedCarrier(Protocol):
    """What is asked for one message, and awaited."""

    limits: Limits

    async def open(self, hear: Hear) -> None:
        """Connect, and begin to tell what is heard."""

    async def send(self, message: Outbound, leave: Leave = nobody_forbids) -> Accepted:
        """Hand one message over and wait for the answer; `leave` is asked before it leaves. Raises SendError."""

    def condition(self) -> Condition:
        """Return how it stands."""

    async def probe(self) -> Probe:
        """Try whether the account works; no message is sent."""

    async def close(self) -> None:
        """Disconnect; what is on the wire is answered first, or gets NoAnswer."""


class OneByOne:
    """Such a carrier, as every other."""

    def __init__(self, asked: AwaitedCarrier, *, submit_seconds: float = SUBMIT_SECONDS) -> None:
        self._asked = asked
        self._submit_seconds = submit_seconds
        self._sends: set[asyncio.Task[None]] = set()
        self._unanswered = 0

    def room(self, segments: float = 1.0) -> int:  # noqa: ARG002 (a message is one request, however long)
        """Return how many more messages it bears."""
        return self._asked.limits.window - self._unanswered

    async def open(self, hear: Hear) -> None:
        """Connect, and begin to tell what is heard."""
        await self._asked.open(hear)

    def submit(self, message: Outbound, leave: Leave, done: Done) -> None:
        """Ask in a task."""

        def end(answer: Accepted | SendError) -> None:
            self._unanswered -= 1
            done(answer)

        self._unanswered += 1
        task = asyncio.get_running_loop().create_task(self._send(message, leave, end))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def _send(self, message: Outbound, leave: Leave, done: Done) -> None:
        answer: Accepted | SendError
        try:
            async with asyncio.timeout(self._submit_seconds):
                answer = await self._asked.send(message, leave)
        except SendError as error:
            answer = error
        except TimeoutError:
            answer = NoAnswer()
        except asyncio.CancelledError:
            # The process is going down hard: nobody knows what the carrier did with it.
            done(NoAnswer("cancelled"))
            raise
        except Exception:
            # A carrier that breaks its contract must not lose an attempt: what it did is unknown.
            log.exception("line.carrier_failed", carrier=type(self._asked).__name__)
            answer = NoAnswer("carrier_failed")
        done(answer)

    def condition(self) -> Condition:
        """Return how it stands."""
        return self._asked.condition()._replace(in_flight=self._unanswered)

    async def probe(self) -> Probe:
        """Try whether the account works."""
        return await self._asked.probe()

    async def close(self) -> None:
        """Wait for every answer, and disconnect."""
        while self._sends:
            await asyncio.wait(list(self._sends))
        await self._asked.close()
