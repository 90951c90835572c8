"""Callbacks: a contact comes at the time that was asked for, whatever happened before, and once."""

from datetime import timedelta

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Move, Named
from callsheet.core.retrying import Turn
from callsheet.core.run import Run
from callsheet.store.apps import App
from callsheet.store.callbacks import Wanted
from callsheet.store.store import Store
from factories import Node, StillClock, forbid, number, opt_out, person_of, start_run, work_of

HOUR = timedelta(hours=1)


async def ask(store: Store, run: Run, clock: StillClock, person: bytes, after: timedelta = HOUR) -> str:
    (reason,) = await store.callbacks.ask(run, [Wanted(person, clock.now() + after)], clock.now())
    return reason


async def test_somebody_who_was_reached_comes_again_at_the_time_he_asked_for_and_once(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 2)
    first, _ = intents = await node.walk_all(run)
    await node.tell(intents, Kind.delivered)

    assert await ask(store, run, clock, first.person) == ""
    assert not await store.hot.complete(run)
    assert await store.callbacks.queue(run, clock.now()) == clock.now() + HOUR
    assert not (await work_of(store, run)).due

    clock.advance(hours=1)
    assert await store.callbacks.queue(run, clock.now()) is None
    (again,) = (await node.arm_again(run, Turn.first)).intents
    assert (again.person, again.n, again.used) == (first.person, 2, 2)
    await node.tell([again], Kind.delivered)
    assert not (await node.arm_again(run, Turn.first)).intents
    assert await store.hot.complete(run)


async def test_a_callback_that_the_carrier_did_not_take_is_not_lost(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 1)
    await node.tell(intents := await node.walk_all(run), Kind.delivered)
    await ask(store, run, clock, intents[0].person)
    clock.advance(hours=1)
    await store.callbacks.queue(run, clock.now())
    (again,) = (await node.arm_again(run, Turn.first)).intents
    await node.tell([again], Kind.refused)

    clock.advance(60)
    (third,) = (await node.arm_again(run, Turn.first)).intents
    assert third.n == 3


async def test_a_callback_waits_for_the_result_of_an_attempt_that_is_under_way(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 1)
    (intent,) = await node.walk_all(run)
    await ask(store, run, clock, intent.person, timedelta(seconds=1))
    clock.advance(1)
    assert await store.callbacks.queue(run, clock.now()) == clock.now() + timedelta(seconds=1)
    assert not (await node.arm_again(run, Turn.first)).intents

    # It was throttled: one of the two reasons to come again is enough.
    await node.tell([intent], Kind.refused)
    clock.advance(1)
    await store.callbacks.queue(run, clock.now())
    (again,) = (await node.arm_again(run, Turn.first)).intents
    assert again.n == 2
    clock.advance(60)
    assert not (await node.arm_again(run, Turn.first)).intents


async def test_who_was_not_tried_yet_comes_at_his_time_and_not_again_with_the_list(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 3)
    await ask(store, run, clock, person_of(store, app, number(2)), timedelta(seconds=1))
    clock.advance(1)
    await store.callbacks.queue(run, clock.now())

    (early,) = (await node.arm_again(run, Turn.first)).intents
    rest = await node.walk_all(run)

    assert early.number == number(2)
    assert [intent.number for intent in rest] == [number(0), number(1)]


async def test_a_protected_person_is_not_called_back(store: Store, app: App, clock: StillClock, node: Node):
    dnc = await store.dnc_lists.create(app.no, "Never", clock.now())
    run = await start_run(store, app, clock, 3, dnc_lists=(Named(dnc.no, dnc.id, dnc.name),))
    await node.tell(intents := await node.walk_all(run), Kind.delivered)
    for intent in intents[:2]:
        await ask(store, run, clock, intent.person)
    await forbid(store, app, dnc.no, [intents[0].number])
    await opt_out(store, app, clock, intents[1].number)

    clock.advance(hours=1)
    await store.callbacks.queue(run, clock.now())
    assert not (await node.arm_again(run, Turn.first)).intents


async def test_what_cannot_be_says_why(store: Store, app: App, clock: StillClock, node: Node):
    dnc = await store.dnc_lists.create(app.no, "Never", clock.now())
    await forbid(store, app, dnc.no, [number(0)])
    run = await start_run(store, app, clock, 2, dnc_lists=(Named(dnc.no, dnc.id, dnc.name),))
    await node.tell(await node.walk_all(run), Kind.delivered)
    spared = person_of(store, app, number(0))
    assert await ask(store, run, clock, person_of(store, app, number(9))) == "not_found"
    assert await ask(store, run, clock, spared) == "not_contactable"

    await store.hot.complete(run)
    assert await ask(store, run, clock, person_of(store, app, number(1))) == "campaign_not_active"


async def test_the_last_word_counts(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 1)
    (intent,) = await node.walk_all(run)
    await node.tell([intent], Kind.delivered)
    await ask(store, run, clock, intent.person, HOUR)
    await ask(store, run, clock, intent.person, 2 * HOUR)
    assert await store.callbacks.queue(run, clock.now()) == clock.now() + 2 * HOUR


async def test_a_paused_run_takes_callbacks_and_keeps_them_until_it_goes_on(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 1)
    (intent,) = await node.walk_all(run)
    await node.tell([intent], Kind.delivered)
    campaign = await store.campaigns.find(app.no, campaign_id=run.campaign_id)
    assert campaign is not None
    await store.campaigns.move(campaign, Move.pause, clock.now())
    assert await ask(store, run, clock, intent.person, timedelta(seconds=1)) == ""
    clock.advance(60)
    await store.callbacks.queue(run, clock.now())
    assert (await node.arm_again(run, Turn.first)).lost
    await store.campaigns.move(campaign, Move.resume, clock.now())
    assert len((await node.arm_again(run, Turn.first)).intents) == 1
