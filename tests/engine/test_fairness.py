"""A small app's campaign must not wait for the end of a large app's million, on a node that both share."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callsheet.core.campaign import Campaign, Status
from callsheet.core.fairness import Turns
from callsheet.engine.turnstile import Turnstile
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.apps import App
from engine.world import SLOW_TICK, World, world
from factories import MONDAY_NOON, make_app, make_definition, make_list

ARM_SECONDS = 0.01
SENDERS = 9


class SlowWriter:
    """A store whose one writer takes a while for each arm, and serves them in the order in which they come."""

    def __init__(self, hot: Any, clock: VirtualClock) -> None:
        self._hot = hot
        self._clock = clock
        self._writer = asyncio.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hot, name)

    async def arm(self, *args: Any, **more: Any) -> Any:
        async with self._writer:
            await self._clock.sleep(ARM_SECONDS)
            return await self._hot.arm(*args, **more)


class Everybody(Turns):
    """As if there were no turnstile: whoever asks is served."""

    def _is_ready(self, mine: Any) -> bool:
        return bool(mine.waiting)

    def __init__(self) -> None:
        super().__init__(at_once=1000)


async def campaign_of(w: World, app: App, clock: VirtualClock, contacts: int, sender: str) -> Campaign:
    people = await make_list(w.store, app, clock, contacts)
    definition = make_definition([people], sender=sender)
    return await w.store.campaigns.create(app.no, definition, clock.now(), unique_names=True)


def small_takes(
    folder: Path, people: int, arm_size: int, *, beside_a_huge_one: bool, at_once: Callable[[], Turnstile] = Turnstile
) -> float:
    """Return how many virtual seconds a small app's campaign takes, alone or beside a huge app of many senders."""
    took: list[float] = []

    async def main(clock: VirtualClock) -> None:
        # In small steps, so that a campaign has many turns.
        async with world(clock, folder, window=100_000, tuning=replace(SLOW_TICK, arm_size=arm_size)) as w:
            w.store.hot = SlowWriter(w.store.hot, clock)
            await w.conductor.stop()
            await w.start()
            w.conductor._turnstile = at_once()
            small = await make_app(w.store, clock, name="Small")
            await w.store.apps.open_all()
            mine = await campaign_of(w, small, clock, people, "+12125550111")
            if beside_a_huge_one:
                for i in range(SENDERS):
                    huge = await campaign_of(w, w.app, clock, people, f"+1212555020{i}")
                    await w.run_campaign(huge)
                await clock.sleep(0.5)
            began = clock.now()
            await w.run_campaign(mine)
            await w.until(mine, Status.completed, longest_seconds=600)
            last = max(message.accepted_at for message in w.sent() if message.campaign_id == mine.id)
            took.append((last - began) / timedelta(seconds=1))

    run(main, start=MONDAY_NOON)
    return took[0]


@pytest.mark.parametrize(
    ("people", "arm_size"),
    [(300, 15), *(pytest.param(people, 50, marks=pytest.mark.full) for people in (1000, 1500))],
)
def test_beside_a_huge_app_a_small_one_takes_about_twice_as_long_as_alone(tmp_path: Path, people: int, arm_size: int):
    for name in ("alone", "beside", "unordered"):
        (tmp_path / name).mkdir()
    alone = small_takes(tmp_path / "alone", people, arm_size, beside_a_huge_one=False)
    beside = small_takes(tmp_path / "beside", people, arm_size, beside_a_huge_one=True)
    # Without an order whoever has more dispatchers has more of the writer.
    unordered = small_takes(
        tmp_path / "unordered", people, arm_size, beside_a_huge_one=True, at_once=lambda: Turnstile(Everybody())
    )

    assert 1.5 < beside / alone < 2.4
    assert unordered / alone > 5


async def test_whoever_is_cancelled_while_he_waits_or_is_served_leaves_the_way_free():
    turnstile, log = Turnstile(Turns(at_once=1)), []

    async def pass_through(app: int, name: str) -> None:
        async with turnstile.turn(app, 10):
            log.append(name)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    tasks = [
        asyncio.create_task(pass_through(app, name))
        for app, name in ((1, "first"), (1, "second"), (2, "third"), (2, "fourth"))
    ]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, True, False, False]
    assert log == ["first", "third", "fourth"]


async def test_one_that_breaks_in_its_turn_gives_it_back():
    turnstile = Turnstile(Turns(at_once=1))
    with pytest.raises(ValueError, match="broke"):
        async with turnstile.turn(1, 10):
            raise ValueError("broke")
    async with asyncio.timeout(5), turnstile.turn(2, 10):
        pass
