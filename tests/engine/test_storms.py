"""Everything at once, by seed: answers lost, a store that goes away, pauses, growing lists, shared senders."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from callsheet.core.campaign import Campaign, Move, Order, Status
from callsheet.core.errors import Unavailable
from callsheet.engine.campaigns import move
from callsheet.engine.tuning import Tuning
from callsheet.engine.virtual_time import VirtualClock, run
from engine.world import World, world
from factories import MONDAY_NOON, contact, make_definition, make_list, number

PLACES = 10_000
"""How many numbers each list has for itself."""
STEPS = 30


@dataclass
class Weather:
    """What the store does between us and its file: says that it is away, or takes a call and loses the answer."""

    rng: random.Random
    stormy: bool = True
    away: bool = False

    def over(self, plain: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def write(*args: object) -> object:
            if self.away or (self.stormy and self.rng.random() < 0.03):
                raise Unavailable
            answer = await plain(*args)
            if self.stormy and self.rng.random() < 0.03:
                raise Unavailable
            return answer

        return write


@dataclass
class Storm:
    w: World
    rng: random.Random
    weather: Weather
    campaigns: list[Campaign] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    async def begin(self) -> None:
        """Run three campaigns over two senders, each with a list of its own."""
        for i in range(3):
            self.sizes.append(self.rng.choice([100, 300]))
            contacts = [self.contact(i, j) for j in range(self.sizes[i])]
            definition = make_definition(
                [await make_list(self.w.store, self.w.app, self.w.clock, contacts)],
                sender=self.rng.choice(["+12125550101", "+12125550102"]),
                order=self.rng.choice(list(Order)),
            )
            self.campaigns.append(
                await self.w.store.campaigns.create(self.w.app.no, definition, self.w.clock.now(), unique_names=True)
            )
        if self.rng.random() < 0.6:
            for campaign in self.campaigns:
                await self.w.limit(campaign, self.rng.choice([20, 50]))
        for campaign in self.campaigns:
            await self.w.run_campaign(campaign)

    def contact(self, i: int, j: int) -> object:
        return contact(self.w.store, self.w.app, number(PLACES * i + j), priority=self.rng.choice([0, 0, 5]))

    async def step(self) -> None:
        """Let a moment pass, and something happen."""
        await self.w.clock.sleep(self.rng.random())
        i = self.rng.randrange(3)
        self.weather.stormy, stormy = False, self.weather.stormy
        found = await self.w.store.campaigns.find(self.w.app.no, campaign_id=self.campaigns[i].id)
        assert found is not None
        match self.rng.choice(["pause", "grow", "away", "none"]):
            case "pause" if found.status is Status.active:
                paused = await move(self.w.runtime, found, Move.pause)
                sent = self.w.ledger.count() if self.only(i) else None
                await self.w.clock.sleep(self.rng.choice([0, 0, 0.01, 0.2, 1]))
                assert sent is None or self.w.ledger.count() == sent, "sent after a pause had answered"
                await move(self.w.runtime, paused, Move.resume)
            case "grow" if found.status is Status.active:
                more = [self.contact(i, self.sizes[i] + j) for j in range(self.rng.choice([1, 3, 40]))]
                await self.w.store.hot.append(self.w.app.no, found.definition.contact_lists[0].no, more)
                self.sizes[i] += len(more)
                self.w.conductor.wake()
            case "away":
                self.weather.away = True
                await self.w.clock.sleep(self.rng.choice([0.1, 1, 3]))
                self.weather.away = False
        self.weather.stormy = stormy

    def only(self, i: int) -> bool:
        """Tell whether no other campaign runs on this node."""
        return all(state.run.campaign_id == self.campaigns[i].id for state in self.w.conductor.agenda.states.values())


@pytest.mark.parametrize(
    "seed", [seed if seed < 2 else pytest.param(seed, marks=pytest.mark.full) for seed in range(60)]
)
def test_whatever_comes_together_everybody_is_reached_once(tmp_path: Path, seed: int) -> None:
    async def main(clock: VirtualClock) -> None:
        rng = random.Random(seed)
        tuning = Tuning(tick_seconds=0.5, arm_size=rng.choice([5, 50]), chunk_size=rng.choice([20, 100]))
        async with world(clock, tmp_path, seed=seed, tuning=tuning) as w:
            storm = Storm(w, rng, Weather(rng, stormy=False))
            await storm.begin()
            database = w.store._database
            database._write = storm.weather.over(database._write)  # type: ignore[attr-defined]
            storm.weather.stormy = True
            for _ in range(STEPS):
                await storm.step()
            storm.weather.stormy = False
            for campaign in storm.campaigns:
                await w.until(campaign, Status.completed, longest_seconds=2000)
            await clock.sleep(30)

            wanted = Counter(number(PLACES * i + j) for i, size in enumerate(storm.sizes) for j in range(size))
            assert Counter(message.to for message in w.sent()) == wanted
            assert len(w.conductor.holds) == 0
            for campaign, size in zip(storm.campaigns, storm.sizes, strict=True):
                counters = await w.counters(campaign)
                assert (counters["delivered"], counters.get("uncertain", 0)) == (size, 0)

    run(main, start=MONDAY_NOON)
