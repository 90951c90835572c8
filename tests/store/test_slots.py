"""Calls at once, over all nodes: what they hold together is never more than is allowed."""

import asyncio
from datetime import timedelta

from callsheet.engine.calling.slots import Limit, Slots
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


async def test_a_limit_smaller_than_the_number_of_nodes_is_used(store: Store, app: App, clock: StillClock, node: Node):
    nodes = [node, await Node.enter(store, clock), await Node.enter(store, clock)]
    limit = Limit(app.no, "tr-one", 1)
    every = [slots_of(store, clock, each) for each in nodes]
    for _ in range(3):
        # Everybody asks, and nobody calls: what is held is shared anew at each look.
        for slots in every:
            slots.free([limit])
            await slots.look()
        assert await held(store) == 1
        clock.advance(LEASE_SECONDS / 2)
