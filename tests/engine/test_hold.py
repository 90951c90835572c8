"""What a carrier that asks us to wait is given next does not wait for a tick."""

import asyncio
import random
from pathlib import Path
from typing import Any

from callsheet.carriers.base import Throttled
from callsheet.clock import SystemClock
from callsheet.core.asking import nobody_forbids
from callsheet.engine.sms_line import SmsLine
from carriers.simulating import simulator
from carriers.smpp.rig import bound, message, until

THROTTLED = 9_906, 19_906, 29_906
"""Numbers that the simulator asks us to slow down for."""


async def test_when_a_hold_ends_whoever_found_no_room_is_told_and_not_before(tmp_path: Path):
    unused: Any = None
    async with simulator(tmp_path) as it, bound(it.smpp_port, window=1) as rig:
        line = SmsLine(rig.carrier, unused, SystemClock(), unused, random.Random(1))
        found: list[int] = []
        line.on_free = lambda: found.append(line.free())
        for holds, number in enumerate(THROTTLED, start=1):
            answers: list[tuple[Any, int]] = []
            # The room is looked at when the answer comes: a hold is over in a moment.
            line.hand_reply(
                message(number),
                nobody_forbids,
                lambda answer, answers=answers: answers.append((answer, line.free())),  # type: ignore[misc]
            )
            await until(lambda: answers)  # noqa: B023 (it is awaited here)
            ((answer, room),) = answers
            assert isinstance(answer, Throttled)
            assert room == 0
            await until(lambda: len(found) == holds)  # noqa: B023 (the same)
            await asyncio.sleep(0.05)
            assert found == [1] * holds
