"""Whoever goes away in the middle of a transaction leaves nothing behind that the next one stumbles over."""

import asyncio
import random

import pytest

from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import StillClock, contact, make_list, number


@pytest.fixture
def database() -> str:
    """Run on PostgreSQL only: on SQLite a transaction is not cut off."""
    return "postgres"


@pytest.mark.parametrize("times", [100, pytest.param(300, marks=pytest.mark.full)])
async def test_operations_that_are_cancelled_at_any_moment_spoil_no_connection(
    store: Store, app: App, clock: StillClock, times: int
):
    listed = await make_list(store, app, clock)
    dice = random.Random(7)

    async def work(i: int) -> None:
        await store.lists.add_columns(app.no, listed.no, [f"column {i % 20}"])
        await store.lists.find(app.no, list_id=listed.id)
        await store.hot.append(app.no, listed.no, [contact(store, app, number(i))])
        await store.hot.now()

    done = 0
    for i in range(times):
        task = asyncio.create_task(work(i))
        # Few turns of the loop, or some time: a BEGIN is on its way for a moment only.
        for _ in range(dice.randrange(12)):
            await asyncio.sleep(dice.choice((0, 0.0002, 0.001)))
        was_done = task.done()
        task.cancel()
        await asyncio.wait([task])
        # Whoever was cancelled knows it: an error in its stead would be taken for the database's, and tried again.
        assert task.cancelled() or (task.exception() is None and (was_done or task.result() is None))
        done += was_done
    assert done < times

    await asyncio.gather(*(work(1000 + i) for i in range(20)))
    found = await store.lists.find(app.no, list_id=listed.id)
    assert found is not None
    contacts = await store.contacts.page(found, after=0, limit=1000)
    assert [one.pos for one in contacts] == list(range(found.size))
