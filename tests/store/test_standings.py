"""How a person is said to stand is what arming then does: the same facts, from the same database."""

import random
from datetime import datetime, timedelta

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Campaign, Named
from callsheet.core.gate import Cap
from callsheet.core.retrying import Turn
from callsheet.core.run import AppSettings, Run
from callsheet.core.why import Gate, Ruling, Why, explain
from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import (
    Node,
    StillClock,
    contact,
    forbid,
    hours,
    make_app,
    make_campaign,
    make_list,
    number,
    opt_out,
    person_of,
    start,
    start_run,
    work_of,
)


async def ask(store: Store, app: App, campaign_id: str, to: str, now: datetime) -> Why:
    campaign = await store.campaigns.find(app.no, campaign_id=campaign_id)
    assert isinstance(campaign, Campaign)
    run = await store.runs.by_no(campaign.run_no) if campaign.run_no else None
    sighting = await store.standings.of(campaign, run, app.settings, person_of(store, app, to), now)
    return explain(sighting.standing, campaign.definition, app.settings, now)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 8))])
async def test_who_is_said_to_pass_is_armed_and_who_is_not_is_not(store: Store, clock: StillClock, seed: int):
    dice = random.Random(seed)
    app = await make_app(store, clock, AppSettings(cap=Cap(attempts=1, hours=24), one_run_per_list=False))
    zones = ["", "Asia/Tokyo", "America/New_York"]
    people = [contact(store, app, number(i), zone=dice.choice(zones)) for i in range(40)]
    everyone = await make_list(store, app, clock, people)
    some = await make_list(store, app, clock, people[:8])
    ours = await store.dnc_lists.create(app.no, "Ours", clock.now())
    others = await store.dnc_lists.create(app.no, "Others", clock.now())
    everybodys = await store.dnc_lists.create(app.no, "Everybody's", clock.now(), is_global=True)
    for dnc in (ours, others, everybodys):
        await forbid(store, app, dnc.no, [number(dice.randrange(40)) for _ in range(6)])
    for _ in range(4):
        await opt_out(store, app, clock, number(dice.randrange(40)))
    before = await start(store, app, clock, await make_campaign(store, app, clock, [some]))
    node = await Node.enter(store, clock)
    await node.tell(await node.walk_all(before), Kind.delivered)
    campaign = await make_campaign(
        store, app, clock, [everyone], dnc_lists=(Named(ours.no, ours.id, ours.name),),
        hours=hours(start=9 * 60, end=20 * 60),
    )  # fmt: skip
    run = await start(store, app, clock, campaign)

    said = {number(i): await ask(store, app, campaign.id, number(i), clock.now()) for i in range(40)}
    armed = {intent.number for intent in await _walk_open(store, node, run)}

    assert {to for to, why in said.items() if why.may_be_contacted} == armed
    # Nobody of a group whose hours are closed was looked at yet.
    open_now = {to for to, why in said.items() if why.places[0].hours.ruling is Ruling.passes}
    assert {to for to in open_now if said[to].next_at is None} == {
        record.number for _, record in await store.reports.suppressions(app.no, run.no)
    }
    for to in armed:
        after = await ask(store, app, campaign.id, to, clock.now())
        assert not after.may_be_contacted


async def _walk_open(store: Store, node: Node, run: Run) -> list:
    """Arm every group, the closed ones too: they answer that they are closed."""
    armed = []
    for group in (await work_of(store, run)).groups:
        while chunk := await node.take(run, [group]):
            one = await node.arm(run, chunk, 200)
            armed += one.intents
            if one.closed_until:
                break
    return armed


async def test_a_contact_comes_back_at_the_moment_that_was_told(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(cap=Cap(attempts=1, hours=6), one_run_per_list=False))
    people = await make_list(store, app, clock, 1)
    first = await make_campaign(store, app, clock, [people])
    node = await Node.enter(store, clock)
    await node.tell(await node.walk_all(await start(store, app, clock, first)), Kind.delivered)
    second = await make_campaign(store, app, clock, [people], hours=hours(start=9 * 60, end=17 * 60))
    run = await start(store, app, clock, second, one_run_per_list=False)
    await node.walk_all(run)

    told = await ask(store, app, second.id, number(0), clock.now())

    assert told.next_at is not None
    clock.set(told.next_at - timedelta(seconds=5))
    assert not (await node.arm_again(run, Turn.fresh)).intents
    clock.set(told.next_at)
    assert (await ask(store, app, second.id, number(0), clock.now())).may_be_contacted
    assert len((await node.arm_again(run, Turn.fresh)).intents) == 1


async def test_a_number_in_no_list_is_said_to_be_in_none(store: Store, app: App, clock: StillClock):
    run = await start_run(store, app, clock, 1)

    why = await ask(store, app, run.campaign_id, number(7), clock.now())

    assert why.places == ()
    assert {one.gate for one in why.answers if one.ruling is Ruling.stops} == {Gate.contact_list}


async def test_what_the_run_did_is_told_and_another_tenant_knows_nothing(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 2)
    intents = await node.walk_all(run)
    await node.tell(intents[:1], Kind.undelivered, "30005")
    stranger = await make_app(store, clock, name="Stranger")

    campaign = await store.campaigns.find(app.no, campaign_id=run.campaign_id)
    assert campaign is not None
    mine = await store.standings.of(campaign, run, app.settings, intents[0].person, clock.now())
    theirs = await store.histories.of(stranger.no, intents[0].person, before=None, limit=10)

    assert mine.latest is not None
    assert (mine.latest.state, mine.latest.tries, mine.standing.dealt_with) == ("undelivered", 1, "undelivered")
    assert list(theirs.entries) == []
    assert list(theirs.contact_lists) == []
