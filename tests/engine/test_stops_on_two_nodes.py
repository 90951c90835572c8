"""A STOP that one node hears is final on both within a second, whatever they hold. In virtual time."""

import random
from pathlib import Path

from callsheet.carriers.base import Inbound
from callsheet.carriers.sandbox.ledger import Ledger
from callsheet.core.campaign import Status
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import World, world
from factories import MONDAY_NOON, make_definition, make_list, number, trunk_of

TUNING = Tuning(tick_seconds=0.5, chunk_size=10)
PEOPLE, RATE = 150, 30
WIRE_SECONDS = 3.0
"""What is handed to a carrier waits inside of it for longer than a STOP may take."""


def texted(*worlds: World) -> set[str]:
    return {message.to for w in worlds for message in w.sent() if message.campaign_id}


def test_a_stop_that_one_node_hears_is_final_on_both_within_a_second(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path, tuning=TUNING, wire_seconds=WIRE_SECONDS) as a:
            await a.conductor.stop()
            a.sole_owner = False
            b = World(clock, a.store, a.app, Ledger(tmp_path / "b.db", inline=True), random.Random(2), tmp_path, TUNING,
                      wire_seconds=WIRE_SECONDS, sole_owner=False)  # fmt: skip
            await a.start()
            await b.start()
            contact_list = await make_list(a.store, a.app, clock, PEOPLE)
            campaign = await a.store.campaigns.create(
                a.app.no, make_definition([contact_list]), clock.now(), unique_names=True
            )
            await a.limit(campaign, RATE)
            await a.run_campaign(campaign)
            b.conductor.wake()
            hearing = a.conductor.hearing(await trunk_of(a.store, a.app))
            spared = []
            for place in random.Random(3).sample(range(PEOPLE), 15):
                began = clock.monotonic()
                await hearing.hear(
                    [Inbound(f"in-{place}", number(place), campaign.definition.sender, "STOP", clock.now())]
                )
                assert clock.monotonic() - began < 1
                if number(place) not in texted(a, b):
                    spared.append(number(place))
            await a.until(campaign, Status.completed, longest_seconds=60)
            assert min(len(texted(a)), len(texted(b))) > PEOPLE / 10
            assert spared
            assert not texted(a, b) & set(spared)
            await b.conductor.stop()
            b.ledger.close()

    run(main, start=MONDAY_NOON)
