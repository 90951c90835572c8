"""A node that lost its lease cannot contact anybody, however long it slept."""

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Move
from callsheet.store.apps import App
from callsheet.store.protocol import ArmKey
from callsheet.store.store import Store
from databases import Place, rows
from factories import (
    LEASE_SECONDS,
    Node,
    StillClock,
    arms_of,
    happening,
    make_campaign,
    make_list,
    start,
    start_run,
)


async def test_a_node_that_slept_past_its_lease_arms_nobody_after_another_took_over(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 10)
    chunk = await node.take(run)
    assert chunk is not None
    first = await node.arm(run, chunk, 4)
    clock.advance(LEASE_SECONDS + 1)
    other = await Node.enter(store, clock)

    taken = await other.take(run)
    assert taken is not None
    assert first.left is not None
    late = await node.arm(run, first.left, 4)

    assert taken == first.left._replace(epoch=chunk.epoch + 1)
    assert late.lost
    assert not late.intents
    assert late.left is None
    assert [intent.pos for intent in (await other.arm(run, taken)).intents] == [4, 5, 6, 7, 8, 9]


async def test_a_chunk_whose_lease_lasts_is_nobody_elses(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 5)
    other = await Node.enter(store, clock)
    assert await node.take(run)

    clock.advance(LEASE_SECONDS - 1)

    assert await other.take(run) is None
    clock.advance(1)
    assert await other.take(run)


async def test_the_same_node_that_took_its_chunk_again_has_a_new_epoch(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 5)
    before = await node.take(run)
    assert before is not None
    clock.advance(LEASE_SECONDS + 1)

    again = await node.take(run)

    assert again is not None
    assert again == before._replace(epoch=2)
    assert (await node.arm(run, before)).lost
    assert len((await node.arm(run, again)).intents) == 5


async def test_arming_renews_the_lease(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 10)
    other = await Node.enter(store, clock)
    chunk = await node.take(run)
    for _ in range(4):
        assert chunk is not None
        clock.advance(LEASE_SECONDS - 1)
        armed = await node.arm(run, chunk, 2)
        assert len(armed.intents) == 2
        assert armed.lease_until is not None
        assert (armed.lease_until - clock.now()).total_seconds() == LEASE_SECONDS
        assert await other.take(run) is None
        chunk = armed.left


async def test_renewing_keeps_what_a_node_holds_and_returns_nothing_that_ran_out(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 10)
    other = await Node.enter(store, clock)
    first = await node.take(run, size=5)
    clock.advance(LEASE_SECONDS / 2)
    second = await other.take(run, size=5)
    assert first
    assert second

    clock.advance(LEASE_SECONDS - 1)
    await store.hot.renew(node.no, [first], LEASE_SECONDS)
    await store.hot.renew(other.no, [first, second], LEASE_SECONDS)
    await store.hot.renew(other.no, [], LEASE_SECONDS)
    clock.advance(LEASE_SECONDS - 1)

    # The first chunk had run out before it was renewed; the second is held.
    third = await Node.enter(store, clock)
    taken = await third.take(run)
    assert taken is not None
    assert (taken.lo, taken.hi) == (0, 4)
    assert await third.take(run) is None


async def test_who_is_in_an_arm_is_known_until_it_has_ended(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 4)
    intents = await node.walk_all(run)
    arm = ArmKey(app.no, run.no, node.no, intents[0].arm_no)
    assert set(await store.hot.members(arm)) == {(intent.person, 1) for intent in intents}
    assert not await store.hot.members(arm._replace(arm_no=arm.arm_no + 1))
    withdrawn = [happening(intent, Kind.withdrawn, clock.now()) for intent in intents]
    await node.record(withdrawn, ended=[arm])
    assert not await store.hot.members(arm)


async def test_what_a_node_gives_back_is_taken_at_once(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 10)
    chunk = await node.take(run)
    assert chunk is not None
    await node.arm(run, chunk, 3)
    other = await Node.enter(store, clock)
    assert await other.take(run) is None

    await store.hot.release(node.no)

    assert [intent.pos for intent in await other.walk_all(run)] == [3, 4, 5, 6, 7, 8, 9]


async def test_giving_back_one_run_keeps_the_others(store: Store, app: App, clock: StillClock, node: Node):
    kept = await start_run(store, app, clock, 3)
    given = await start_run(store, app, clock, 3)
    assert await node.take(kept)
    assert await node.take(given)
    other = await Node.enter(store, clock)

    await store.hot.release(node.no, given.no)

    assert await other.take(kept) is None
    assert await other.take(given)


async def test_nobody_arms_in_a_run_that_is_paused_or_stopped(store: Store, app: App, clock: StillClock, node: Node):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 6)])
    run = await start(store, app, clock, campaign)
    chunk = await node.take(run)
    assert chunk is not None

    for move in (Move.pause, Move.stop):
        await store.campaigns.move(campaign, move, clock.now())
        assert (await node.arm(run, chunk)).lost
        assert await node.take(run) is None

    assert await store.reports.counters(app.no, run.no) == {}


async def test_a_new_run_does_not_take_what_the_stopped_one_held(store: Store, app: App, clock: StillClock, node: Node):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 6)])
    old = await start(store, app, clock, campaign)
    chunk = await node.take(old)
    assert chunk is not None
    await store.campaigns.move(campaign, Move.stop, clock.now())

    new = await start(store, app, clock, campaign)

    assert (await node.arm(old, chunk)).lost
    assert len(await node.walk_all(new)) == 6


async def test_numbers_of_nodes_are_never_used_again(place: Place, store: Store, clock: StillClock):
    first = await store.hot.enter("here")
    store = await place.reopen(store)

    assert await store.hot.enter("here") > first


async def test_an_arm_of_which_something_goes_on_is_renewed_until_it_ends(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 4)
    chunk = await node.take(run, size=4)
    assert chunk is not None
    ringing = await node.arm(run, chunk, limit=2)
    assert ringing.left is not None
    left = await node.arm(run, ringing.left, limit=2)

    for _ in range(4):
        clock.advance(LEASE_SECONDS / 2)
        await store.hot.renew(node.no, [], LEASE_SECONDS, arms_of(node, ringing.intents))
        await node.reap()

    states = await rows(store, "select person, kind from event order by person")
    assert {row.person for row in states} == {intent.person for intent in left.intents}
    assert {row.kind for row in states} == {"uncertain"}
    clock.advance(LEASE_SECONDS)
    await store.hot.renew(node.no, [], LEASE_SECONDS, arms_of(node, ringing.intents))
    assert await node.reap() == 0, "it goes on, and nobody has taken it: its phone rings still"
    clock.advance(LEASE_SECONDS)
    assert await node.reap() == 2, "nobody says any more that it goes on"
