"""A sender is never faster than its rate: by any number of callers, and over restarts."""

import asyncio
import random
from itertools import pairwise

import pytest

from callsheet.clock import to_micros
from callsheet.core.pacing import Grant
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import Place
from factories import StillClock, make_app

HORIZON_SECONDS = 0.25


def instants(grants: list[Grant]) -> list[int]:
    """Return when each granted segment may go, in microseconds."""
    return sorted(one.start + i * one.interval for one in grants for i in range(one.segments))


async def ask(store: Store, app: App, rate: float, wanted: int, name: str = "+1") -> Grant:
    return await store.hot.lease_rate(app.no, name, rate, wanted=wanted, horizon_seconds=HORIZON_SECONDS)


@pytest.mark.parametrize("rate", [0.5, 3.0, 10.0, 333.3])
async def test_no_two_segments_are_closer_than_the_rate_allows(
    place: Place, store: Store, app: App, clock: StillClock, rate: float
):
    dice = random.Random(7)
    began = to_micros(clock.now())
    granted: list[Grant] = []
    for i in range(60):
        clock.advance(dice.choice([0.0, 0.01, 0.1, 0.25]))
        # Two callers at once, as two nodes or two runs of one sender are.
        granted += await asyncio.gather(*(ask(store, app, rate, dice.randint(1, 200)) for _ in range(2)))
        if i in (20, 40):
            store = await place.reopen(store)

    all_of_them = instants(granted)
    interval = round(1_000_000 / rate)
    assert all(after - before >= interval for before, after in pairwise(all_of_them))
    assert all_of_them[0] >= began
    # Nor is it much slower: the whole time was asked for.
    elapsed = to_micros(clock.now()) - began
    assert len(all_of_them) >= 0.9 * elapsed / interval - 1


async def test_nothing_is_granted_beyond_the_horizon(store: Store, app: App, clock: StillClock):
    first = await ask(store, app, 10.0, 100)
    second = await ask(store, app, 10.0, 100)

    assert first.start == to_micros(clock.now())
    assert first.segments == 2
    assert second.segments <= 1
    assert (await ask(store, app, 10.0, 100)).segments == 0


async def test_idle_time_is_not_saved_up(store: Store, app: App, clock: StillClock):
    await ask(store, app, 10.0, 100)
    clock.advance(days=1)

    grant = await ask(store, app, 10.0, 100)

    assert (grant.start, grant.segments) == (to_micros(clock.now()), 2)


async def test_a_clock_that_was_set_back_does_not_make_a_sender_faster(store: Store, app: App, clock: StillClock):
    granted = [await ask(store, app, 10.0, 2)]

    clock.advance(-3600)
    granted += [await ask(store, app, 10.0, 2) for _ in range(3)]

    assert [one.segments for one in granted] == [2, 0, 0, 0]


async def test_senders_and_apps_have_a_rate_of_their_own(store: Store, app: App, clock: StillClock):
    other = await make_app(store, clock)

    grants = [
        await ask(store, app, 4.0, 1),
        await ask(store, app, 4.0, 1, name="+2"),
        await ask(store, other, 4.0, 1),
    ]

    assert {one.start for one in grants} == {to_micros(clock.now())}


async def test_a_day_has_no_more_than_its_cap_for_any_number_of_callers_and_over_restarts(
    place: Place, store: Store, app: App
):
    async def reserve(wanted: int, day: int = 100, cap: int = 90) -> int:
        return await store.hot.reserve_day(app.no, "+1", day=day, cap=cap, wanted=wanted)

    granted = await asyncio.gather(*(reserve(7) for _ in range(20)))
    assert sum(granted) == 90
    assert await reserve(-10) == -10
    store = await place.reopen(store)
    assert [await reserve(7), await reserve(7)] == [7, 3]
    # A day that is over is not begun anew, and of the next one nothing was used.
    assert [await reserve(5, day=99), await reserve(5, day=101), await reserve(-50, day=101)] == [0, 5, -5]
    # A rate of the same name is counted beside it.
    assert (await ask(store, app, 1.0, 1)).segments == 1
    assert await reserve(1000, day=101) == 90
