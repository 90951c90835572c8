"""A run is Completed when nothing is left, and not a moment before."""

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Move, Status
from callsheet.core.retrying import Turn
from callsheet.core.run import Run
from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import Node, StillClock, grow_list, make_campaign, make_list, start, start_run


async def status(store: Store, run: Run) -> tuple[Status, Status]:
    campaign = await store.campaigns.find(run.app, campaign_id=run.campaign_id)
    now = await store.runs.by_no(run.no)
    assert campaign is not None
    assert now is not None
    return campaign.status, now.status


async def test_a_range_a_chunk_an_arm_and_a_retry_each_hold_the_run(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 3)

    assert not await store.hot.complete(run), "nobody took anything yet"
    first = await node.take(run, size=2)
    assert first is not None
    await node.tell((await node.arm(run, first)).intents, Kind.accepted)
    assert not await store.hot.complete(run), "the third is in the range"
    last = await node.take(run)
    assert last is not None
    assert not await store.hot.complete(run), "the third is in a chunk"
    armed = await node.arm(run, last)
    assert not await store.hot.complete(run), "the third is armed"
    await node.tell(armed.intents, Kind.refused)
    assert not await store.hot.complete(run), "the third comes again"
    clock.advance(1)
    again = await node.arm_again(run, Turn.first)
    assert not await store.hot.complete(run), "the third is armed again"
    await node.tell(again.intents, Kind.uncertain)

    assert await store.hot.complete(run), "an uncertain attempt does not hold the run"

    assert await status(store, run) == (Status.completed, Status.completed)
    assert await store.runs.active() == []
    assert not await store.hot.complete(run), "it has ended already"


async def test_an_empty_run_ends(store: Store, app: App, clock: StillClock):
    run = await start_run(store, app, clock, 0)

    assert await store.hot.complete(run)


async def test_a_list_that_grew_unseen_holds_the_run(store: Store, app: App, clock: StillClock, node: Node):
    contact_list = await make_list(store, app, clock, 1)
    run = await start(store, app, clock, await make_campaign(store, app, clock, [contact_list]))
    await node.tell(await node.walk_all(run), Kind.accepted)

    await grow_list(store, app, contact_list, [1])

    assert not await store.hot.complete(run)
    await node.tell(await node.walk_all(run), Kind.accepted)
    assert await store.hot.complete(run)


async def test_a_list_that_grows_after_the_end_waits_for_the_next_run(
    store: Store, app: App, clock: StillClock, node: Node
):
    contact_list = await make_list(store, app, clock, 1)
    campaign = await make_campaign(store, app, clock, [contact_list])
    run = await start(store, app, clock, campaign)
    await node.tell(await node.walk_all(run), Kind.accepted)
    assert await store.hot.complete(run)

    await grow_list(store, app, contact_list, [1])

    assert await node.take(run) is None
    assert len(await node.walk_all(await start(store, app, clock, campaign))) == 2


@pytest.mark.parametrize("move", [Move.pause, Move.stop])
async def test_only_an_active_run_is_completed(store: Store, app: App, clock: StillClock, move: Move):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 0)])
    run = await start(store, app, clock, campaign)
    moved = await store.campaigns.move(campaign, move, clock.now())

    assert not await store.hot.complete(run)
    assert await status(store, run) == (moved.status, moved.status)


async def test_the_old_run_of_a_campaign_that_runs_again_does_not_complete_it(
    store: Store, app: App, clock: StillClock
):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 0)])
    old = await start(store, app, clock, campaign)
    await store.campaigns.move(campaign, Move.stop, clock.now())
    new = await start(store, app, clock, campaign)

    assert not await store.hot.complete(old)

    assert await status(store, new) == (Status.active, Status.active)


async def test_others_are_told_of_the_end_once(store: Store, app: App, clock: StillClock):
    run = await start_run(store, app, clock, 0)
    await store.hot.complete(run)
    await store.hot.complete(run)

    notices = await store.outbox.peek(10)

    assert [(notice.app, notice.kind) for notice in notices] == [(app.no, "run.started"), (app.no, "run.completed")]
    assert notices[1].payload == {"campaign_id": run.campaign_id, "run_id": run.id}
    assert notices[1].at == clock.now()
