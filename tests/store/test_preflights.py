"""A preflight goes on where it stood, is one node's at a time, and the one that was begun last counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callsheet.core.preflight import Tally
from callsheet.core.preflight_report import no_text
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.lines import NOT_HERE
from callsheet.engine.message_text import versioned_text
from callsheet.engine.preflight import Preflighter, begin
from callsheet.engine.preflight_calls import CallScout
from callsheet.store.preflights import Outcome, State
from databases import change
from factories import StillClock, make_campaign, make_list

LEASE = timedelta(seconds=60)


async def test_one_node_works_and_another_goes_on_where_it_stood(store, app, clock: StillClock):
    people = await make_list(store, app, clock, 3)
    campaign = await make_campaign(store, app, clock, [people])
    await begin(store, app, campaign, clock)

    mine = await store.preflights.take(clock.now(), LEASE)
    assert mine is not None
    assert await store.preflights.take(clock.now(), LEASE) is None
    assert await store.preflights.step(replace(mine, pos=2, tally=Tally(2, 5)), clock.now() + LEASE)
    clock.advance(minutes=2)
    theirs = await store.preflights.take(clock.now(), LEASE)

    assert theirs is not None
    assert (theirs.state, theirs.place, theirs.pos, theirs.tally) == (State.running, 0, 2, Tally(2, 5))
    assert not await store.preflights.step(mine, clock.now() + LEASE)
    assert not await store.preflights.finish(mine, Outcome(()), clock.now())
    assert await store.preflights.finish(theirs, Outcome((no_text("x"),)), clock.now())
    assert await store.preflights.take(clock.now() + LEASE, LEASE) is None
    found = await store.preflights.find(campaign)
    assert found is not None
    assert (found.state, found.outcome) == (State.done, Outcome((no_text("x"),)))


async def test_who_works_on_an_earlier_one_learns_that_another_was_begun(store, app, clock: StillClock):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)])
    await begin(store, app, campaign, clock)
    mine = await store.preflights.take(clock.now(), LEASE)
    assert mine is not None
    clock.advance(1)

    await begin(store, app, campaign, clock)

    assert not await store.preflights.finish(mine, Outcome(()), clock.now())
    found = await store.preflights.find(campaign)
    assert found is not None
    assert (found.state, found.outcome) == (State.waiting, None)


@pytest.mark.parametrize(("bears", "at_once"), [(0, 10), (3, 3), (50, 10)])
async def test_no_more_calls_go_on_at_once_than_the_nodes_bear(store, app, clock: StillClock, bears: int, at_once: int):
    """Where no node is there, or not all are known, the setting of the app holds alone."""
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, 1)])
    scout = CallScout(store, FlowShelf(store.flows, clock), None, lambda _: NOT_HERE, lambda _: bears)

    assert (await scout.way(app, campaign.definition, ())).at_once == at_once


async def test_a_damaged_row_of_a_contact_is_named_and_a_damaged_preflight_is_none(store, app, clock: StillClock):
    people = await make_list(store, app, clock, 3)
    campaign = await make_campaign(store, app, clock, [people])
    await change(store, "update contact set sealed = :sealed where pos = 1", sealed=b"x")
    await begin(store, app, campaign, clock)
    taken = await store.preflights.take(clock.now(), LEASE)
    assert taken is not None

    flows = FlowShelf(store.flows, clock)
    scout = CallScout(store, flows, None, lambda _: NOT_HERE, lambda _: 0)
    await Preflighter(store, clock, flows, scout)._look(taken)
    found = await store.preflights.find(campaign)
    await change(store, "update preflight set pins = '{'")

    assert found is not None
    assert (await versioned_text(store, app, campaign.definition)).text
    assert {code: pile.contacts for code, pile in found.tally.faults.items()} == {"unreadable_number": 1}
    assert (found.tally.contacts, found.tally.messages) == (3, 2)
    assert await store.preflights.find(campaign) is None
    await change(store, "update preflight set finished_at = 0, lease_until = 0")
    assert await store.preflights.take(clock.now() + LEASE, LEASE) is None
    assert await store.preflights.take(clock.now() + LEASE, LEASE) is None
