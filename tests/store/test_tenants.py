"""Nothing of one app is seen, counted, changed or contacted by another."""

from dataclasses import replace

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Named
from callsheet.core.errors import CampaignNotFound, ContactListNotFound, DncListNotFound
from callsheet.core.gate import Cap
from callsheet.core.retrying import Turn
from callsheet.core.run import AppSettings, Run
from callsheet.store.apps import App
from callsheet.store.protocol import NewEntry
from callsheet.store.runs import Wanted
from callsheet.store.store import Store
from databases import rows
from factories import (
    Node,
    StillClock,
    contact,
    forbid,
    make_app,
    make_campaign,
    make_list,
    number,
    opt_out,
    person_of,
    start,
    start_run,
)


@pytest.fixture
async def other(store: Store, clock: StillClock) -> App:
    return await make_app(store, clock, name="Rival")


async def test_the_same_person_has_another_key_in_another_app(store: Store, app: App, other: App):
    assert person_of(store, app, number(0)) != person_of(store, other, number(0))
    assert len(person_of(store, app, number(0))) == 16


async def test_the_same_names_do_not_meet(store: Store, app: App, other: App, clock: StillClock):
    for owner in (app, other):
        contact_list = await make_list(store, owner, clock, 1, name="People")
        await make_campaign(store, owner, clock, [contact_list], name="Spring")
        await store.dnc_lists.create(owner.no, "Never", clock.now())
        await store.templates.create(owner.no, "Hello", owner.name, clock.now())
        await store.flows.create(owner.no, "Hello", owner.name, clock.now())

    for owner in (app, other):
        found = await store.lists.find(owner.no, name="people")
        campaign = await store.campaigns.find(owner.no, name="SPRING")
        dnc = await store.dnc_lists.find(owner.no, name="never")
        template = await store.templates.find(owner.no, name="hello")
        flow = await store.flows.find(owner.no, name="hello")
        assert [one and one.app for one in (found, campaign, dnc)] == [owner.no] * 3
        assert [one and one.body for one in (template, flow)] == [owner.name] * 2


async def test_no_noun_of_an_app_is_found_by_the_other(
    store: Store, app: App, other: App, clock: StillClock, node: Node
):
    contact_list = await make_list(store, app, clock, 3, name="People")
    dnc = await store.dnc_lists.create(app.no, "Never", clock.now())
    template = await store.templates.create(app.no, "Hello", "text", clock.now())
    flow = await store.flows.create(app.no, "Hello", "{}", clock.now())
    job = await store.imports.create(
        app.no, list_no=contact_list.no, target="contact_list", file="f", bytes_total=1, now=clock.now()
    )
    run = await start(store, app, clock, await make_campaign(store, app, clock, [contact_list], name="Spring"))
    await node.tell((await node.walk_all(run))[:2], Kind.uncertain)
    await opt_out(store, app, clock, number(0))

    assert await store.lists.find(other.no, list_id=contact_list.id) is None
    assert await store.lists.find(other.no, name="People") is None
    assert await store.lists.names(other.no) == []
    assert await store.campaigns.find(other.no, campaign_id=run.campaign_id) is None
    assert await store.campaigns.find(other.no, name="Spring") is None
    assert await store.dnc_lists.find(other.no, list_id=dnc.id) is None
    assert await store.dnc_lists.names(other.no) == []
    assert await store.templates.find(other.no, thing_id=template.named.id) is None
    assert await store.templates.names(other.no) == []
    assert await store.flows.find(other.no, thing_id=flow.named.id) is None
    assert await store.imports.find(other.no, job.id) is None
    assert await store.runs.find(other.no, run.id) is None
    assert await store.runs.of_app(other.no, wanted=Wanted(), before=None, limit=10) == []
    assert await store.runs.of_app(other.no, wanted=Wanted(run.campaign_no), before=None, limit=10) == []
    assert await store.apps.senders(other.no) == []
    assert await store.reports.counters(other.no, run.no) == {}
    assert await store.reports.left(other.no, run.no) == []
    assert await store.reports.attempts(other.no, run.no) == []
    assert await store.reports.attempts(other.no, run.no, state="uncertain") == []
    assert await store.reports.suppressions(other.no, run.no) == []
    assert await store.reports.in_flight(other.no, run.no) == 0
    assert set(await store.hot.unhanded(other.no)) == set(await store.hot.unhanded(other.no, run.no)) == set()
    assert [trunk.app for trunk in await store.apps.trunks(other.no)] == [other.no]


async def test_prohibitions_of_an_app_do_not_reach_the_other(
    store: Store, app: App, other: App, clock: StillClock, node: Node
):
    everywhere = await store.dnc_lists.create(app.no, "Global", clock.now(), is_global=True)
    await forbid(store, app, everywhere.no, [number(0)])
    await opt_out(store, app, clock, number(1))

    assert len(await node.walk_all(await start_run(store, other, clock, 3))) == 3
    assert len(await node.walk_all(await start_run(store, app, clock, 3))) == 1


async def test_a_dnc_list_of_another_app_spares_nobody(
    store: Store, app: App, other: App, clock: StillClock, node: Node
):
    theirs = await store.dnc_lists.create(other.no, "Never", clock.now())
    await forbid(store, other, theirs.no, [number(0)])

    named = (Named(theirs.no, theirs.id, theirs.name),)

    with pytest.raises(DncListNotFound):
        await start_run(store, app, clock, 2, dnc_lists=named)
    run = await start_run(store, app, clock, 2)
    # As if a campaign had come to name it all the same.
    forged = replace(run, definition=replace(run.definition, dnc_lists=named))
    assert len(await node.walk_all(forged)) == 2


async def test_nothing_is_added_to_a_list_of_another_app(store: Store, app: App, other: App, clock: StillClock):
    contact_list = await make_list(store, app, clock, 1)
    dnc = await store.dnc_lists.create(app.no, "Never", clock.now())

    with pytest.raises(ContactListNotFound):
        await store.hot.append(other.no, contact_list.no, [contact(store, other, number(1))])
    with pytest.raises(DncListNotFound):
        await store.hot.forbid(
            other.no, dnc.no, [NewEntry(person_of(store, other, number(1)), b"sealed")], source="test"
        )

    found = await store.lists.find(app.no, list_id=contact_list.id)
    untouched = await store.dnc_lists.find(app.no, list_id=dnc.id)
    assert [one and one.size for one in (found, untouched)] == [1, 0]
    assert await rows(store, "select 1 from dnc_entry") == []


async def test_a_campaign_of_another_app_is_not_moved(store: Store, app: App, other: App, clock: StillClock):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)])

    stolen = replace(campaign, app=other.no)

    with pytest.raises(CampaignNotFound):
        await store.campaigns.update(stolen, campaign.definition, clock.now(), unique_names=True)
    with pytest.raises(CampaignNotFound):
        await store.campaigns.delete(stolen)
    with pytest.raises(CampaignNotFound):
        await store.campaigns.start(stolen, text="", sender_no=1, one_run_per_list=True, now=clock.now())
    assert await store.campaigns.find(app.no, campaign_id=campaign.id) == campaign


async def test_runs_of_two_apps_do_not_take_from_each_other(
    store: Store, app: App, other: App, clock: StillClock, node: Node
):
    mine = await start_run(store, app, clock, 4)
    theirs = await start_run(store, other, clock, 4)

    async def owners(run: Run) -> set[int]:
        return {intent.app for intent in await node.walk_all(run)}

    assert await owners(mine) == {app.no}
    assert await owners(theirs) == {other.no}
    keys = await store.hot.unhanded(app.no)
    assert {key.app for key in keys} == {app.no}
    assert {run.app for run in await store.runs.active()} == {app.no, other.no}


async def test_a_cap_does_not_count_what_another_app_did(store: Store, app: App, clock: StillClock, node: Node):
    capped = await make_app(store, clock, AppSettings(cap=Cap(attempts=1, hours=24)))
    await node.walk_all(await start_run(store, app, clock, 2))

    run = await start_run(store, capped, clock, 2)
    assert len(await node.walk_all(run)) == 2
    assert not (await node.arm_again(run, Turn.fresh)).intents


async def test_one_senders_caller_id_can_serve_two_apps(store: Store, app: App, other: App, clock: StillClock):
    mine = await store.apps.find_sender(app.no, "+1", clock.now())
    theirs = await store.apps.find_sender(other.no, "+1", clock.now())

    assert mine is not None
    assert theirs is not None
    assert mine.no != theirs.no
    assert [one.no for one in await store.apps.senders(app.no)] == [mine.no]
