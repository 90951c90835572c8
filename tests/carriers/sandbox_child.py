"""Sends through the sandbox until it is killed: `sandbox_child.py LEDGER`. Prints what was answered and heard."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Sequence

from callsheet.carriers.base import Heard, Outbound, Receipt
from callsheet.carriers.sandbox.behaviour import Timings
from callsheet.carriers.sandbox.carrier import SandboxCarrier
from callsheet.carriers.sandbox.ledger import Ledger
from callsheet.clock import SystemClock

TIMINGS = Timings(answer_seconds=(0.001, 0.01), receipt_seconds=(0.005, 0.05))


def say(word: str, reference: str) -> None:
    os.write(1, f"{word} {reference}\n".encode())  # past every buffer: it is said when it is said


async def hear(heard: Sequence[Heard]) -> None:
    for item in heard:
        if isinstance(item, Receipt):
            say("heard", item.reference)


async def main(path: str) -> None:
    carrier = SandboxCarrier(Ledger(path), SystemClock(), random.Random(1), timings=TIMINGS)
    await carrier.open(hear)

    async def send_for_ever(first: int) -> None:
        for i in range(first, 1_000_000, 40):
            say("sent", f"ref-{i}")
            await carrier.send(Outbound(f"ref-{i}", "+12025550001", "+15550100", "Hello", 1, "cd-1"))
            say("answered", f"ref-{i}")

    await asyncio.gather(*(send_for_ever(first) for first in range(40)))


asyncio.run(main(sys.argv[1]))
