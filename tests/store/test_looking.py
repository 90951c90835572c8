"""Who looks from outside must see what stands still, and not call waiting for its hour standing still."""

from datetime import timedelta

from callsheet.core.attempt import Kind
from callsheet.core.checkup import OVERDUE
from callsheet.store.apps import App
from callsheet.store.looking import look
from callsheet.store.store import Store
from factories import Node, StillClock, hours, make_list, start_run


async def seen(store: Store, clock: StillClock):
    return await look(store._database, clock.now())


async def test_a_run_whose_dead_nodes_nobody_reaps_is_overdue_and_one_that_waits_for_its_hours_is_not(
    store: Store, app: App, clock: StillClock, node: Node
):
    dead = await start_run(store, app, clock, 3)
    closed = await start_run(store, app, clock, 3, hours=hours(start=0, end=60))
    chunk = await node.take(dead)
    assert chunk is not None
    await node.arm(dead, chunk)
    await node.take(closed)
    assert ((await seen(store, clock)).active, (await seen(store, clock)).overdue) == (2, 0)

    clock.advance(OVERDUE / timedelta(seconds=1) + 60)
    assert (await seen(store, clock)).overdue == 1
    await node.reap()
    assert (await seen(store, clock)).overdue == 0


async def test_a_refused_message_that_is_not_repeated_is_overdue(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 1)
    await node.tell(await node.walk_all(run), Kind.refused)
    clock.advance(hours=1)

    assert (await seen(store, clock)).overdue == 1


async def test_an_import_that_has_not_moved_is_stuck_until_it_has_ended(store: Store, app: App, clock: StillClock):
    target = await make_list(store, app, clock)
    job = await store.imports.create(
        app.no, list_no=target.no, target="contact_list", file="a/b", bytes_total=1, now=clock.now()
    )
    first = await seen(store, clock)
    clock.advance(hours=1)
    later = await seen(store, clock)
    await store.imports.fail(job, "gone", clock.now())
    ended = await seen(store, clock)

    assert [(one.imports, one.stuck_imports) for one in (first, later, ended)] == [(1, 0), (1, 1), (0, 0)]


async def test_every_trunk_is_seen(store: Store, app: App, clock: StillClock):
    assert [(trunk.name, trunk.carrier) for trunk in (await seen(store, clock)).trunks] == [("Sandbox", "sandbox")]
