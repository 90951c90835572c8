"""The answers of one app do not wait for those of another, however many of its senders are stuck."""

import asyncio
from pathlib import Path

from callsheet.carriers.base import Accepted, Inbound, Outbound
from callsheet.core.asking import nobody_forbids
from callsheet.engine.replier import MOST_AT_ONCE
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.replies import MOST_OF_SENDER
from engine.world import Passing, World, world
from factories import MONDAY_NOON, SENDER, make_app, number, trunk_of

TUNING = Tuning(tick_seconds=0.5)
STUCK = "+1555"


class Stuck(Passing):
    """A carrier that never answers some senders."""

    async def send(self, message: Outbound, leave=nobody_forbids) -> Accepted:
        if message.sender.startswith(STUCK):
            await asyncio.Event().wait()
        return await self.carrier.send(message, leave)


def test_the_stuck_senders_of_one_app_hold_up_no_other_app(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING) as w:
            await w.conductor.stop()
            w.wrap = Stuck
            other = await make_app(w.store, clock, name="Other")
            await w.start()
            await hear(w, [(number(i), f"{STUCK}{i // MOST_OF_SENDER:07}") for i in range(2 * MOST_AT_ONCE)])
            await clock.sleep(3)
            assert len(w.conductor.replier._busy) < MOST_AT_ONCE
            trunk = await trunk_of(w.store, other)
            stop = Inbound("in-other", number(0), SENDER, "HELP", clock.now())
            await w.conductor.hearing(trunk).hear([stop])
            await clock.sleep(3)
            assert [one.sender for one in w.sent()] == [SENDER]

    run(main, start=MONDAY_NOON)


async def hear(w: World, said: list[tuple[str, str]]) -> None:
    trunk = await trunk_of(w.store, w.app)
    now = w.clock.now()
    await w.conductor.hearing(trunk).hear([Inbound(f"in-{to}", to, sender, "STOP", now) for to, sender in said])
