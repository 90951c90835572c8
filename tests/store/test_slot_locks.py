"""Sharing slots out holds up nobody else: PostgreSQL's locks, as they are."""

import asyncio
import threading

import pytest
import sqlalchemy as sa

from callsheet.engine.calling.slots import Limit, Slots
from callsheet.store.gate import one_at_a_time
from databases import Place, rows
from factories import LEASE_SECONDS, Node, StillClock, make_app


@pytest.fixture
def database() -> str:
    return "postgres"


async def test_slots_are_shared_out_while_an_account_is_locked(place: Place, clock: StillClock):
    """Whoever finds none asks four times a second: that is no business of those who change campaigns, or DNC lists."""
    store, aside = await place.open(), await place.open()
    app, node = await make_app(store, clock), await Node.enter(store, clock)
    slots = Slots(store, clock, node_no=node.no, lease_seconds=LEASE_SECONDS, sole_owner=False)
    slots.free([Limit(app.no, "tr-one", 10)])
    is_locked, is_enough = threading.Event(), threading.Event()

    def lock(conn: sa.Connection) -> None:
        one_at_a_time(conn, app.no)
        is_locked.set()
        is_enough.wait(60)

    locking = asyncio.create_task(aside._database.write(lock))
    await asyncio.to_thread(is_locked.wait)
    try:
        async with asyncio.timeout(20):
            await slots.look()
    finally:
        is_enough.set()
        await locking
    assert [row.held for row in await rows(store, "select held from slot")] == [10]
