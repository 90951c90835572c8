"""Calls at once, over all nodes: what they hold together is never more than is allowed."""

import asyncio
from collections import Counter
from datetime import timedelta

from callsheet.engine.calling.slots import Limit, Slots
from callsheet.engine.places import Claim
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import rows
from factories import LEASE_SECONDS, Node, StillClock

MOST = 10


def slots_of(store: Store, clock: StillClock, node: Node) -> Slots:
    return Slots(store, clock, node_no=node.no, lease_seconds=LEASE_SECONDS, sole_owner=False)


async def held(store: Store) -> int:
    return sum(row.held for row in await rows(store, "select held from slot"))


async def test_two_nodes_that_ask_at_once_hold_no_more_than_is_allowed(
    store: Store, app: App, clock: StillClock, node: Node
):
    other = await Node.enter(store, clock)
    limit = Limit(app.no, "tr-one", MOST)
    one, two = slots_of(store, clock, node), slots_of(store, clock, other)
    assert one.free([limit]) == two.free([limit]) == 0, "nothing was agreed on yet"

    await asyncio.gather(one.look(), two.look())
    for _ in range(3):
        taken = [slots.take([limit]) for slots in (one, two) for _ in range(MOST)]
        assert await held(store) <= MOST
        for slots in (one, two):
            assert slots.free([limit]) >= 0
        await one.look()
        await two.look()
        assert await held(store) <= MOST
    assert sum(taken) <= MOST


async def test_a_node_that_wants_some_gets_its_share_and_nobody_is_hung_up(
    store: Store, app: App, clock: StillClock, node: Node
):
    other = await Node.enter(store, clock)
    limit = Limit(app.no, "agentless", MOST)
    one, two = slots_of(store, clock, node), slots_of(store, clock, other)
    one.free([limit])
    await one.look()
    for _ in range(7):
        assert one.take([limit])

    two.free([limit])
    await two.look()
    assert two.free([limit]) == 0, "the first holds all"
    one.free([limit])
    await one.look()
    assert one.free([limit]) == 0, "it keeps those in use"
    await two.look()
    assert two.free([limit]) == 3

    for _ in range(7):
        one.give_back([limit])
    one.free([limit])
    await one.look()
    two.free([limit])
    await two.look()
    assert (one.free([limit]), two.free([limit])) == (5, 5)


async def test_what_a_dead_node_held_is_free_when_its_lease_is_over(
    store: Store, app: App, clock: StillClock, node: Node
):
    other = await Node.enter(store, clock)
    limit = Limit(app.no, "tr-one", MOST)
    dead, alive = slots_of(store, clock, node), slots_of(store, clock, other)
    dead.free([limit])
    await dead.look()
    for _ in range(MOST):
        assert dead.take([limit])
    alive.free([limit])
    await alive.look()
    assert alive.free([limit]) == 0

    clock.advance(timedelta(seconds=LEASE_SECONDS + 1).total_seconds())
    alive.free([limit])
    await alive.look()

    assert alive.free([limit]) == MOST
    assert dead.free([limit]) < 0 or not dead.take([limit]), "it begins nothing any more"


async def test_what_nobody_asks_for_is_given_back(store: Store, app: App, clock: StillClock, node: Node):
    limit = Limit(app.no, "tr-one", MOST)
    slots = slots_of(store, clock, node)
    slots.free([limit])
    await slots.look()
    assert await held(store) == MOST

    await slots.look()

    assert await held(store) == 0


async def test_where_nodes_outnumber_the_slots_each_has_one_at_times(
    store: Store, app: App, clock: StillClock, node: Node
):
    nodes = [node, await Node.enter(store, clock), await Node.enter(store, clock)]
    limit = Limit(app.no, "tr-one", 1)
    every = [slots_of(store, clock, each) for each in nodes]
    had = Counter[int]()
    for _ in range(60):
        # Calls are over after a while, and everybody has more to call.
        for i, slots in enumerate(every):
            slots.free([limit])
            await slots.look()
            if slots.take([limit]):
                had[i] += 1
                slots.give_back([limit])
            assert await held(store) <= 1
        clock.advance(5)
    assert min(had[i] for i in range(3)) >= 10


async def test_a_node_that_always_has_more_to_call_leaves_the_other_its_half(
    store: Store, app: App, clock: StillClock, node: Node
):
    other = await Node.enter(store, clock)
    limit = Limit(app.no, "agentless", MOST)
    one, two = slots_of(store, clock, node), slots_of(store, clock, other)
    one.free([limit])
    await one.look()
    going_on = [MOST, 0]
    one.occupy([limit] * MOST)

    for _ in range(40):
        for i, slots in enumerate((one, two)):
            # One call of each is over, and the next ones begin at once: before anybody looks.
            if going_on[i]:
                slots.give_back([limit])
                going_on[i] -= 1
            while slots.take([limit]):
                going_on[i] += 1
            await slots.look()
            assert sum(going_on) <= MOST
        clock.advance(1)

    assert min(going_on) >= MOST // 2 - 1


async def test_who_can_use_few_leaves_the_others_the_rest(store: Store, app: App, clock: StillClock, node: Node):
    other = await Node.enter(store, clock)
    limit = Limit(app.no, "agentless", MOST)
    few, many = slots_of(store, clock, node), slots_of(store, clock, other)
    for _ in range(3):
        few.keep([limit], 1, Claim(1, 1))
        many.keep([limit], 20, Claim(1, 1))
        for slots in (few, many):
            await slots.look()
        for slots, used in ((few, 1), (many, 20)):
            slots.let_go([limit], max(0, slots._used[limit.whose] - used), None)

    assert [row.held for row in await rows(store, "select held from slot order by node_no")] == [1, MOST - 1]


async def test_who_wants_none_is_given_none(store: Store, app: App, clock: StillClock, node: Node):
    limit = Limit(app.no, "tr-one", MOST)
    slots = slots_of(store, clock, node)
    slots.keep([limit], 0, Claim(1, 1))
    await slots.look()

    assert await held(store) == 0


async def test_whoever_finds_none_after_somebody_found_some_wakes_the_loop(
    store: Store, app: App, clock: StillClock, node: Node
):
    limit = Limit(app.no, "tr-one", 2)
    slots = slots_of(store, clock, node)
    slots.free([limit])
    await slots.look()
    slots._wake.clear()
    assert slots.take([limit])
    assert slots.take([limit])
    assert not slots._wake.is_set()

    assert not slots.take([limit])

    assert slots._wake.is_set()
