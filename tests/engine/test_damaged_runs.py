"""A run, an app or a contact that cannot be read holds up no other run, and nobody in it is contacted."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Campaign, Status
from callsheet.core.filtering import Condition, Filter, Operator
from callsheet.core.retrying import Turn
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import change, rows
from engine.world import World, world
from factories import (
    MONDAY_NOON,
    Node,
    StillClock,
    contact,
    happening,
    make_app,
    make_campaign,
    make_list,
    number,
    start_run,
)

TORN_VERSION = "update campaign_version set definition = '{\"torn' where campaign_no = :no"


async def campaign_of(w: World, app: App, people: range) -> Campaign:
    listed = await make_list(w.store, app, w.clock, [contact(w.store, app, number(i)) for i in people])
    return await make_campaign(w.store, app, w.clock, [listed])


def test_a_run_that_cannot_be_read_stops_neither_the_others_nor_a_start(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            torn, sound = await campaign_of(w, w.app, range(500)), await campaign_of(w, w.app, range(500, 520))
            await w.limit(torn, 2)
            await w.run_campaign(torn)
            await clock.sleep(5)
            await change(w.store, TORN_VERSION, no=torn.no)
            w.conductor.wake()
            await clock.sleep(120)
            reached = w.ledger.count()
            assert 0 < reached < 500

            with capture_logs() as logs:
                await w.conductor.stop()
                await w.start()
                await w.run_campaign(sound)
                await w.until(sound, Status.completed, longest_seconds=120)
                await clock.sleep(120)
            assert w.ledger.count() == reached + 20
            assert len([line for line in logs if line["event"] == "run.unreadable"]) == 1

    run(main, start=MONDAY_NOON)


def test_an_app_whose_key_does_not_open_stops_neither_the_others_nor_a_start(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            other = await make_app(w.store, clock, name="Other")
            torn, sound = await campaign_of(w, other, range(5)), await campaign_of(w, w.app, range(5, 10))
            await w.conductor.stop()
            for campaign in (torn, sound):
                await w.run_campaign(campaign)
            await change(w.store, "update app set key_sealed = id where no = :no", no=other.no)
            w.store.vault._apps.clear()
            with capture_logs() as logs:
                await w.start()
                await w.until(sound, Status.completed, longest_seconds=60)
                await clock.sleep(60)
            assert {message.to for message in w.sent()} == {number(i) for i in range(5, 10)}
            assert [line["app"] for line in logs if line["event"] == "app.unreadable"] == [other.id]

    run(main, start=MONDAY_NOON)


def test_a_run_that_cannot_be_armed_leaves_its_sender_to_the_others(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            torn, sound = await campaign_of(w, w.app, range(5)), await campaign_of(w, w.app, range(5, 300))
            await w.conductor.stop()
            for campaign in (torn, sound):
                await w.run_campaign(campaign)
            # Retries of contacts in a zone that is gone: that they are due is seen, their hours cannot be judged.
            found = await w.store.campaigns.find(w.app.no, campaign_id=torn.id)
            assert found is not None
            await change(
                w.store,
                "insert into retry (app, run_no, turn, due, list_no, pos, person, n, used, group_no, reason)"
                " select c.app, :run, 0, 1, c.list_no, c.pos, c.person, 1, 0, c.group_no, 'callback' from contact c"
                " where c.list_no = :list",
                run=found.run_no,
                list=torn.definition.contact_lists[0].no,
            )
            gone = "update list_group set own_zone = 'Atlantis/Gone' where list_no = :list"
            await change(w.store, gone, list=torn.definition.contact_lists[0].no)
            with capture_logs() as logs:
                await w.start()
                await w.until(sound, Status.completed, longest_seconds=60)
            assert w.ledger.count() == 295
            assert {line["campaign"] for line in logs if line["event"] == "run.broke"} == {torn.id}

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize("wanted", [None, Filter((Condition("first_name", Operator.equals, ("Ada",)),))])
def test_columns_that_cannot_be_read_are_rejected_and_hold_nobody_up(tmp_path: Path, wanted: Filter | None) -> None:
    async def main(clock: VirtualClock) -> None:
        async with world(clock, tmp_path) as w:
            people = [contact(w.store, w.app, number(i)) for i in range(20)]
            people[7] = people[7]._replace(attributes='{"first_name":')
            campaign = await make_campaign(
                w.store, w.app, clock, [await make_list(w.store, w.app, clock, people)], filter=wanted
            )
            await w.run_campaign(campaign)
            await w.until(campaign, Status.completed, longest_seconds=60)
            await clock.sleep(5)
            counters = await w.counters(campaign)
            assert (counters["rejected:unreadable_number"], counters["delivered"]) == (1, 19)
            assert number(7) not in {message.to for message in w.sent()}

    run(main, start=MONDAY_NOON)


async def test_results_of_a_run_that_cannot_be_read_are_recorded_beside_the_others(
    store: Store, app: App, clock: StillClock, node: Node
) -> None:
    torn, sound = await start_run(store, app, clock, 3), await start_run(store, app, clock, 3)
    mine, theirs = await node.walk_all(torn), await node.walk_all(sound)
    await change(store, TORN_VERSION, no=torn.campaign_no)
    ends = ((0, Kind.refused), (1, Kind.undelivered))
    await node.record([happening(sent[i], kind, clock.now()) for sent in (mine, theirs) for i, kind in ends])
    clock.advance(hours=1)
    assert await node.reap() == 2

    for one in (torn, sound):
        counters = await store.reports.counters(app.no, one.no)
        assert (counters[Kind.refused], counters[Kind.undelivered], counters[Kind.uncertain]) == (1, 1, 1)
    due = await rows(store, "select run_no, turn from retry order by run_no")
    assert [tuple(row) for row in due] == [(torn.no, Turn.first), (sound.no, Turn.first)]
    left_out: list[str] = []
    assert [one.no for one in await store.runs.active(left_out.append)] == [sound.no]
    assert left_out == [torn.id]
