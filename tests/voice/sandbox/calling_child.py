"""Places calls to simulated phones until it is killed: `calling_child.py FOLDER`. Prints what was placed."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from callsheet.clock import SystemClock
from callsheet.core.asking import nobody_forbids
from callsheet.core.calling import Dial
from callsheet.core.campaign import MachineDetection
from callsheet.voice.base import CallEvent
from callsheet.voice.sandbox.engine import SandboxVoice


def hear(event: CallEvent) -> None:
    """Hear nothing."""


async def main(folder: str) -> None:
    voice = SandboxVoice(Path(folder), SystemClock(), room=1_000_000)
    await voice.open()

    async def call_for_ever(first: int) -> None:
        for number in range(first, 1_000_000, 20):
            reference = f"at-{number}"
            dial = Dial(reference, "+12025550123", "+12025550100", 20, MachineDetection.no, "cd-1", 60)
            await voice.dial("tr-1", dial, nobody_forbids, hear)
            os.write(1, f"{reference}\n".encode())  # past every buffer: it is said when it is said

    await asyncio.gather(*(call_for_ever(first) for first in range(20)))


asyncio.run(main(sys.argv[1]))
