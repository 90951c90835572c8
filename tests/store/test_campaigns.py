"""Campaigns: versions, legal moves, names, and what a run pins of them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.campaign import (
    Campaign,
    Channel,
    MachineDetection,
    Mode,
    Move,
    Named,
    Order,
    Status,
    VoicePlan,
    after,
)
from callsheet.core.errors import (
    CampaignNotFound,
    ListInUse,
    NameAmbiguous,
    NameTaken,
    WrongState,
)
from callsheet.core.filtering import Condition, Filter, Match, Operator
from callsheet.store.apps import App
from callsheet.store.lists import ContactList
from callsheet.store.runs import Wanted
from callsheet.store.store import Store
from databases import Place, rows
from factories import Node, StillClock, hours, make_campaign, make_definition, make_list, start


async def test_what_was_written_is_read_back_whole(store: Store, app: App, clock: StillClock):
    contact_list = await make_list(store, app, clock)
    dnc = await store.dnc_lists.create(app.no, "Never", clock.now())
    definition = make_definition(
        [contact_list],
        name="Spr\u00fcng \u4e2d\u6587 \U0001f600",
        description="A 'quoted' \"one\"\n\\",
        channel=Channel.voice,
        dnc_lists=(Named(dnc.no, dnc.id, dnc.name),),
        priority=1,
        hours=hours("America/New_York", 540, 1020, (0, 2, 4)),
        hours_document={"days": [{"day": "MON", "start": "09:00 AM"}], "nested": {"a": [1, None, True]}},
        order=Order.lifo,
        max_attempts=5,
        voice=VoicePlan(Mode.power, Named(3, "qu-1", "Callers"), 2, MachineDetection.detect, 1.5),
        filter=Filter((Condition("city", Operator.one_of, ("Pune", "Delhi")),), Match.any),
    )

    created = await store.campaigns.create(app.no, definition, clock.now(), unique_names=True)

    assert created.status is Status.preparing
    assert await store.campaigns.find(app.no, campaign_id=created.id) == created
    assert await store.campaigns.find(app.no, name=definition.name.upper()) == created
    assert await store.campaigns.find(app.no, campaign_id="cd-nobody") is None


async def test_an_edit_makes_a_version_and_a_run_keeps_its_own(store: Store, app: App, clock: StillClock, node: Node):
    contact_list = await make_list(store, app, clock, 2)
    campaign = await make_campaign(store, app, clock, [contact_list], name="Before", max_attempts=2)
    old = await start(store, app, clock, campaign)
    await store.campaigns.move(campaign, Move.stop, clock.now())
    clock.advance(60)

    definition = replace(campaign.definition, name="After", max_attempts=7)
    edited = await store.campaigns.update(campaign, definition, clock.now(), unique_names=True)
    new = await start(store, app, clock, edited)

    assert (edited.version, edited.status, edited.definition) == (2, Status.ready, definition)
    assert (edited.created_at, edited.updated_at) == (campaign.created_at, clock.now())
    pinned = await store.runs.by_no(old.no)
    assert pinned is not None
    assert (pinned.definition.name, pinned.definition.max_attempts) == ("Before", 2)
    assert (new.definition.name, new.definition.max_attempts) == ("After", 7)
    assert await store.campaigns.find(app.no, name="Before") is None


async def test_an_edit_at_the_moment_of_the_start_does_not_send_the_old_text(store: Store, app: App, clock: StillClock):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)])
    await store.campaigns.update(campaign, campaign.definition, clock.now(), unique_names=True)

    with pytest.raises(WrongState, match="again"):
        await start(store, app, clock, campaign)

    assert await store.runs.active() == []


async def campaign_in(store: Store, app: App, clock: StillClock, state: Status) -> Campaign:
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 0)])
    if state is not Status.ready:
        run = await start(store, app, clock, campaign)
        if state is Status.completed:
            assert await store.hot.complete(run)
        elif state is not Status.active:
            move = Move.pause if state is Status.paused else Move.stop
            await store.campaigns.move(campaign, move, clock.now())
    found = await store.campaigns.find(app.no, campaign_id=campaign.id)
    assert found is not None
    assert found.status is state
    return found


async def do(store: Store, app: App, clock: StillClock, campaign: Campaign, move: Move) -> Campaign:
    match move:
        case Move.edit:
            return await store.campaigns.update(campaign, campaign.definition, clock.now(), unique_names=True)
        case Move.delete:
            return await store.campaigns.delete(campaign)
        case Move.start | Move.rerun | Move.emergency:
            sender = await store.apps.find_sender(app.no, "+1", clock.now())
            assert sender is not None
            return await store.campaigns.start(
                campaign, text="", sender_no=sender.no, one_run_per_list=True, now=clock.now(), move=move
            )
    return await store.campaigns.move(campaign, move, clock.now())


@pytest.mark.parametrize("move", [move for move in Move if move is not Move.complete])
@pytest.mark.parametrize("status", [Status.ready, Status.active, Status.paused, Status.stopped, Status.completed])
async def test_the_documented_moves_and_no_others(
    store: Store, app: App, clock: StillClock, status: Status, move: Move
):
    campaign = await campaign_in(store, app, clock, status)
    clock.advance(1)

    try:
        expected = after(move, status)
    except WrongState:
        with pytest.raises(WrongState):
            await do(store, app, clock, campaign, move)
        expected = status
        assert await store.campaigns.find(app.no, campaign_id=campaign.id) == campaign
    else:
        assert (await do(store, app, clock, campaign, move)).status is expected

    found = await store.campaigns.find(app.no, campaign_id=campaign.id)
    if found is None:
        assert move is Move.delete
    else:
        assert found.status is expected
        # Arming reads the state of the run, so the two may not differ; an edit leaves the old run as it ended.
        run = await store.runs.by_no(found.run_no) if found.run_no is not None else None
        assert move is Move.edit or (run and run.status) == (expected if found.run_no is not None else None)


async def test_a_start_on_an_active_campaign_changes_nothing(store: Store, app: App, clock: StillClock):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 3)])
    run = await start(store, app, clock, campaign)
    clock.advance(60)

    again = await start(store, app, clock, campaign)

    assert again == run
    assert len(await rows(store, "select 1 from run")) == 1


async def test_two_starts_at_once_make_one_run(place: Place, store: Store, app: App, clock: StillClock):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 3)])
    stores = [store, await place.open() if place.kind == "postgres" else store]

    runs = await asyncio.gather(*(start(one, app, clock, campaign) for one in stores * 3))

    assert len({run.id for run in runs}) == 1
    assert [tuple(row) for row in await rows(store, "select count(*) from run")] == [(1,)]
    assert [notice.kind for notice in await store.outbox.peek(10)] == ["run.started"]


async def test_a_paused_run_goes_on_with_the_same_instance(store: Store, app: App, clock: StillClock, node: Node):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 3)])
    run = await start(store, app, clock, campaign)
    chunk = await node.take(run, size=1)
    assert chunk is not None
    await node.arm(run, chunk)
    await store.campaigns.move(campaign, Move.pause, clock.now())

    resumed = await start(store, app, clock, campaign)

    assert resumed.id == run.id
    assert len(await node.walk_all(resumed)) == 2


async def test_a_new_start_makes_a_new_run_that_contacts_everybody_again(
    store: Store, app: App, clock: StillClock, node: Node
):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 3)])
    for _ in range(2):
        run = await start(store, app, clock, campaign)
        await node.tell(await node.walk_all(run), Kind.delivered)
        assert await store.hot.complete(run)

    runs = await store.runs.of_app(app.no, wanted=Wanted(campaign.no), before=None, limit=10)
    assert [(run.status, run.campaign_id) for run in runs] == [(Status.completed, campaign.id)] * 2
    assert runs[0].no > runs[1].no
    older = await store.runs.of_app(app.no, wanted=Wanted(), before=runs[0].no, limit=10)
    assert [run.id for run in older] == [runs[1].id]
    found = await store.campaigns.find(app.no, campaign_id=campaign.id)
    assert found is not None
    assert (found.run_id, found.sent) == (runs[0].id, 3)


async def test_sent_counts_what_a_carrier_took_in_the_latest_run(store: Store, app: App, clock: StillClock, node: Node):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 6)])
    run = await start(store, app, clock, campaign)
    intents = await node.walk_all(run)
    for intent, kind in zip(
        intents,
        [Kind.accepted, Kind.delivered, Kind.undelivered, Kind.rejected, Kind.refused, Kind.uncertain],
        strict=True,
    ):
        await node.tell([intent], kind)

    found = await store.campaigns.find(app.no, campaign_id=campaign.id)

    assert found is not None
    assert (found.sent, found.run_id) == (3, run.id)


async def test_names_are_unique_without_regard_to_case_if_the_app_wants_it(store: Store, app: App, clock: StillClock):
    contact_list = await make_list(store, app, clock)
    first = await make_campaign(store, app, clock, [contact_list], name="Spring")
    second = await make_campaign(store, app, clock, [contact_list], name="Summer")

    with pytest.raises(NameTaken):
        await make_campaign(store, app, clock, [contact_list], name="SPRING")
    with pytest.raises(NameTaken):
        await store.campaigns.update(second, replace(second.definition, name="spring"), clock.now(), unique_names=True)
    await store.campaigns.update(first, replace(first.definition, name="SPRING"), clock.now(), unique_names=True)

    twin = await store.campaigns.create(app.no, first.definition, clock.now(), unique_names=False)
    with pytest.raises(NameAmbiguous, match=f"{twin.id}, {first.id}"):
        await store.campaigns.find(app.no, name="Spring")


async def test_of_two_that_are_created_at_once_with_one_name_one_is_refused(
    place: Place, store: Store, app: App, clock: StillClock
):
    definition = make_definition([await make_list(store, app, clock)])
    stores = [store, await place.open() if place.kind == "postgres" else store]
    now = clock.now()

    made = await asyncio.gather(
        *(one.campaigns.create(app.no, definition, now, unique_names=True) for one in stores * 4),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in made) == ["Campaign"] + ["NameTaken"] * 7


async def test_a_list_that_a_running_campaign_uses_starts_in_no_other(store: Store, app: App, clock: StillClock):
    shared = await make_list(store, app, clock, 1, name="Everybody")
    mine = await make_list(store, app, clock, 1)
    running = await make_campaign(store, app, clock, [mine, shared])
    waiting = await make_campaign(store, app, clock, [shared])
    await start(store, app, clock, running)

    for _ in range(2):
        with pytest.raises(ListInUse, match="Everybody"):
            await start(store, app, clock, waiting)
        await store.campaigns.move(running, Move.pause, clock.now())
    await start(store, app, clock, waiting, one_run_per_list=False)
    await store.campaigns.move(waiting, Move.stop, clock.now())
    await store.campaigns.move(running, Move.stop, clock.now())

    await start(store, app, clock, waiting)


async def test_of_two_campaigns_of_one_list_that_start_at_once_one_is_refused(
    place: Place, store: Store, app: App, clock: StillClock
):
    shared = await make_list(store, app, clock, 1)
    campaigns = [await make_campaign(store, app, clock, [shared]) for _ in range(4)]
    stores = [store, await place.open() if place.kind == "postgres" else store] * 2

    started = await asyncio.gather(
        *(start(one, app, clock, campaign) for one, campaign in zip(stores, campaigns, strict=True)),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in started) == ["ListInUse"] * 3 + ["Run"]


async def test_a_list_knows_who_uses_it(store: Store, app: App, clock: StillClock):
    contact_list = await make_list(store, app, clock, 1)
    campaign = await make_campaign(store, app, clock, [contact_list], name="Spring")

    async def found() -> ContactList:
        one = await store.lists.find(app.no, list_id=contact_list.id, with_uses=True)
        assert one is not None
        return one

    assert [(user.id, user.name) for user in (await found()).linked] == [(campaign.id, "Spring")]
    assert not (await found()).in_use
    await start(store, app, clock, campaign)
    assert (await found()).in_use
    await store.campaigns.move(campaign, Move.stop, clock.now())
    assert not (await found()).in_use
    other = replace(campaign.definition, contact_lists=())
    await store.campaigns.update(campaign, other, clock.now(), unique_names=True)
    assert (await found()).linked == ()


async def test_what_the_runs_of_a_deleted_campaign_did_stays(store: Store, app: App, clock: StillClock, node: Node):
    contact_list = await make_list(store, app, clock, 2)
    campaign = await make_campaign(store, app, clock, [contact_list])
    run = await start(store, app, clock, campaign)
    intents = await node.walk_all(run)
    await store.campaigns.move(campaign, Move.stop, clock.now())

    deleted = await store.campaigns.delete(campaign)

    assert (deleted.id, deleted.status) == (campaign.id, Status.stopped)
    assert await store.campaigns.find(app.no, campaign_id=campaign.id) is None
    with pytest.raises(CampaignNotFound):
        await store.campaigns.delete(campaign)
    await node.tell(intents, Kind.delivered)
    assert (await store.reports.counters(app.no, run.no))["delivered"] == 2
    found = await store.runs.find(app.no, run.id)
    assert found is not None
    assert (found.campaign_id, found.definition) == ("", campaign.definition)
    listed = await store.lists.find(app.no, list_id=contact_list.id, with_uses=True)
    assert listed is not None
    assert listed.linked == ()


async def test_moves_are_told_to_others_and_can_be_forgotten(store: Store, app: App, clock: StillClock):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)])
    run = await start(store, app, clock, campaign)
    for move in (Move.pause, Move.pause, Move.resume, Move.stop):
        clock.advance(1)
        await store.campaigns.move(campaign, move, clock.now())

    notices = await store.outbox.peek(10)

    assert [notice.kind for notice in notices] == ["run.started", "run.paused", "run.resumed", "run.stopped"]
    assert {notice.payload["run_id"] for notice in notices} == {run.id}
    assert notices[1].at == notices[0].at + timedelta(seconds=1)
    # One with a lower number may be committed after others were told: it waits for its turn.
    await store.outbox.drop([notices[0], notices[2]])
    assert await store.outbox.peek(10) == [notices[1], notices[3]]


async def test_moving_nothing_is_not_possible(store: Store, app: App, clock: StillClock):
    campaign = await make_campaign(store, app, clock, [])

    with pytest.raises(WrongState, match="Ready"):
        await store.campaigns.move(campaign, Move.pause, clock.now())


async def test_a_list_that_is_named_twice_is_walked_once(store: Store, app: App, clock: StillClock, node: Node):
    first, second = await make_list(store, app, clock, 2), await make_list(store, app, clock, 0)
    campaign = await make_campaign(store, app, clock, [first, second, first])

    run = await start(store, app, clock, campaign)

    assert run.lists == (first.no, second.no)
    assert len(await node.walk_all(run)) == 2
    assert await store.reports.suppressions(app.no, run.no) == []
    edited = await store.campaigns.move(campaign, Move.stop, clock.now())
    await store.campaigns.update(edited, campaign.definition, clock.now(), unique_names=True)
