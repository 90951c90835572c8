"""Sharing slots out holds up nobody else: PostgreSQL's locks, as they are."""

import asyncio

import asyncpg
import pytest

from callsheet.engine.calling.slots import Limit, Slots
from databases import Place, rows
from factories import LEASE_SECONDS, Node, StillClock, make_app


@pytest.fixture
def database() -> str:
    return "postgres"


async def test_slots_are_shared_out_while_an_account_is_locked(place: Place, clock: StillClock):
    """Whoever finds none asks four times a second: that is no business of those who change campaigns, or DNC lists."""
    store = await place.open()
    app, node = await make_app(store, clock), await Node.enter(store, clock)
    slots = Slots(store, clock, node_no=node.no, lease_seconds=LEASE_SECONDS, sole_owner=False)
    slots.free([Limit(app.no, "tr-one", 10)])

    aside = await asyncpg.connect(place.address)
    try:
        async with aside.transaction():
            await aside.execute("select id from account for update")
            async with asyncio.timeout(20):
                await slots.look()
    finally:
        await aside.close()
    assert [row.held for row in await rows(store, "select held from slot")] == [10]
