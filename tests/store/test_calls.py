"""Call records on both databases: written once however often, and closed where nobody leads the call any more."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from callsheet.core.attempt import Intent, Kind
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.store.apps import App
from callsheet.store.calls import UNTOLD, CallRow
from callsheet.store.recordings import Purpose, new_recording_id
from callsheet.store.store import Store
from databases import change, rows
from factories import Node, StillClock, trunk_of
from store.test_flow_sessions import endings
from store.test_sessions_of_calls import calls, tell

LEASE = timedelta(seconds=60)


async def row_of(store: Store, app: App, clock: StillClock, intent: Intent) -> CallRow:
    trunk = await trunk_of(store, app)
    key = AttemptKey(intent.run_no, intent.person, intent.n)
    return CallRow(app.no, key, trunk.no, "node-1", clock.now())


async def close_left(store: Store, clock: StillClock, node_no: int) -> int:
    now = clock.now()
    return await store.calls.close_left(await store.calls.left(now, node_no, 10), now, node_no, now)


async def stored(store: Store) -> list[Any]:
    return list(await rows(store, "select * from call order by person"))


async def test_a_call_is_written_when_it_is_dialed_and_completed_when_it_is_over(
    store: Store, app: App, clock: StillClock, node: Node
):
    (intent, _) = await calls(store, app, clock, node)
    begun = await row_of(store, app, clock, intent)
    await store.calls.write([begun], node.no, clock.now() + LEASE)
    (row,) = await stored(store)
    assert (row.ended_at, row.outcome, row.timeline_sealed) == (0, "", b"")

    at = clock.advance(9)
    over = replace(
        begun, answered_at=at, ended_at=at, cause=16, sip_status=200, outcome="human", ended_by="them",
        detection={"verdict": "human", "speech_seconds": 0.7}, timeline=[(at, "pressed", {"digit": "1"})],
    )  # fmt: skip
    for _ in range(2):
        await store.calls.write([over], node.no, clock.now() + LEASE)
    (row,) = await stored(store)
    key = store.vault.app(app.no)
    assert key is not None
    assert (row.cause, row.sip_status, row.outcome, row.ended_by) == (16, 200, "human", "them")
    assert msgspec.json.decode(row.detection) == {"verdict": "human", "speech_seconds": 0.7}
    told = msgspec.json.decode(key.seal.open(row.timeline_sealed, intent.person))
    assert told == [{"at": at.isoformat(), "what": "pressed", "digit": "1"}]


@pytest.mark.parametrize(
    ("awaits", "expected"), [("reply", ("hung_up", UNTOLD)), ("webhook", ("hung_up", UNTOLD)), ("person", ("", ""))]
)
async def test_no_conversation_outlives_its_call_but_one_that_waits_for_a_person(
    store: Store, app: App, clock: StillClock, node: Node, awaits: str, expected: tuple[str, str]
):
    (intent, _) = await calls(store, app, clock, node)
    begun = await row_of(store, app, clock, intent)
    await tell(node, clock, intent, Kind.delivered, "human")
    await change(store, "update flow_session set awaits = :awaits", awaits=awaits)
    await store.calls.write([replace(begun, answered_at=clock.now())], node.no, clock.now() + LEASE)
    assert await endings(store) == [""], "it goes on"

    over = replace(begun, answered_at=clock.now(), ended_at=clock.advance(9), outcome="human", ended_by="us")
    for _ in range(2):
        await store.calls.write([over], node.no, clock.now() + LEASE)
    (session,) = await rows(store, "select ending, why from flow_session")
    assert (session.ending, session.why) == expected


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ([], "uncertain"),
        ([(Kind.uncertain, "lease_ran_out")], "uncertain"),
        ([(Kind.accepted, "answered")], "lost"),
        ([(Kind.accepted, "answered"), (Kind.delivered, "machine")], "machine"),
        ([(Kind.undelivered, "busy")], "busy"),
    ],
)
async def test_what_a_dead_node_led_is_closed_with_what_its_attempt_says(
    store: Store, app: App, clock: StillClock, node: Node, told: list[tuple[Kind, str]], outcome: str
):
    (intent, _) = await calls(store, app, clock, node)
    await store.calls.write([await row_of(store, app, clock, intent)], node.no, clock.now() + LEASE)
    for kind, code in told:
        await tell(node, clock, intent, kind, code)

    assert await close_left(store, clock, node.no + 1) == 0, "it may live"
    clock.advance(50)
    await store.calls.renew(node.no, clock.now() + LEASE)
    clock.advance(50)
    assert await close_left(store, clock, node.no + 1) == 0, "it lives"
    clock.advance(60)
    assert await close_left(store, clock, node.no) == 0, "its own node leads it"
    assert await close_left(store, clock, node.no + 1) == 1

    (row,) = await stored(store)
    assert (row.outcome, row.ended_by, row.ended_at > 0) == (outcome, "network", True)
    sessions = [each.no for each in await rows(store, "select no from flow_session")]
    assert [row.session_no] == (sessions or [0])
    assert (row.answered_at > 0) is (outcome in ("lost", "machine"))
    assert await endings(store) == (["hung_up"] if outcome == "machine" else [])
    assert await rows(store, "select 1 from open_session") == []


async def test_a_conversation_that_waits_for_a_person_outlives_its_call(
    store: Store, app: App, clock: StillClock, node: Node
):
    first, second = await calls(store, app, clock, node)
    for intent in (first, second):
        await store.calls.write([await row_of(store, app, clock, intent)], node.no, clock.now())
        await tell(node, clock, intent, Kind.delivered, "human")
    cause = encode_attempt(first.run_no, first.person, first.n)
    await change(store, "update flow_session set awaits = 'person' where cause = :cause", cause=cause)
    await close_left(store, clock, node.no + 1)

    found = await rows(store, "select cause, ending from flow_session")
    assert {row.cause == cause: row.ending for row in found} == {True: "", False: "hung_up"}


async def test_a_conversation_of_whose_call_nothing_was_written_ends(
    store: Store, app: App, clock: StillClock, node: Node
):
    first, second = await calls(store, app, clock, node)
    await store.calls.write([await row_of(store, app, clock, first)], node.no, clock.now() + LEASE)
    for intent in (first, second):
        await tell(node, clock, intent, Kind.delivered, "human")

    assert await store.calls.end_orphans(clock.now(), clock.now()) == 0, "it was opened just now"
    assert await store.calls.end_orphans(clock.advance(1), clock.now()) == 1
    found = await rows(store, "select person, ending from flow_session")
    assert {row.person: row.ending for row in found} == {first.person: "", second.person: "hung_up"}


async def test_what_was_said_in_calls_goes_with_the_contacts_of_a_list(
    store: Store, app: App, clock: StillClock, node: Node
):
    intents = [*await calls(store, app, clock, node, 1), *await calls(store, app, clock, node, 1)]
    for intent in intents:
        begun = await row_of(store, app, clock, intent)
        said = [(clock.now(), "said", {"text": "Hello Ada"})]
        over = replace(begun, ended_at=clock.now(), outcome="human", detection={"verdict": "human"}, timeline=said)
        await store.calls.write([over], node.no, clock.now())
        until = clock.now() + timedelta(days=1)
        await store.recordings.keep(
            app.no, new_recording_id(), begun.key, Purpose.answer, b"x", 1, at=clock.now(), until=until
        )
    await change(store, "delete from campaign")
    await change(store, "update run set ended_at = 1, status = 'Completed'")
    (first, _) = await rows(store, "select id from contact_list order by no")
    found = await store.lists.find(app.no, list_id=first.id)
    assert found is not None
    await store.lists.delete(found)
    while await store.erasing.erase(10, clock.now()):
        pass

    left = await rows(store, "select run_no, outcome, detection, timeline_sealed from call order by run_no")
    assert [(row.outcome, bool(row.detection), bool(row.timeline_sealed)) for row in left] == [
        ("human", False, False), ("human", True, True),
    ]  # fmt: skip
    assert [row.run_no for row in await rows(store, "select run_no from recording")] == [left[1].run_no]


async def test_a_call_that_was_closed_and_is_found_again_stays_over_and_its_end_is_told_once(
    store: Store, app: App, clock: StillClock, node: Node
):
    (intent, _) = await calls(store, app, clock, node)
    begun = replace(await row_of(store, app, clock, intent), rang_at=clock.advance(2))
    await store.calls.write([begun], node.no, clock.now() + LEASE)
    clock.advance(LEASE.total_seconds() + 1)
    assert await close_left(store, clock, node.no + 1) == 1

    found = replace(begun, rang_at=None, answered_at=clock.advance(1))
    await store.calls.write([found], node.no, clock.now() + LEASE)
    (row,) = await stored(store)
    assert row.ended_at > 0

    over = replace(found, ended_at=clock.advance(9), outcome="human", ended_by="them")
    await store.calls.write([over], node.no, clock.now() + LEASE)
    (row,) = await stored(store)
    assert (row.outcome, row.ended_by) == ("human", "them")
    assert row.rang_at > 0
    told = await rows(store, "select 1 from outbox where kind = 'call.ended'")
    assert len(told) == 1
