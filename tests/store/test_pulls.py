"""A list is pulled by one node at a time, when it is due, and whoever was overtaken has nothing to say."""

import asyncio
from datetime import timedelta

import pytest

from callsheet.core.pull import Mode, PullPlan
from callsheet.store.apps import App
from callsheet.store.lists import ContactList
from callsheet.store.pulls import Outcome, Pull, State
from callsheet.store.store import Store
from databases import Place
from factories import StillClock, contact, make_list, number

LEASE = 300.0
HOURLY = PullPlan("https://example.com", interval_minutes=60)
BY_HAND = PullPlan("https://example.com")
DONE = Outcome(State.completed, rows=3, added=2, updated=0, rejected=1, problem="One.")
FAILED = Outcome(State.failed, problem="No.")


async def take(store: Store, clock: StillClock, most: int = 10) -> list[Pull]:
    taken, _ = await store.pulls.take(clock.now(), most=most, lease_seconds=LEASE)
    return taken


async def pulling(store: Store, app: App, clock: StillClock, plan: PullPlan) -> ContactList:
    made = await make_list(store, app, clock)
    await store.pulls.put(app.no, made.no, plan, clock.now())
    return made


async def next_at(store: Store, app: App, clock: StillClock, contact_list: ContactList) -> timedelta | None:
    pull = await store.pulls.find(app.no, contact_list.no, clock.now())
    assert pull is not None
    return pull.next_at - clock.now() if pull.next_at is not None else None


async def test_a_schedule_holds_whatever_a_pull_takes_and_a_failure_comes_back_within_it(
    store: Store, app: App, clock: StillClock
):
    listed = await pulling(store, app, clock, HOURLY)
    (pull,) = await take(store, clock)
    clock.advance(minutes=10)
    await store.pulls.finish(pull, DONE, clock.now())
    assert await next_at(store, app, clock, listed) == timedelta(minutes=50)

    clock.advance(minutes=50)
    waits = []
    for _ in range(8):
        (pull,) = await take(store, clock)
        await store.pulls.finish(pull, FAILED, clock.now())
        wait = await next_at(store, app, clock, listed)
        assert wait is not None
        waits.append(wait / timedelta(minutes=1))
        clock.advance(wait.total_seconds())

    assert waits == [1, 2, 4, 8, 16, 29, 60, 60]


async def test_what_is_pulled_by_hand_waits_for_a_hand(store: Store, app: App, clock: StillClock):
    listed = await pulling(store, app, clock, BY_HAND)
    assert await take(store, clock) == []
    await store.pulls.ask(app.no, listed.no, clock.now())
    (pull,) = await take(store, clock)
    await store.pulls.finish(pull, FAILED, clock.now())

    assert await take(store, clock) == []
    assert await next_at(store, app, clock, listed) is None


async def test_whoever_asks_during_a_pull_gets_one_more(store: Store, app: App, clock: StillClock):
    listed = await pulling(store, app, clock, BY_HAND)
    await store.pulls.ask(app.no, listed.no, clock.now())
    (pull,) = await take(store, clock)
    clock.advance(1)
    await store.pulls.ask(app.no, listed.no, clock.now())
    assert await take(store, clock) == []
    await store.pulls.finish(pull, DONE, clock.now())

    assert len(await take(store, clock)) == 1


async def test_a_node_that_was_overtaken_has_nothing_to_say(store: Store, app: App, clock: StillClock):
    listed = await pulling(store, app, clock, HOURLY)
    (slow,) = await take(store, clock)
    clock.advance(LEASE)
    (quick,) = await take(store, clock)

    assert not await store.pulls.renew(slow, clock.now() + timedelta(hours=1))
    assert await store.pulls.renew(quick, clock.now() + timedelta(hours=1))
    await store.pulls.finish(slow, FAILED, clock.now())
    await store.pulls.finish(quick, DONE, clock.now())

    entries = await store.pulls.entries(app.no, listed.no, before=None, limit=10)
    assert [entry.outcome for entry in entries] == [DONE]


async def test_a_process_that_begins_again_pulls_what_it_was_pulling(store: Store, app: App, clock: StillClock):
    await pulling(store, app, clock, HOURLY)
    await take(store, clock)
    assert await take(store, clock) == []

    await store.pulls.release_all()

    assert len(await take(store, clock)) == 1


async def test_a_deleted_list_is_not_pulled_any_more(store: Store, app: App, clock: StillClock):
    listed = await pulling(store, app, clock, HOURLY)
    (pull,) = await take(store, clock)
    found = await store.lists.find(app.no, list_id=listed.id)
    assert found is not None
    assert found.source == "pull"
    await store.lists.delete(found)

    assert not await store.pulls.renew(pull, clock.now())
    await store.pulls.finish(pull, DONE, clock.now())
    assert await store.pulls.find(app.no, listed.no, clock.now()) is None


async def test_the_log_is_forgotten_in_time(store: Store, app: App, clock: StillClock):
    listed = await pulling(store, app, clock, HOURLY)
    for _ in range(2):
        (pull,) = await take(store, clock)
        await store.pulls.finish(pull, DONE, clock.now())
        clock.advance(days=50)

    await store.pulls.prune(clock.now() - timedelta(days=90))

    assert len(await store.pulls.entries(app.no, listed.no, before=None, limit=10)) == 1


async def test_people_get_new_values_where_they_stand_and_the_others_stay(store: Store, app: App, clock: StillClock):
    people = [contact(store, app, number(i), attributes='{"first_name":"Old"}') for i in range(1200)]
    listed = await make_list(store, app, clock, [*people, people[0]], allow_duplicates=True)
    newer = [contact(store, app, number(i), attributes='{"first_name":"New"}') for i in (0, 700, 5000)]
    elsewhere = contact(store, app, number(3), zone="Asia/Kolkata", attributes='{"first_name":"Old"}')

    replaced = await store.replacing.replace(app.no, listed.no, [*newer, elsewhere])
    again = await store.replacing.replace(app.no, listed.no, newer)

    assert (replaced, again) == ((3, 1), (0, 0))
    found = await store.contacts.page(listed, after=0, limit=2000)
    assert [one.pos for one in found if one.attributes["first_name"] == "New"] == [0, 700, 1200]


@pytest.mark.parametrize("database", ["postgres"])
async def test_two_nodes_pull_each_list_once(place: Place, store: Store, app: App, clock: StillClock):
    other = await place.open()
    lists = {(await pulling(store, app, clock, HOURLY)).no for _ in range(20)}

    taken = await asyncio.gather(*(take(one, clock, 3) for one in (store, other) * 10))

    numbers = [pull.list_no for some in taken for pull in some]
    assert len(numbers) == len(set(numbers))
    rest = {pull.list_no for pull in await take(store, clock, 100)}
    assert set(numbers) | rest == lists


async def test_a_mode_is_kept_with_all_of_its_plan(store: Store, app: App, clock: StillClock):
    plan = PullPlan(
        "https://example.com/?key=1",
        headers={"X-Key": "2"},
        mapping={"a": "b.c"},
        items_path="data",
        mode=Mode.replace_duplicates,
    )
    listed = await pulling(store, app, clock, plan)

    found = await store.pulls.find(app.no, listed.no, clock.now())

    assert found is not None
    assert found.plan == plan
    assert "2" not in repr(plan.headers) or "X-Key" not in repr(found.plan)
