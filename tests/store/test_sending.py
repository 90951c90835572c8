"""Stopping everything catches a run that begins at the same moment."""

import asyncio

import pytest

from callsheet.core.campaign import Move, Status
from callsheet.core.errors import SendingStopped
from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import StillClock, make_app, make_campaign, make_list, start


async def test_no_start_slips_past_a_stop(store: Store, app: App, clock: StillClock):
    campaigns = [await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)]) for _ in range(12)]
    sender = await store.apps.find_sender(app.no, "+12125550100", clock.now())
    assert sender is not None

    async def begin(index: int) -> None:
        await store.campaigns.start(
            campaigns[index], text="", sender_no=sender.no, one_run_per_list=True, now=clock.now()
        )
        if index % 3 == 0:
            await store.campaigns.move(campaigns[index], Move.pause, clock.now())

    begun = [begin(index) for index in range(6)]
    begun.append(store.sending.stop(app.no, "Enough", "tests", clock.now()))
    begun += [begin(index) for index in range(6, 12)]
    results = await asyncio.gather(*begun, return_exceptions=True)

    assert all(result is None or isinstance(result, SendingStopped) for result in results[:6] + results[7:])
    assert await store.runs.active() == []
    found = [await store.campaigns.find(app.no, campaign_id=campaign.id) for campaign in campaigns]
    assert {one.status for one in found if one is not None} <= {Status.ready, Status.paused}


async def test_a_stop_is_of_one_app_and_outlives_the_process(store: Store, app: App, clock: StillClock, place):
    other = await make_app(store, clock, name="Other")
    theirs = await make_campaign(store, other, clock, [await make_list(store, other, clock, 1)])
    mine = await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)])
    await store.sending.stop(app.no, "Enough", "tests", clock.now())

    again = await place.reopen(store)

    await start(again, other, clock, theirs)
    with pytest.raises(SendingStopped, match="Enough"):
        await start(again, app, clock, mine)
    assert await again.sending.allow(app.no, clock.now())
    await start(again, app, clock, mine)
