"""An SMPP carrier of ours beside an SMSC of others: what it answered, what it heard."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from callsheet.carriers.base import Accepted, Acknowledged, Heard, Outbound, SendError
from callsheet.carriers.smpp.account import LONGEST_ANSWER_SECONDS, SmppAccount
from callsheet.carriers.smpp.carrier import Backoff, SmppCarrier
from callsheet.clock import SystemClock
from callsheet.core.condition import State
from callsheet.core.fence import Fence
from callsheet.core.ids import encode_attempt

PATIENCE = 60.0
PATIENT = {"answer_seconds": LONGEST_ANSWER_SECONDS, "bind_seconds": 60}
"""What a machine that stands still for seconds does not turn into an answer that never came."""
AT_HOME = Fence(allow_private=True)
EAGER = Backoff(0.05, 0.2, 0.05, 0.2)
Answer = Accepted | SendError


def reference(number: int) -> str:
    """Return an attempt id for a test."""
    return encode_attempt(1, number.to_bytes(16), 1)


def message(number: int, text: str = "Hello", **fields: Any) -> Outbound:
    """Return a message to the n-th contact."""
    fields = {"to": f"+4477009{number:05}", "sender": "+447700900999", "segments": 1, "campaign_id": "cd-1"} | fields
    return Outbound(reference=reference(number), text=text, **fields)


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


class Rig:
    """A carrier, and everything that it told."""

    def __init__(self, carrier: SmppCarrier) -> None:
        self.carrier = carrier
        self.heard: list[Heard] = []
        self.known: list[str] = []
        """Replies that the SMSC knows that we have."""
        self.answers: dict[str, Answer] = {}
        self.stood: list[State] = []
        """How the carrier stood when each answer came."""
        self.left: list[str] = []
        self.forbidden: set[str] = set()
        """Of what must not leave any more."""
        self.fails = 0
        """How many batches are not stored."""
        self.gate = asyncio.Event()
        self.gate.set()

    async def hear(self, heard: Sequence[Heard]) -> None:
        await self.gate.wait()
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the store is away")
        self.known += [one.inbound_id for one in heard if isinstance(one, Acknowledged)]
        self.heard += [one for one in heard if not isinstance(one, Acknowledged)]

    def submit(self, one: Outbound) -> None:
        self.carrier.submit(one, lambda: self._leave(one), lambda answer: self._end(one, answer))

    def _leave(self, one: Outbound) -> bool:
        if one.reference in self.forbidden:
            return False
        self.left.append(one.reference)
        return True

    def _end(self, one: Outbound, answer: Answer) -> None:
        assert one.reference not in self.answers, "answered twice"
        self.answers[one.reference] = answer
        self.stood.append(self.carrier.condition().state)

    async def send(self, one: Outbound) -> Answer:
        self.submit(one)
        await until(lambda: one.reference in self.answers)
        return self.answers[one.reference]

    async def send_all(self, messages: Sequence[Outbound]) -> list[Answer]:
        for one in messages:
            self.submit(one)
        await until(lambda: all(one.reference in self.answers for one in messages))
        return [self.answers[one.reference] for one in messages]

    async def until_bound(self, sessions: int = 1) -> None:
        await until(lambda: self.carrier.condition().sessions == sessions)

    def kinds(self) -> list[str]:
        return [str(item.kind) for item in self.heard if hasattr(item, "kind")]


def make(port: int, *, fence: Fence = AT_HOME, backoff: Backoff = EAGER, **settings: Any) -> SmppCarrier:
    """Make a carrier for an SMSC of this machine."""
    settings = {"host": "127.0.0.1", "port": port, "system_id": "us", "password": "secret"} | PATIENT | settings
    account = SmppAccount.model_validate(settings)
    return SmppCarrier(account, SystemClock(), random.Random(7), fence, backoff=backoff)


@asynccontextmanager
async def bound(port: int, *, sessions: int = 1, **settings: Any) -> AsyncIterator[Rig]:
    """Open a carrier, and close it at the end."""
    rig = Rig(make(port, **settings))
    await rig.carrier.open(rig.hear)
    try:
        if sessions:
            await rig.until_bound(sessions)
        yield rig
    finally:
        await rig.carrier.close()
        assert rig.carrier.condition().state is State.closed
