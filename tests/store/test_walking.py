"""The lists are walked in the order that the campaign asked for, and nobody is skipped or met twice."""

import asyncio
from itertools import pairwise

import pytest

from callsheet.core.campaign import Move, Order
from callsheet.core.run import AppSettings, ZoneSource
from callsheet.store.apps import App
from callsheet.store.protocol import NewContact
from callsheet.store.store import Store
from databases import Place, rows
from factories import (
    Node,
    StillClock,
    contact,
    grow_list,
    hours,
    make_app,
    make_campaign,
    make_list,
    number,
    start,
    start_run,
    work_of,
)


async def test_every_contact_is_armed_once_with_its_number_and_columns(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 23)

    intents = await node.walk_all(run, size=10, limit=4)

    assert [intent.number for intent in intents] == [number(i) for i in range(23)]
    assert {(intent.n, intent.used) for intent in intents} == {(1, 1)}
    assert {intent.attributes["first_name"] for intent in intents} == {"Ada"}
    assert {(intent.app, intent.run_no) for intent in intents} == {(app.no, run.no)}
    assert (await store.reports.counters(app.no, run.no)) == {"armed": 23}
    assert await node.take(run) is None


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("order", list(Order))
async def test_a_list_is_walked_from_its_beginning_or_from_its_end(
    store: Store, app: App, clock: StillClock, node: Node, order: Order, size: int
):
    run = await start_run(store, app, clock, 25, order=order)

    positions = [intent.pos for intent in await node.walk_all(run, size=size, limit=3)]

    assert positions == sorted(range(25), reverse=order is Order.lifo)


@pytest.mark.parametrize("order", list(Order))
async def test_groups_of_one_list_take_turns_by_position(
    store: Store, app: App, clock: StillClock, node: Node, order: Order
):
    zones = ["", "Europe/Berlin", "Asia/Kolkata"]
    people = [contact(store, app, number(i), zone=zones[i % 3]) for i in range(20)]
    run = await start_run(store, app, clock, people, order=order)

    positions = [intent.pos for intent in await node.walk_all(run, size=1, limit=1)]

    assert positions == sorted(range(20), reverse=order is Order.lifo)


@pytest.mark.parametrize("order", list(Order))
async def test_a_chunk_is_all_that_the_order_of_groups_may_be_out_by(
    store: Store, app: App, clock: StillClock, node: Node, order: Order
):
    people = [contact(store, app, number(i), zone=["", "Europe/Berlin"][i % 2]) for i in range(60)]
    run = await start_run(store, app, clock, people, order=order)

    positions = [intent.pos for intent in await node.walk_all(run, size=5, limit=5)]

    assert sorted(positions) == list(range(60))
    # A chunk of 5 contacts spans 9 positions here, so nobody is overtaken by more than that.
    step = 1 if order is Order.fifo else -1
    assert all(step * (after - before) > -10 for before, after in pairwise(positions))


async def test_lists_come_in_the_order_in_which_the_campaign_names_them(
    store: Store, app: App, clock: StillClock, node: Node
):
    first = await make_list(store, app, clock, [contact(store, app, number(i)) for i in range(5)])
    second = await make_list(store, app, clock, [contact(store, app, number(i)) for i in range(5, 12)])
    run = await start(store, app, clock, await make_campaign(store, app, clock, [second, first]))

    intents = await node.walk_all(run, size=3)

    assert run.lists == (second.no, first.no)
    assert [intent.list_no for intent in intents] == [second.no] * 7 + [first.no] * 5


async def test_contacts_with_priority_come_before_all_others_whatever_their_list(
    store: Store, app: App, clock: StillClock, node: Node
):
    def people(serials: range, priority: int) -> list[NewContact]:
        return [contact(store, app, number(i), priority=priority) for i in serials]

    first = await make_list(store, app, clock, people(range(6), 0) + people(range(6, 9), 3))
    second = await make_list(store, app, clock, people(range(9, 12), 0) + people(range(12, 15), 10))
    run = await start(store, app, clock, await make_campaign(store, app, clock, [first, second]))

    numbers = [intent.number for intent in await node.walk_all(run, size=2)]

    assert numbers == [number(i) for i in [*range(12, 15), *range(6, 9), *range(6), *range(9, 12)]]


async def test_a_group_that_is_not_open_is_left_alone(store: Store, app: App, clock: StillClock, node: Node):
    people = [contact(store, app, number(i), zone=["", "Europe/Berlin"][i % 2]) for i in range(10)]
    run = await start_run(store, app, clock, people)
    berlin = [group for group in (await work_of(store, run)).groups if group.own_zone == "Europe/Berlin"]

    chunk = await node.take(run, berlin)

    assert chunk is not None
    assert [intent.pos for intent in (await node.arm(run, chunk)).intents] == [1, 3, 5, 7, 9]
    assert await node.take(run, berlin) is None
    assert await node.take(run, []) is None
    assert [group.own_zone for group in (await work_of(store, run)).groups] == [None]


async def test_work_names_the_zones_and_the_priority_of_each_group(store: Store, clock: StillClock, node: Node):
    app = await make_app(store, clock, AppSettings(zones=ZoneSource.number))
    people = [
        contact(store, app, number(0), candidates="America/Chicago America/New_York"),
        contact(store, app, number(1), zone="Asia/Kolkata", priority=7),
    ]
    run = await start_run(store, app, clock, people)

    work = await work_of(store, run)

    assert {(group.own_zone, group.candidate_zones, group.priority) for group in work.groups} == {
        (None, frozenset({"America/Chicago", "America/New_York"}), 0),
        ("Asia/Kolkata", frozenset(), 7),
    }
    assert work.due == {}


async def test_a_door_that_closes_between_take_and_arm_arms_nobody(
    store: Store, app: App, clock: StillClock, node: Node
):
    # 12:00 UTC is open, 13:00 is not, the next day at 8:00 is again.
    run = await start_run(store, app, clock, 5, hours=hours(start=8 * 60, end=13 * 60))
    chunk = await node.take(run)
    assert chunk is not None
    clock.advance(hours=1)

    armed = await node.arm(run, chunk)

    assert not armed.intents
    assert armed.closed_until == clock.now().replace(day=3, hour=8)
    assert (armed.left, armed.lost) == (chunk, False)
    assert await store.reports.counters(app.no, run.no) == {}
    clock.advance(hours=19)
    assert [intent.pos for intent in (await node.arm(run, chunk)).intents] == list(range(5))


@pytest.mark.parametrize("order", list(Order))
async def test_what_a_list_gains_during_the_run_is_contacted(
    store: Store, app: App, clock: StillClock, node: Node, order: Order
):
    contact_list = await make_list(store, app, clock, 5)
    run = await start(store, app, clock, await make_campaign(store, app, clock, [contact_list], order=order))
    chunk = await node.take(run, size=3)
    assert chunk is not None

    await grow_list(store, app, contact_list, range(5, 9))
    held = [intent.pos for intent in (await node.arm(run, chunk)).intents]
    then = [intent.pos for intent in await node.walk_all(run, size=3)]
    await grow_list(store, app, contact_list, range(9, 11))
    last = [intent.pos for intent in await node.walk_all(run, size=3)]

    assert held == ([0, 1, 2] if order is Order.fifo else [4, 3, 2])
    # From the end: what came last is at the end.
    assert then == ([3, 4, 5, 6, 7, 8] if order is Order.fifo else [8, 7, 6, 5, 1, 0])
    assert sorted(last) == [9, 10]


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("adds", [120, pytest.param(1000, marks=pytest.mark.full)])
async def test_contacts_that_come_one_by_one_make_few_ranges_and_whole_chunks(
    store: Store, app: App, clock: StillClock, node: Node, order: Order, adds: int
):
    zones = ["", "Asia/Kolkata"]
    contact_list = await make_list(store, app, clock, [contact(store, app, number(i), zone=zones[0]) for i in range(7)])
    run = await start(store, app, clock, await make_campaign(store, app, clock, [contact_list], order=order))
    armed: list[int] = []
    chunks = 0

    async def take() -> None:
        nonlocal chunks
        chunk = await node.take(run, size=5)
        assert chunk is not None
        armed.extend(intent.pos for intent in (await node.arm(run, chunk)).intents)
        chunks += 1

    for i in range(7, 7 + adds):
        await store.hot.append(app.no, contact_list.no, [contact(store, app, number(i), zone=zones[i % 2])])
        await work_of(store, run)
        if i % 10 == 0:
            await take()
        left = sum(one.contacts for one in await store.reports.left(app.no, run.no)) if i % 20 == 0 else None
        assert left in (None, i + 1 - len(armed))
    cursors = await rows(store, "select group_no, count(*) from cursor group by group_no order by group_no")
    while len(armed) < 7 + adds:
        await take()

    # From the end, what is left of a range while others come on top of it stays a range; the rest are one a group.
    most = 1 if order is Order.fifo else 1 + adds // 10
    assert [count <= most for _, count in cursors] == [True, True], cursors
    assert sorted(armed) == list(range(7 + adds))
    assert chunks < adds / 2
    assert await node.take(run) is None


async def test_a_list_that_is_empty_at_the_start_is_walked_when_it_fills(
    store: Store, app: App, clock: StillClock, node: Node
):
    contact_list = await make_list(store, app, clock, 0)
    run = await start(store, app, clock, await make_campaign(store, app, clock, [contact_list]))
    assert (await work_of(store, run)).groups == []

    await grow_list(store, app, contact_list, range(3))
    await store.hot.append(app.no, contact_list.no, [contact(store, app, number(3), zone="Asia/Kolkata")])

    assert len((await work_of(store, run)).groups) == 2
    assert [intent.pos for intent in await node.walk_all(run)] == [0, 1, 2, 3]


async def test_a_list_that_grows_while_its_run_is_paused_is_walked_on_resume(
    store: Store, app: App, clock: StillClock, node: Node
):
    contact_list = await make_list(store, app, clock, 2)
    campaign = await make_campaign(store, app, clock, [contact_list])
    run = await start(store, app, clock, campaign)
    assert len(await node.walk_all(run)) == 2

    await store.campaigns.move(campaign, Move.pause, clock.now())
    await grow_list(store, app, contact_list, range(2, 5))
    assert await node.take(run) is None
    await store.campaigns.move(campaign, Move.resume, clock.now())

    assert [intent.pos for intent in await node.walk_all(run)] == [2, 3, 4]


async def test_nodes_that_walk_together_meet_nobody_twice(
    place: Place, store: Store, app: App, clock: StillClock, node: Node
):
    zones = ["", "Europe/Berlin"]
    people = [contact(store, app, number(i // 2), zone=zones[i % 3 % 2], priority=i % 2) for i in range(80)]
    contact_list = await make_list(store, app, clock, people, allow_duplicates=True)
    run = await start(store, app, clock, await make_campaign(store, app, clock, [contact_list]))
    twin = await place.open() if place.kind == "postgres" else store
    nodes = [node, await Node.enter(twin, clock), await Node.enter(store, clock)]

    walked = await asyncio.gather(*(one.walk_all(run, 7, 3) for one in nodes))

    numbers = [intent.number for mine in walked for intent in mine]
    assert sorted(numbers) == [number(i) for i in range(40)]
    assert await store.reports.counters(app.no, run.no) == {"armed": 40, "suppressed:duplicate": 40}
