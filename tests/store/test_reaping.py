"""What a crash leaves unknown becomes uncertain, exactly that and nothing else."""

import asyncio

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Move, UncertainPolicy
from callsheet.core.retrying import Turn
from callsheet.core.run import AppSettings
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import Place
from factories import LEASE_SECONDS, Node, StillClock, happening, make_app, number, start_run


async def test_attempts_without_a_result_are_uncertain_when_their_lease_ran_out(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 6)
    intents = await node.walk_all(run, limit=3)
    told = [happening(intents[0], Kind.accepted, clock.now()), happening(intents[4], Kind.refused, clock.now())]
    await node.record(told)
    other = await Node.enter(store, clock)

    clock.advance(LEASE_SECONDS - 0.001)
    assert await other.reap() == 0
    clock.advance(0.001)
    assert await other.reap() == 4

    doubtful = await store.reports.attempts(app.no, run.no, state="uncertain")
    assert {attempt.number for attempt in doubtful} == {number(i) for i in (1, 2, 3, 5)}
    assert {attempt.events[0].code for attempt in doubtful} == {"lease_ran_out"}
    assert {attempt.events[0].at for attempt in doubtful} == {clock.now()}
    counters = await store.reports.counters(app.no, run.no)
    assert {name: value for name, value in counters.items() if value} == {
        "armed": 6,
        "accepted": 1,
        "refused": 1,
        "uncertain": 4,
    }
    assert await other.reap() == 0
    assert await store.reports.in_flight(app.no, run.no) == 0


async def test_the_one_owner_of_a_file_knows_at_its_start_that_all_others_are_dead(
    place: Place, store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 3)
    intents = await node.walk_all(run)
    await node.record([happening(intents[1], Kind.delivered, clock.now())])

    store = await place.reopen(store)
    node = await Node.enter(store, clock)

    assert await node.reap() == 0
    assert await node.reap(all_arms=True) == 2
    doubtful = await store.reports.attempts(app.no, run.no, state="uncertain")
    assert {attempt.number for attempt in doubtful} == {number(0), number(2)}


async def test_a_result_that_comes_after_the_reaper_counts(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 2)
    intents = await node.walk_all(run)
    clock.advance(LEASE_SECONDS)
    assert await node.reap() == 2

    await node.tell(intents[:1], Kind.delivered)
    # Nor is it asked again because of a refusal: that is evidence too, and it brings the contact back.
    await node.tell(intents[1:], Kind.refused)

    assert await store.reports.attempts(app.no, run.no, state="uncertain") == []
    clock.advance(1)
    assert [intent.number for intent in (await node.arm_again(run, Turn.first)).intents] == [number(1)]


async def test_at_least_once_brings_back_what_was_reaped(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(uncertain_policy=UncertainPolicy.at_least_once))
    node = await Node.enter(store, clock)
    run = await start_run(store, app, clock, 2)
    intents = await node.walk_all(run)
    await node.record([happening(intents[0], Kind.accepted, clock.now())])

    clock.advance(LEASE_SECONDS)
    assert await node.reap() == 1
    clock.advance(1)

    assert [intent.number for intent in (await node.arm_again(run, Turn.first)).intents] == [number(1)]


async def test_reaping_goes_over_all_runs_and_apps(store: Store, app: App, clock: StillClock, node: Node):
    other_app = await make_app(store, clock)
    runs = [await start_run(store, owner, clock, 2) for owner in (app, app, other_app)]
    for run in runs:
        await node.walk_all(run)

    clock.advance(LEASE_SECONDS)

    assert await node.reap() == 6
    for run in runs:
        assert (await store.reports.counters(run.app, run.no))["uncertain"] == 2


async def test_a_stopped_run_is_reaped_too(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 2)
    await node.walk_all(run)
    campaign = await store.campaigns.find(app.no, campaign_id=run.campaign_id)
    assert campaign is not None
    await store.campaigns.move(campaign, Move.stop, clock.now())

    clock.advance(LEASE_SECONDS)

    assert await node.reap() == 2


async def test_two_reapers_at_once_doubt_each_attempt_once(
    place: Place, store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 40)
    await node.walk_all(run, size=10, limit=3)
    twin = await place.open() if place.kind == "postgres" else store
    reapers = [node, await Node.enter(twin, clock), await Node.enter(store, clock)]
    clock.advance(LEASE_SECONDS)

    reaped = await asyncio.gather(*(one.reap() for one in reapers))

    assert sum(reaped) + await node.reap() == 40
    assert (await store.reports.counters(app.no, run.no))["uncertain"] == 40


async def test_a_result_that_races_the_reaper_is_not_lost(
    place: Place, store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 20)
    intents = await node.walk_all(run, limit=4)
    twin = await place.open() if place.kind == "postgres" else store
    reaper = await Node.enter(twin, clock)
    clock.advance(LEASE_SECONDS)

    async def tell() -> None:
        for i in range(0, 20, 4):
            await node.tell(intents[i : i + 4], Kind.delivered)

    await asyncio.gather(reaper.reap(), tell(), reaper.reap())

    counters = await store.reports.counters(app.no, run.no)
    assert (counters["armed"], counters["delivered"], counters.get("uncertain", 0)) == (20, 20, 0)
    assert await store.reports.attempts(app.no, run.no, state="uncertain") == []
    assert await store.hot.complete(run)
