"""Voice campaigns in the store: they become Ready by themselves, and only so many run at a time."""

from dataclasses import replace

import pytest

from callsheet.core.campaign import Channel, Move, Status
from callsheet.core.errors import TooManyVoiceCampaigns
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import Place
from factories import StillClock, make_campaign, make_definition, make_list, start


async def test_what_a_dead_process_left_preparing_becomes_ready(
    store: Store, app: App, clock: StillClock, place: Place
):
    definition = make_definition([await make_list(store, app, clock)], channel=Channel.voice)
    made = await store.campaigns.create(app.no, definition, clock.now(), unique_names=True)
    gone = await store.campaigns.create(app.no, replace(definition, name="Gone"), clock.now(), unique_names=True)
    await store.campaigns.delete(gone)

    again = await place.reopen(store)
    counts = [await again.campaigns.prepare(clock.now()) for _ in range(2)]

    found = await again.campaigns.find(app.no, campaign_id=made.id)
    assert counts == [1, 0]
    assert found is not None
    assert found.status is Status.ready


async def test_one_voice_campaign_too_many_is_refused(store: Store, app: App, clock: StillClock):
    calls = [
        await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)], channel=Channel.voice)
        for _ in range(3)
    ]
    text = await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)])
    for campaign in calls[:2]:
        await start(store, app, clock, campaign, most_voice_campaigns=2)
    await start(store, app, clock, text, most_voice_campaigns=2)

    with pytest.raises(TooManyVoiceCampaigns, match="2 voice campaigns are running"):
        await start(store, app, clock, calls[2], most_voice_campaigns=2)
    await store.campaigns.move(calls[0], Move.pause, clock.now())
    with pytest.raises(TooManyVoiceCampaigns):
        await start(store, app, clock, calls[2], most_voice_campaigns=2)
    await store.campaigns.move(calls[0], Move.stop, clock.now())
    await start(store, app, clock, calls[2], most_voice_campaigns=2)
