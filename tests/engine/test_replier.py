"""The answers of one app do not wait for those of another, however many of its senders are stuck."""

import asyncio
import gc
from itertools import count, islice
from pathlib import Path
from typing import Any

from callsheet.carriers.base import Accepted, Inbound, Outbound
from callsheet.core.asking import nobody_forbids
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from databases import rows
from engine.world import Passing, World, world
from factories import MONDAY_NOON, SENDER, make_app, number, trunk_of

PLACES, OF_SENDER = 64, 4
"""Places for answers, and how many each sender asks for: fewer than a trunk takes that is not known to work."""
TUNING = Tuning(tick_seconds=10.0, most_answers=PLACES)
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
            w.submit_seconds = 600.0
            other = await make_app(w.store, clock, name="Other")
            for i in range(4):
                await w.store.apps.create_trunk(
                    w.app.no, name=f"Stuck {i}", carrier="sandbox", takes_any_sender=True, now=clock.now()
                )
            await w.start()
            await stop_all(w)
            await clock.sleep(30)
            assert len(w.conductor.replier._busy) == PLACES // 2, "as many are left for the next app"
            trunk = await trunk_of(w.store, other)
            stop = Inbound("in-other", number(0), SENDER, "HELP", clock.now())
            await w.conductor.hearing(trunk).hear([stop])
            await clock.sleep(3)
            assert [one.sender for one in w.sent()] == [SENDER]

    run(main, start=MONDAY_NOON)


async def stop_all(w: World) -> None:
    """Let more people say STOP than there are places, to many senders on many trunks."""
    people = count()
    for trunk in await w.store.apps.trunks(w.app.no):
        senders = [f"{STUCK}{trunk.no:03}{i // OF_SENDER:04}" for i in range(PLACES)]
        said = [(f"in-{i}", number(i), sender) for i, sender in zip(islice(people, len(senders)), senders, strict=True)]
        await w.conductor.hearing(trunk).hear([Inbound(*one, "STOP", w.clock.now()) for one in said])


def test_an_answer_that_comes_when_nobody_waits_for_it_any_more_breaks_nothing(tmp_path: Path) -> None:
    broken: list[dict[str, Any]] = []

    async def main(clock: VirtualClock) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: broken.append(what))
        async with world(clock, tmp_path, tuning=TUNING) as w:
            await w.conductor.stop()
            w.wrap = Stuck
            w.submit_seconds = 600.0
            await w.start()
            await stop_all(w)
            await clock.sleep(30)
            await w.conductor.stop()
            assert len(await rows(w.store, "select no from reply where state = 'taken'")) > 1
            await w.start()
        gc.collect()

    run(main, start=MONDAY_NOON)
    assert broken == []
