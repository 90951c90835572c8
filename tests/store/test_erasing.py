"""A list that was deleted is gone at once; its contacts go in blocks, and nothing else goes with them."""

import asyncio

import pytest

from callsheet.core.campaign import Move
from callsheet.core.errors import ContactListNotFound, ListInUse
from callsheet.engine.eraser import Eraser
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import Place, rows
from factories import Node, StillClock, contact, grow_list, make_app, make_campaign, make_list, number, start


async def count(store: Store, table: str) -> int:
    ((found,),) = await rows(store, f"select count(*) from {table}")
    return int(found)


async def test_a_deleted_list_is_gone_at_once_and_its_contacts_block_by_block(
    store: Store, app: App, clock: StillClock
):
    kept, gone = await make_list(store, app, clock, 3), await make_list(store, app, clock, 10)

    deleted = await store.lists.delete(gone)
    left = [await count(store, "contact")]
    while await store.erasing.erase(4, clock.now()):
        left.append(await count(store, "contact"))

    assert (deleted.id, deleted.size) == (gone.id, 10)
    assert await store.lists.find(app.no, list_id=gone.id) is None
    assert left == [13, 9, 5, 3]
    assert [await count(store, table) for table in ("list_erasure", "list_group")] == [0, 1]
    assert [one.number for one in await store.contacts.page(kept, after=0, limit=10)] == [number(i) for i in range(3)]


async def test_an_erasure_that_was_stopped_goes_on_after_a_restart(
    place: Place, store: Store, app: App, clock: StillClock
):
    await store.lists.delete(await make_list(store, app, clock, 10))
    await store.erasing.erase(4, clock.now())

    store = await place.reopen(store)
    eraser = Eraser(store.erasing, clock)
    working = asyncio.create_task(eraser.run())
    async with asyncio.timeout(30):
        while await count(store, "list_erasure"):
            await asyncio.sleep(0.01)
    eraser.stop()
    await working

    assert await count(store, "contact") == 0


async def test_the_lists_of_one_app_are_erased_and_not_those_of_another(store: Store, app: App, clock: StillClock):
    other = await make_app(store, clock, name="Other")
    theirs = await make_list(store, other, clock, 5)
    await store.lists.delete(await make_list(store, app, clock, 5))

    while await store.erasing.erase(100, clock.now()):
        pass

    assert len(await store.contacts.page(theirs, after=0, limit=10)) == 5
    assert await count(store, "contact") == 5


async def test_nothing_is_added_to_a_list_that_is_gone(store: Store, app: App, clock: StillClock):
    gone = await make_list(store, app, clock, 2)
    await store.lists.delete(gone)

    with pytest.raises(ContactListNotFound):
        await grow_list(store, app, gone, [7])
    with pytest.raises(ContactListNotFound):
        await make_campaign(store, app, clock, [gone])
    with pytest.raises(ContactListNotFound):
        await store.lists.delete(gone)


async def test_a_list_and_a_campaign_that_takes_it_at_this_moment_do_not_miss_each_other(
    store: Store, app: App, clock: StillClock
):
    for _ in range(5):
        contested = await make_list(store, app, clock, 1)
        deleted, made = await asyncio.gather(
            store.lists.delete(contested), make_campaign(store, app, clock, [contested]), return_exceptions=True
        )

        assert isinstance(deleted, ListInUse) is not isinstance(made, ContactListNotFound)


async def test_what_a_stopped_run_left_is_counted_without_a_list_that_is_gone(
    store: Store, app: App, clock: StillClock, node: Node
):
    people = await make_list(store, app, clock, [contact(store, app, number(i)) for i in range(5)])
    campaign = await make_campaign(store, app, clock, [people])
    run = await start(store, app, clock, campaign)
    found = await store.campaigns.find(app.no, campaign_id=campaign.id)
    assert found is not None
    stopped = await store.campaigns.move(found, Move.stop, clock.now())
    await store.campaigns.delete(stopped)
    await store.lists.delete(people)
    while await store.erasing.erase(100, clock.now()):
        pass

    assert await store.reports.left(app.no, run.no) == []
    assert list(await store.reports.attempts(app.no, run.no)) == []
