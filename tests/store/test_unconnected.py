"""Who was not connected comes again, after the period, as often as the campaign says."""

from datetime import timedelta

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.retrying import Turn
from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import Node, StillClock, start_run


@pytest.mark.parametrize("attempts", [1, 2])
async def test_who_was_not_connected_waits_the_period_and_comes_as_often_as_the_campaign_says(
    store: Store, app: App, clock: StillClock, node: Node, attempts: int
):
    run = await start_run(store, app, clock, 1, max_attempts=attempts, retry_minutes=30)
    recorded = await node.tell(await node.walk_all(run), Kind.undelivered)
    if attempts == 1:
        assert recorded.again_at is None
        return
    assert recorded.again_at == clock.now() + timedelta(minutes=30)
    clock.advance(minutes=29)
    assert not (await node.arm_again(run, Turn.last)).intents
    clock.advance(minutes=1)

    (again,) = (await node.arm_again(run, Turn.last)).intents
    assert (again.n, again.used) == (2, 2)
    assert (await node.tell([again], Kind.undelivered)).again_at is None


async def test_who_was_reached_after_all_does_not_come_again(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 1, max_attempts=5)
    intents = await node.walk_all(run)
    await node.tell(intents, Kind.undelivered)
    await node.tell(intents, Kind.delivered)
    clock.advance(hours=1)
    assert not (await node.arm_again(run, Turn.last)).intents
