"""Who comes again, when, and in whose turn; who does not."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Move, UncertainPolicy
from callsheet.core.retrying import FIRST_BACKOFF_SECONDS, Turn
from callsheet.core.run import AppSettings, Run
from callsheet.store.apps import App
from callsheet.store.recording import UNMEASURED
from callsheet.store.store import Store
from databases import Place
from factories import (
    LEASE_SECONDS,
    Node,
    StillClock,
    change_settings,
    contact,
    forbid,
    hours,
    make_app,
    number,
    opt_out,
    start_run,
    work_of,
)

HALF_A_SECOND = timedelta(seconds=FIRST_BACKOFF_SECONDS / 2)


async def counters(store: Store, run: Run) -> dict[str, int]:
    counters = await store.reports.counters(run.app, run.no)
    return {name: value for name, value in counters.items() if value and name != UNMEASURED}


async def test_a_refused_message_comes_again_and_uses_up_nothing(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 1)
    (intent,) = await node.walk_all(run)

    for n, backoff in ((1, 0.5), (2, 1.0), (3, 2.0)):
        assert (intent.n, intent.used) == (n, 1)
        recorded = await node.tell([intent], Kind.refused)
        due = clock.now() + timedelta(seconds=backoff)
        assert recorded.again_at == due
        assert (await work_of(store, run)).due == {Turn.first: due}
        assert not (await node.arm_again(run, Turn.first)).intents
        clock.set(due)
        assert not (await node.arm_again(run, Turn.last)).intents
        (intent,) = (await node.arm_again(run, Turn.first)).intents
        assert (intent.number, intent.pos) == (number(0), 0)

    await node.tell([intent], Kind.delivered)
    assert await counters(store, run) == {"armed": 4, "refused": 3, "delivered": 1}
    assert (await work_of(store, run)).due == {}
    assert await store.hot.complete(run)


async def test_a_withdrawn_intent_comes_again_at_once(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 2)
    intents = await node.walk_all(run)

    recorded = await node.tell(intents, Kind.withdrawn)

    assert recorded.again_at == clock.now()
    again = (await node.arm_again(run, Turn.first)).intents
    assert [(intent.number, intent.n, intent.used) for intent in again] == [(number(0), 2, 1), (number(1), 2, 1)]


async def test_those_who_come_again_come_in_the_order_in_which_they_are_due(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 4)
    intents = await node.walk_all(run)
    for intent in (intents[2], intents[0], intents[3]):
        clock.advance(0.001)
        await node.tell([intent], Kind.withdrawn)

    first = await node.arm_again(run, Turn.first, limit=2)
    rest = await node.arm_again(run, Turn.first, limit=2)

    assert [intent.pos for intent in first.intents] == [2, 0]
    assert [intent.pos for intent in rest.intents] == [3]


@pytest.mark.parametrize("kind", [Kind.accepted, Kind.rejected, Kind.delivered, Kind.uncertain])
async def test_nobody_else_is_texted_again(store: Store, app: App, clock: StillClock, node: Node, kind: Kind):
    run = await start_run(store, app, clock, 1, max_attempts=3)
    intents = await node.walk_all(run)

    recorded = await node.tell(intents, kind)

    assert recorded.again_at is None
    assert (await work_of(store, run)).due == {}


async def test_a_second_refusal_of_the_same_try_does_not_bring_the_contact_back_twice(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 1)
    intents = await node.walk_all(run)
    await node.tell(intents, Kind.refused)
    clock.advance(0.25)
    await node.tell(intents, Kind.refused)
    await node.tell(intents, Kind.withdrawn)

    clock.advance(60)

    assert len((await node.arm_again(run, Turn.first)).intents) == 1


async def test_an_attempt_that_nobody_knows_about_is_shown_and_not_repeated(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 2)
    intents = await node.walk_all(run)
    await node.tell(intents[:1], Kind.accepted)
    await node.tell(intents[1:], Kind.uncertain, "timeout")

    (attempt,) = await store.reports.attempts(app.no, run.no, state="uncertain")
    assert (attempt.number, attempt.state) == (number(1), Kind.uncertain)
    assert attempt.events[0].code == "timeout"
    assert await counters(store, run) == {"armed": 2, "accepted": 1, "uncertain": 1}
    assert await store.hot.complete(run)


@pytest.mark.parametrize("receipt", [Kind.accepted, Kind.undelivered, Kind.delivered, Kind.rejected])
async def test_a_late_receipt_settles_what_was_uncertain_even_after_the_run(
    store: Store, app: App, clock: StillClock, node: Node, receipt: Kind
):
    run = await start_run(store, app, clock, 1)
    intents = await node.walk_all(run)
    await node.tell(intents, Kind.uncertain)
    assert await store.hot.complete(run)
    clock.advance(days=3)

    await node.tell(intents, receipt)

    assert await store.reports.attempts(app.no, run.no, state="uncertain") == []
    assert await counters(store, run) == {"armed": 1, receipt: 1}


async def test_at_least_once_repeats_what_nobody_knows_about(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(uncertain_policy=UncertainPolicy.at_least_once))
    node = await Node.enter(store, clock)
    run = await start_run(store, app, clock, 1)
    intents = await node.walk_all(run)

    recorded = await node.tell(intents, Kind.uncertain)

    assert recorded.again_at == clock.now() + HALF_A_SECOND
    clock.advance(1)
    (again,) = (await node.arm_again(run, Turn.first)).intents
    # What is repeated may have arrived, so it is used up.
    assert (again.n, again.used) == (2, 2)
    assert len(await store.reports.attempts(app.no, run.no)) == 2
    assert [a.n for a in await store.reports.attempts(app.no, run.no, state="uncertain")] == [1]


@pytest.mark.parametrize("receipt", [Kind.accepted, Kind.undelivered, Kind.delivered, Kind.rejected])
@pytest.mark.parametrize("doubt", [Kind.uncertain, Kind.refused, Kind.withdrawn])
async def test_a_receipt_that_arrives_before_the_repeat_makes_it_needless(
    store: Store, clock: StillClock, doubt: Kind, receipt: Kind
):
    app = await make_app(store, clock, AppSettings(uncertain_policy=UncertainPolicy.at_least_once))
    node = await Node.enter(store, clock)
    run = await start_run(store, app, clock, 2)
    intents = await node.walk_all(run)
    await node.tell(intents, doubt)

    await node.tell(intents[:1], receipt)

    clock.advance(60)
    assert [intent.pos for intent in (await node.arm_again(run, Turn.first)).intents] == [1]


async def test_a_contact_that_comes_again_is_not_taken_for_its_own_duplicate(
    store: Store, app: App, clock: StillClock, node: Node
):
    people = [contact(store, app, number(0)), contact(store, app, number(1))]
    run = await start_run(store, app, clock, people)
    chunk = await node.take(run)
    assert chunk is not None
    first = await node.arm(run, chunk, 1)
    await node.tell(first.intents, Kind.refused)
    clock.advance(1)

    again = (await node.arm_again(run, Turn.first)).intents
    assert first.left is not None
    rest = (await node.arm(run, first.left)).intents

    assert [(intent.number, intent.n) for intent in (*again, *rest)] == [(number(0), 2), (number(1), 1)]


async def test_a_person_whose_message_waits_to_be_repeated_and_who_opts_out_is_spared(
    store: Store, app: App, clock: StillClock, node: Node
):
    everywhere = await store.dnc_lists.create(app.no, "Global", clock.now(), is_global=True)
    run = await start_run(store, app, clock, 2)
    await node.tell(await node.walk_all(run), Kind.refused)

    await forbid(store, app, everywhere.no, [number(0)])
    clock.advance(1)

    assert [intent.number for intent in (await node.arm_again(run, Turn.first)).intents] == [number(1)]
    assert await counters(store, run) == {"armed": 3, "refused": 2, "suppressed:dnc": 1}
    assert await store.reports.waiting(app.no, run.no) == []


async def test_who_comes_again_is_held_like_everybody_else(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 1)
    await node.tell(await node.walk_all(run), Kind.refused)
    clock.advance(1)
    assert len((await node.arm_again(run, Turn.first)).intents) == 1
    assert len(await store.hot.unhanded(app.no)) == 1

    clock.advance(LEASE_SECONDS)

    assert await node.reap() == 1
    (attempt,) = await store.reports.attempts(app.no, run.no, state="uncertain")
    assert attempt.n == 2


async def test_nobody_comes_again_in_a_run_that_is_paused(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 1)
    await node.tell(await node.walk_all(run), Kind.withdrawn)
    campaign = await store.campaigns.find(app.no, campaign_id=run.campaign_id)
    assert campaign is not None

    await store.campaigns.move(campaign, Move.pause, clock.now())
    assert (await node.arm_again(run, Turn.first)).lost
    await store.campaigns.move(campaign, Move.resume, clock.now())
    assert len((await node.arm_again(run, Turn.first)).intents) == 1


async def test_what_happens_late_in_a_paused_run_is_judged_by_its_own_policy(
    place: Place, store: Store, app: App, clock: StillClock, node: Node
):
    await change_settings(store, app, replace(app.settings, uncertain_policy=UncertainPolicy.at_least_once))
    run = await start_run(store, app, clock, 2)
    chunk = await node.take(run)
    assert chunk is not None
    armed = await node.arm(run, chunk)
    campaign = await store.campaigns.find(app.no, campaign_id=run.campaign_id)
    assert campaign is not None
    await store.campaigns.move(campaign, Move.pause, clock.now())

    # A new process: it has never seen this run at work.
    store = await place.reopen(store)
    node = await Node.enter(store, clock)
    told = await node.tell(armed.intents[:1], Kind.uncertain)
    clock.advance(LEASE_SECONDS)
    reaped = await node.reap()

    assert told.again_at is not None
    assert reaped == 1
    assert [(one.reason, one.contacts) for one in await store.reports.waiting(app.no, run.no)] == [("uncertain", 2)]


@pytest.mark.parametrize("end", ["stop", "complete"])
@pytest.mark.parametrize("kind", [Kind.refused, Kind.withdrawn])
async def test_who_was_not_taken_after_all_is_not_forgotten_when_the_run_has_ended(
    store: Store, app: App, clock: StillClock, node: Node, end: str, kind: Kind
):
    run = await start_run(store, app, clock, 2)
    intents = await node.walk_all(run)
    await node.tell(intents, Kind.uncertain)
    if end == "complete":
        assert await store.hot.complete(run)
    else:
        campaign = await store.campaigns.find(app.no, campaign_id=run.campaign_id)
        assert campaign is not None
        await store.campaigns.move(campaign, Move.stop, clock.now())

    recorded = await node.tell(intents, kind)

    assert recorded.events == 2
    assert [(one.reason, one.contacts) for one in await store.reports.waiting(app.no, run.no)] == [(kind, 2)]
    assert not (await node.arm_again(run, Turn.first)).intents
    assert await counters(store, run) == {"armed": 2, kind: 2}


async def test_the_policy_of_now_rules(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 1)
    intents = await node.walk_all(run)
    await change_settings(store, app, replace(app.settings, uncertain_policy=UncertainPolicy.at_least_once))

    recorded = await node.tell(intents, Kind.uncertain)

    assert recorded.again_at is not None


async def test_two_nodes_that_ask_at_once_bring_nobody_back_twice(
    place: Place, store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 30)
    await node.tell(await node.walk_all(run), Kind.withdrawn)
    twin = await place.open() if place.kind == "postgres" else store
    nodes = [node, await Node.enter(twin, clock), await Node.enter(store, clock)]

    armed = await asyncio.gather(*(one.arm_again(run, Turn.first, 7) for one in nodes * 2))

    numbers = [intent.number for one in armed for intent in one.intents]
    numbers += [intent.number for intent in (await node.arm_again(run, Turn.first)).intents]
    assert sorted(numbers) == [number(i) for i in range(30)]


async def test_a_contact_that_is_queued_twice_and_deferred_comes_once(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(uncertain_policy=UncertainPolicy.at_least_once))
    node = await Node.enter(store, clock)
    run = await start_run(store, app, clock, 2, hours=hours(start=12 * 60, end=13 * 60))
    intents = await node.walk_all(run)
    await node.tell(intents, Kind.uncertain)
    clock.advance(0.1)
    # The doubt was settled by a refusal: two reasons to come again, and one contact.
    await node.tell(intents, Kind.refused)
    clock.advance(hours=2)

    assert not (await node.arm_again(run, Turn.first, 3)).intents
    assert not (await node.arm_again(run, Turn.first, 3)).intents
    clock.advance(hours=22)

    again = (await node.arm_again(run, Turn.first)).intents
    assert [(intent.pos, intent.n) for intent in again] == [(0, 2), (1, 2)]
    assert await store.reports.suppressions(app.no, run.no) == []
    await node.tell(again, Kind.accepted)
    assert await store.hot.complete(run)


async def test_a_receipt_for_any_earlier_try_makes_a_repeat_needless(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(uncertain_policy=UncertainPolicy.at_least_once))
    node = await Node.enter(store, clock)
    run = await start_run(store, app, clock, 1)
    first = await node.walk_all(run)
    await node.tell(first, Kind.uncertain)
    clock.advance(1)
    second = (await node.arm_again(run, Turn.first)).intents
    await node.tell(second, Kind.refused)

    await node.tell(first, Kind.delivered)

    clock.advance(60)
    assert not (await node.arm_again(run, Turn.first)).intents
    assert await store.hot.complete(run)


async def test_a_late_refusal_of_an_earlier_try_does_not_cost_the_contact_its_repeat(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(uncertain_policy=UncertainPolicy.at_least_once))
    node = await Node.enter(store, clock)
    run = await start_run(store, app, clock, 1)
    first = await node.walk_all(run)
    await node.tell(first, Kind.uncertain)
    clock.advance(1)
    second = (await node.arm_again(run, Turn.first)).intents
    await node.tell(first, Kind.refused)
    await node.tell(second, Kind.refused)

    clock.advance(60)
    again = (await node.arm_again(run, Turn.first)).intents

    assert [(intent.n, intent.pos) for intent in again] == [(3, 0)]
    await node.tell(again, Kind.delivered)
    assert await store.hot.complete(run)


async def test_a_contact_that_is_queued_twice_and_suppressed_counts_once(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(uncertain_policy=UncertainPolicy.at_least_once))
    node = await Node.enter(store, clock)
    run = await start_run(store, app, clock, 2)
    intents = await node.walk_all(run)
    await node.tell(intents, Kind.uncertain)
    clock.advance(0.1)
    await node.tell(intents, Kind.refused)
    for intent in intents:
        await opt_out(store, app, clock, intent.number)
    clock.advance(60)

    for limit in (1, 1, 5):
        assert not (await node.arm_again(run, Turn.first, limit)).intents

    assert await counters(store, run) == {"armed": 2, "refused": 2, "suppressed:opted_out": 2}
    assert await store.reports.waiting(app.no, run.no) == []
