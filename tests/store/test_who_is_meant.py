"""Whom a run is for: a filter on columns, those that were not reached yet, an emergency."""

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Move, Named
from callsheet.core.filtering import Condition, Filter, Operator
from callsheet.core.gate import Reason
from callsheet.core.run import Execution, Launch, Run
from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import (
    Node,
    StillClock,
    contact,
    forbid,
    hours,
    make_campaign,
    make_list,
    number,
    opt_out,
    start,
    start_run,
)


async def reasons(store: Store, run: Run) -> dict[str, str]:
    found = await store.reports.suppressions(run.app, run.no, limit=1000)
    return {record.number: record.reason for _, record in found}


async def test_only_those_whom_the_filter_means_are_contacted(store: Store, app: App, clock: StillClock, node: Node):
    towns = ["Pune", "Delhi", "PUNE ", ""]
    people = [contact(store, app, number(i), attributes=f'{{"city":"{town}"}}') for i, town in enumerate(towns)]
    wanted = Filter((Condition("City", Operator.equals, ("pune",)),))
    run = await start_run(store, app, clock, people, filter=wanted)

    assert [intent.pos for intent in await node.walk_all(run)] == [0, 2]
    assert await reasons(store, run) == {number(1): Reason.filtered, number(3): Reason.filtered}


async def test_a_row_that_is_not_meant_does_not_stand_in_for_one_that_is(
    store: Store, app: App, clock: StillClock, node: Node
):
    one = [contact(store, app, number(0), attributes=f'{{"city":"{town}"}}') for town in ("Delhi", "Pune")]
    lists = [await make_list(store, app, clock, [row]) for row in one]
    wanted = Filter((Condition("city", Operator.equals, ("Pune",)),))
    run = await start(store, app, clock, await make_campaign(store, app, clock, lists, filter=wanted))

    assert len(await node.walk_all(run)) == 1


async def test_every_dnc_list_that_a_campaign_names_spares_its_people(
    store: Store, app: App, clock: StillClock, node: Node
):
    lists = [await store.dnc_lists.create(app.no, name, clock.now()) for name in ("First", "Second")]
    for i, dnc in enumerate(lists):
        await forbid(store, app, dnc.no, [number(i)])
    run = await start_run(store, app, clock, 3, dnc_lists=tuple(Named(dnc.no, dnc.id, dnc.name) for dnc in lists))

    assert [intent.pos for intent in await node.walk_all(run)] == [2]


@pytest.mark.parametrize("again", [True, False])
async def test_a_rerun_for_those_not_reached_spares_whoever_was_reached_or_may_have_been(
    store: Store, app: App, clock: StillClock, node: Node, again: bool
):
    kinds = [Kind.delivered, Kind.accepted, Kind.uncertain, Kind.undelivered, Kind.rejected, Kind.refused]
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, len(kinds) + 2)])
    first = await start(store, app, clock, campaign)
    intents = await node.walk_all(first)
    for intent, kind in zip(intents, kinds, strict=False):
        await node.tell([intent], kind)
    stopped = await store.campaigns.move(campaign, Move.stop, clock.now())
    clock.advance(60)

    second = await start(store, app, clock, stopped, launch=Launch(only_unreached=again))
    armed = [intent.number for intent in await node.walk_all(second)]

    # The last two have no result yet: they may have been reached.
    unreached = [number(i) for i, kind in enumerate(kinds) if kind in (Kind.undelivered, Kind.rejected, Kind.refused)]
    assert armed == (unreached if again else [number(i) for i in range(len(kinds) + 2)])
    assert set((await reasons(store, second)).values()) == ({Reason.reached} if again else set())


async def test_another_campaigns_success_is_no_reason_to_leave_somebody_out(
    store: Store, app: App, clock: StillClock, node: Node
):
    contact_list = await make_list(store, app, clock, 2)
    theirs = await start(store, app, clock, await make_campaign(store, app, clock, [contact_list]))
    await node.tell(await node.walk_all(theirs), Kind.delivered)
    await store.hot.complete(theirs)
    ours = await make_campaign(store, app, clock, [contact_list])
    run = await start(store, app, clock, ours, launch=Launch(only_unreached=True))

    assert len(await node.walk_all(run)) == 2


async def test_an_emergency_knows_no_hours_and_spares_whoever_is_protected(
    store: Store, app: App, clock: StillClock, node: Node
):
    dnc = await store.dnc_lists.create(app.no, "Never", clock.now())
    await forbid(store, app, dnc.no, [number(0)])
    await opt_out(store, app, clock, number(1))
    closed = hours("UTC", 0, 60)
    campaign = await make_campaign(
        store,
        app,
        clock,
        [await make_list(store, app, clock, 3)],
        hours=closed,
        dnc_lists=(Named(dnc.no, dnc.id, dnc.name),),
    )
    run = await start(store, app, clock, campaign, launch=Launch(Execution.emergency, reason="The dam breaks"))

    assert run.launch == Launch(Execution.emergency, reason="The dam breaks")
    assert [intent.number for intent in await node.walk_all(run)] == [number(2)]
    assert await reasons(store, run) == {number(0): Reason.dnc, number(1): Reason.opted_out}
