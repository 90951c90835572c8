"""A call that goes on holds its run and whoever is called, on both databases; and its arm outlives its lease."""

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Channel, UncertainPolicy
from callsheet.core.retrying import Turn
from callsheet.core.run import AppSettings, Run
from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import LEASE_SECONDS, Node, StillClock, arms_of, make_app, start_run, work_of
from store.test_calls import LEASE, close_left, row_of


async def calling(store: Store, app: App, clock: StillClock, people: int = 1) -> Run:
    return await start_run(store, app, clock, people, channel=Channel.voice)


async def test_a_run_is_not_complete_while_a_call_of_it_goes_on(store: Store, app: App, clock: StillClock, node: Node):
    run, other = await calling(store, app, clock), await calling(store, app, clock)
    for one in (run, other):
        (intent,) = await node.walk_all(one)
        if one is run:
            await store.calls.write([await row_of(store, app, clock, intent)], node.no, clock.now() + LEASE)
        await node.tell([intent], Kind.undelivered, "busy")

    assert (await work_of(store, run)).in_flight
    assert not await store.hot.complete(run), "its call goes on"
    assert not (await work_of(store, other)).in_flight
    assert await store.hot.complete(other)

    clock.advance(60)
    assert await close_left(store, clock, node.no + 1) == 1
    assert not (await work_of(store, run)).in_flight
    assert await store.hot.complete(run)


async def test_who_is_on_the_line_is_not_called_again_before_the_call_is_over(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(uncertain_policy=UncertainPolicy.at_least_once))
    node = await Node.enter(store, clock)
    run = await calling(store, app, clock, 2)
    talking, other = await node.walk_all(run)
    await store.calls.write([await row_of(store, app, clock, talking)], node.no, clock.now() + LEASE)
    await node.tell([talking, other], Kind.uncertain, "lease_ran_out")

    clock.advance(1)
    assert [one.person for one in (await node.arm_again(run, Turn.first)).intents] == [other.person]
    clock.advance(30)
    assert not (await node.arm_again(run, Turn.first)).intents
    assert not await store.hot.complete(run)
    clock.advance(60)
    assert await close_left(store, clock, node.no + 1) == 1
    assert [one.person for one in (await node.arm_again(run, Turn.first)).intents] == [talking.person]


async def test_what_became_of_a_call_is_asked_of_its_node_before_it_is_in_doubt_at_a_start(
    store: Store, app: App, clock: StillClock, node: Node
):
    called, texted = await calling(store, app, clock), await start_run(store, app, clock, 1)
    for run in (called, texted):
        await node.walk_all(run)
    other = await Node.enter(store, clock)

    assert await other.reap(all_arms=True) == 1
    doubtful = await store.reports.attempts(app.no, texted.no, state="uncertain")
    assert len(doubtful) == 1
    clock.advance(LEASE_SECONDS)
    assert await other.reap() == 1
    assert len(await store.reports.attempts(app.no, called.no, state="uncertain")) == 1


@pytest.mark.parametrize("is_reaped", [False, True])
async def test_an_arm_of_which_something_goes_on_is_renewed_until_somebody_reaped_it(
    store: Store, app: App, clock: StillClock, node: Node, is_reaped: bool
):
    run = await calling(store, app, clock)
    arms = arms_of(node, await node.walk_all(run))
    other = await Node.enter(store, clock)
    clock.advance(LEASE_SECONDS + 10)
    if is_reaped:
        assert await other.reap() == 1
    await store.hot.renew(node.no, (), LEASE_SECONDS, arms)

    assert await other.reap() == 0
    assert (await work_of(store, run)).in_flight is not is_reaped
    clock.advance(LEASE_SECONDS)
    assert await other.reap() == (0 if is_reaped else 1)
