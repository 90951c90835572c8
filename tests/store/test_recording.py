"""What happened is stored once and counted once, in whatever order and however often it is told."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callsheet.core.attempt import Happening, Intent, Kind, fold
from callsheet.core.run import Run
from callsheet.store.apps import App
from callsheet.store.protocol import ArmKey, Batch, Recorded
from callsheet.store.recording import SEGMENTS, UNMEASURED
from callsheet.store.store import Store
from databases import Place, rows
from factories import Node, StillClock, arms_of, happening, start_run

PEOPLE = 4

# A state never moves backwards; what brings a contact back is told elsewhere.
told = st.lists(st.tuples(st.integers(0, PEOPLE - 1), st.sampled_from(Kind), st.integers(0, 3)), max_size=30)


async def counters(store: Store, run: Run) -> dict[str, int]:
    counters = await store.reports.counters(run.app, run.no)
    return {name: value for name, value in counters.items() if value and name != UNMEASURED}


def expected(told: Sequence[Happening], armed: int) -> dict[str, int]:
    """Fold the events as a ledger would: each (attempt, kind) once, the state the furthest of them."""
    kinds: dict[bytes, set[str]] = {}
    segments: dict[tuple[bytes, str], int] = {}
    for one in told:
        kinds.setdefault(one.person, set()).add(one.kind)
        segments.setdefault((one.person, one.kind), one.segments)
    counted = Counter(fold(mine) for mine in kinds.values())
    counted.update({"armed": armed, "segments": sum(segments.values())})
    return {name: value for name, value in counted.items() if value}


async def arm(store: Store, app: App, clock: StillClock, node: Node, people: int) -> tuple[Run, list[Intent]]:
    run = await start_run(store, app, clock, people)
    return run, await node.walk_all(run)


@given(told=told, cuts=st.lists(st.integers(1, 5), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_and_any_repetition_count_the_same(
    store: Store, app: App, clock: StillClock, node: Node, told: list[tuple[int, Kind, int]], cuts: list[int]
):
    run, intents = await arm(store, app, clock, node, PEOPLE)
    happened = [
        happening(intents[who], kind, clock.now() + timedelta(seconds=i), segments=segments)
        for i, (who, kind, segments) in enumerate(told)
    ]

    done, new = 0, 0
    while done < len(happened):
        size = cuts[done % len(cuts)]
        new += (await node.record(happened[done : done + size])).events
        done += size

    assert new == len({(one.person, one.kind) for one in happened})
    assert await counters(store, run) == expected(happened, PEOPLE)
    attempts = await store.reports.attempts(run.app, run.no)
    first_tries = {attempt.person: attempt for attempt in attempts if attempt.n == 1}
    for intent in intents:
        mine = [one for one in happened if one.person == intent.person]
        assert first_tries[intent.person].state == fold(one.kind for one in mine)
        assert {event.kind for event in first_tries[intent.person].events} == {one.kind for one in mine}
    doubtful = {attempt.person for attempt in await store.reports.attempts(run.app, run.no, state="uncertain")}
    assert doubtful == {person for person, attempt in first_tries.items() if attempt.state == Kind.uncertain}


async def test_a_batch_whose_answer_was_lost_changes_nothing_the_second_time(
    store: Store, app: App, clock: StillClock, node: Node
):
    run, intents = await arm(store, app, clock, node, 3)
    happened = tuple(happening(intent, Kind.refused, clock.now(), segments=1) for intent in intents)
    batch = Batch(node.no, 7, happened, ended=tuple(arms_of(node, intents)))

    first = await store.hot.record(batch, lambda: 0.0)
    before = await counters(store, run), await rows(store, "select * from retry order by pos")
    second = await store.hot.record(batch, lambda: 0.9)

    assert (first.events, second.events, second.unknown) == (3, 0, 0)
    assert before == (await counters(store, run), await rows(store, "select * from retry order by pos"))


async def test_numbers_of_batches_belong_to_their_node(store: Store, app: App, clock: StillClock, node: Node):
    run, intents = await arm(store, app, clock, node, 2)
    other = await Node.enter(store, clock)

    for teller, intent in ((node, intents[0]), (other, intents[1])):
        batch = Batch(teller.no, 1, (happening(intent, Kind.accepted, clock.now()),))
        assert (await store.hot.record(batch, lambda: 0.0)).events == 1

    assert await counters(store, run) == {"armed": 2, "accepted": 2}


async def test_the_same_receipt_at_two_nodes_counts_once(store: Store, app: App, clock: StillClock, node: Node):
    run, intents = await arm(store, app, clock, node, 1)
    other = await Node.enter(store, clock)
    receipt = happening(intents[0], Kind.delivered, clock.now())

    results = [(await teller.record([receipt])).events for teller in (node, other, node)]

    assert results == [1, 0, 0]
    assert await counters(store, run) == {"armed": 1, "delivered": 1}


async def test_the_same_receipts_at_two_nodes_at_once_count_once(
    place: Place, store: Store, app: App, clock: StillClock, node: Node
):
    run, intents = await arm(store, app, clock, node, 12)
    twin = await place.open() if place.kind == "postgres" else store
    nodes = [node, await Node.enter(twin, clock), await Node.enter(store, clock)]
    receipts = [happening(intent, kind, clock.now()) for intent in intents for kind in (Kind.accepted, Kind.delivered)]

    recorded = await asyncio.gather(
        *(one.record(batch) for one in nodes for batch in (receipts[:14], receipts[8:], receipts[::-1]))
    )

    assert sum(one.events for one in recorded) == 24
    assert await counters(store, run) == {"armed": 12, "delivered": 12}


async def test_what_the_carrier_said_is_kept_with_each_event(store: Store, app: App, clock: StillClock, node: Node):
    run, intents = await arm(store, app, clock, node, 1)
    (intent,) = intents
    told_at = clock.now() + timedelta(microseconds=1)
    later_at = told_at + timedelta(seconds=2, microseconds=7)

    await node.record(
        [
            Happening(run.no, intent.person, 1, Kind.accepted, told_at, "", "SM-77", 3),
            Happening(run.no, intent.person, 1, Kind.undelivered, later_at, "handset_off", "SM-77"),
            Happening(run.no, intent.person, 1, Kind.undelivered, later_at, "another story"),
        ],
    )

    (attempt,) = await store.reports.attempts(run.app, run.no)
    assert [(event.kind, event.at, event.code, event.ref, event.segments) for event in attempt.events] == [
        (Kind.accepted, told_at, "", "SM-77", 3),
        (Kind.undelivered, later_at, "handset_off", "SM-77", 0),
    ]
    assert (await counters(store, run))["segments"] == 3


async def test_a_receipt_whose_answer_was_lost_is_said_to_have_unknown_segments(
    store: Store, app: App, clock: StillClock, node: Node
):
    run, intents = await arm(store, app, clock, node, 3)
    told: list[tuple[Kind, list[Intent], int]] = [
        (Kind.uncertain, intents, 0),
        (Kind.undelivered, intents[:2], 2),
        (Kind.delivered, intents[:2], 2),
        (Kind.accepted, intents[:1], 1),
        (Kind.accepted, intents[2:], 1),
        (Kind.delivered, intents[2:], 1),
    ]

    for kind, mine, unmeasured in told:
        await node.record([happening(one, kind, clock.now(), segments=2 * (kind is Kind.accepted)) for one in mine])
        assert (await store.reports.counters(app.no, run.no)).get(UNMEASURED, 0) == unmeasured

    assert (await store.reports.counters(app.no, run.no))[SEGMENTS] == 4


async def test_final_reports_that_contradict_each_other_are_all_kept_and_the_handsets_word_wins(
    store: Store, app: App, clock: StillClock, node: Node
):
    run, intents = await arm(store, app, clock, node, 1)

    for kind in (Kind.delivered, Kind.undelivered, Kind.rejected):
        await node.tell(intents, kind)

    (attempt,) = await store.reports.attempts(run.app, run.no)
    assert attempt.state == Kind.delivered
    assert {event.kind for event in attempt.events} == {Kind.delivered, Kind.undelivered, Kind.rejected}
    assert await counters(store, run) == {"armed": 1, "delivered": 1}


async def test_what_names_no_attempt_of_ours_is_counted_and_stored_nowhere(
    store: Store, app: App, clock: StillClock, node: Node
):
    run, intents = await arm(store, app, clock, node, 1)
    (intent,) = intents
    now = clock.now()

    recorded = await node.record(
        [
            Happening(run.no, b"\0" * 16, 1, Kind.delivered, now),
            Happening(run.no, intent.person, 2, Kind.delivered, now),
            Happening(run.no + 1000, intent.person, 1, Kind.delivered, now),
            happening(intent, Kind.delivered, now),
        ],
    )

    assert (recorded.events, recorded.unknown) == (1, 3)
    assert await counters(store, run) == {"armed": 1, "delivered": 1}


async def test_a_batch_of_several_runs_counts_each_for_itself(store: Store, app: App, clock: StillClock, node: Node):
    first, mine = await arm(store, app, clock, node, 2)
    second, theirs = await arm(store, app, clock, node, 3)

    await node.tell([*mine, *theirs], Kind.accepted)

    assert await counters(store, first) == {"armed": 2, "accepted": 2}
    assert await counters(store, second) == {"armed": 3, "accepted": 3}


async def test_arms_are_held_until_they_ended(store: Store, app: App, clock: StillClock, node: Node):
    run, intents = await arm(store, app, clock, node, 3)
    (key,) = arms_of(node, intents)
    assert set(await store.hot.unhanded(app.no)) == {key} == set(await store.hot.unhanded(app.no, run.no))
    assert set(await store.hot.unhanded(app.no, run.no + 1)) == set()
    persons = [intent.person for intent in intents]
    assert set(await store.hot.unhanded(app.no, None, {persons[1]})) == {key}
    assert set(await store.hot.unhanded(app.no, run.no, {bytes(16)})) == set()

    elsewhere = key._replace(arm_no=999)
    assert set(await store.hot.recalled([key, elsewhere])) == set()
    await store.hot.recall([key, elsewhere])
    assert set(await store.hot.recalled([key, elsewhere])) == {key}
    assert set(await store.hot.unhanded(app.no)) == {key}

    await node.record(handed=[key])
    assert set(await store.hot.unhanded(app.no)) == set()
    assert await store.reports.in_flight(app.no, run.no) == 1

    await node.record(ended=[key, ArmKey(app.no, run.no, node.no, 999)])
    assert await store.reports.in_flight(app.no, run.no) == 0


async def test_a_batch_without_news_is_fine(store: Store, app: App, clock: StillClock, node: Node):
    await start_run(store, app, clock, 1)

    assert await node.record() == Recorded(0, None, 0)


async def test_many_events_in_one_batch(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 1500)
    intents = await node.walk_all(run, size=500, limit=500)

    recorded = await node.record(
        [happening(intent, kind, clock.now()) for kind in (Kind.delivered, Kind.accepted) for intent in intents],
    )

    assert recorded.events == 3000
    assert await counters(store, run) == {"armed": 1500, "delivered": 1500}
