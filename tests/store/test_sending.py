"""Stopping everything catches a run that begins at the same moment."""

import asyncio
from dataclasses import replace

import pytest

from callsheet.core.campaign import Campaign, Move, Status
from callsheet.core.errors import SendingStopped, WrongState
from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import SENDER, StillClock, make_app, make_campaign, make_definition, make_list, number, person_of, start


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


async def test_a_stop_is_not_held_up_by_single_messages_that_keep_coming(store: Store, app: App, clock: StillClock):
    numbers = await make_list(store, app, clock, 1, allow_duplicates=True)
    sender = await store.apps.find_sender(app.no, SENDER, clock.now())
    assert sender is not None
    shared = replace(make_definition([numbers]), contact_lists=())
    campaigns = [
        await store.campaigns.create(app.no, replace(shared, name=f"Singles {n}"), clock.now(), unique_names=True)
        for n in range(4)
    ]
    who = person_of(store, app, number(0))

    async def send(campaign: Campaign) -> None:
        while True:
            await store.singles.open(
                campaign, list_no=numbers.no, person=who, sender_no=sender.no, text="Hello", now=clock.now()
            )
            began.set()

    began = asyncio.Event()
    sending = [asyncio.create_task(send(campaign)) for campaign in 2 * campaigns]
    await began.wait()
    stop = await store.sending.stop(app.no, "Enough", "tests", clock.now())

    ended = await asyncio.gather(*sending, return_exceptions=True)
    assert all(isinstance(error, SendingStopped | WrongState) for error in ended), "stopped, or paused already"
    assert 1 <= stop.paused <= len(campaigns)
    assert await store.runs.active() == []
