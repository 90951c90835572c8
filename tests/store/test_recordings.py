"""Recordings, and what is asked and told of calls, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from callsheet.core.call_errors import CallNotFound, CallOver
from callsheet.core.ids import AttemptKey
from callsheet.core.recording import Recorded
from callsheet.store.apps import App
from callsheet.store.calls import CallRow
from callsheet.store.recordings import Purpose, WantedRecordings, new_recording_id
from callsheet.store.store import Store
from factories import StillClock, person_of


def row_of(store: Store, app: App, clock: StillClock, n: int = 1) -> CallRow:
    return CallRow(app.no, AttemptKey(7, person_of(store, app, "+12125550101"), n), 0, "node-1", clock.now())


async def told(store: Store) -> list[tuple[str, dict[str, Any]]]:
    """Return, and take out of the outbox, what others are told of calls."""
    found = await store.outbox.peek(100)
    await store.outbox.drop(found)
    return [(one.kind, dict(one.payload)) for one in found if one.kind.startswith("call.")]


async def test_a_wish_is_for_the_node_that_leads_the_call_and_lasts_as_long(store: Store, app: App, clock: StillClock):
    row, lease = row_of(store, app, clock), clock.now() + timedelta(minutes=1)
    with pytest.raises(CallNotFound):
        await store.recording_wishes.wish(app.no, row.key, wanted=True)
    await store.calls.write([row], 4, lease)
    assert await store.recording_wishes.of_node(4) == {}
    await store.recording_wishes.wish(app.no, row.key, wanted=True)
    assert await store.recording_wishes.of_node(4) == {row.key: True}
    assert await store.recording_wishes.of_node(5) == {}

    # What its node writes down does not undo what was asked for, and another node that takes it over knows of it.
    await store.calls.write([replace(row, answered_at=clock.now(), recording=Recorded.on)], 5, lease)
    await store.recording_wishes.wish(app.no, row.key, wanted=False)
    assert await store.recording_wishes.of_node(5) == {row.key: False}
    await store.calls.write([replace(row, ended_at=clock.now(), outcome="human")], 5, lease)
    assert await store.recording_wishes.of_node(5) == {}
    with pytest.raises(CallOver):
        await store.recording_wishes.wish(app.no, row.key, wanted=True)


async def test_each_answer_and_each_end_is_told_once(store: Store, app: App, clock: StillClock):
    row, lease = row_of(store, app, clock), clock.now()
    await store.calls.write([row], 4, lease)
    assert await told(store) == []
    answered = replace(row, answered_at=clock.advance(5))
    for _ in range(2):
        await store.calls.write([answered], 4, lease)
    over = replace(answered, ended_at=clock.advance(10), outcome="human", ended_by="them", cause=16, sip_status=200)
    other = replace(row_of(store, app, clock, n=2), ended_at=clock.now(), outcome="busy", ended_by="network")
    for _ in range(2):
        await store.calls.write([over, other], 4, lease)

    said = await told(store)
    assert [(kind, each.get("outcome")) for kind, each in said] == [
        ("call.answered", None), ("call.ended", "human"), ("call.ended", "busy"),
    ]  # fmt: skip
    assert said[1][1] | {"attempt_id": "", "person_id": ""} == {
        "attempt_id": "", "person_id": "", "campaign_id": None, "run_id": None, "outcome": "human",
        "ended_by": "them", "cause": 16, "sip_status": 200, "ring_seconds": 5.0, "talk_seconds": 10.0,
        "conversation_id": None, "recording": "off", "recording_ids": [],
    }  # fmt: skip
    assert said[2][1]["talk_seconds"] is None


async def test_the_end_of_a_call_that_nobody_leads_is_told_too(store: Store, app: App, clock: StillClock):
    row = replace(row_of(store, app, clock), recording=Recorded.on)
    await store.calls.write([row], 4, clock.now())
    now = clock.advance(60)
    left = await store.calls.left(now, 5, 10)
    assert await store.calls.close_left(left, now, 5, now) == 1

    ((kind, said),) = await told(store)
    assert (kind, said["outcome"], said["recording"]) == ("call.ended", "uncertain", "failed")


async def test_a_recording_is_told_and_found_until_its_time_is_over(store: Store, app: App, clock: StillClock):
    row, until = row_of(store, app, clock), clock.now() + timedelta(days=1)
    kept = new_recording_id()
    for _ in range(2):
        # Whoever does not know whether it was kept keeps it again.
        await store.recordings.keep(app.no, kept, row.key, Purpose.request, b"RIFF", 1500, at=clock.now(), until=until)
    ((kind, said),) = await told(store)
    assert (kind, said["recording_id"], said["purpose"], said["seconds"]) == ("call.recorded", kept, "request", 1.5)

    page = await store.recordings.page(app.no, WantedRecordings(clock.now()), limit=5)
    assert page is not None
    assert [one.id for one in page] == [kept]
    assert await store.recordings.page(app.no, WantedRecordings(until), limit=5) == []
    assert await store.recordings.page(app.no, WantedRecordings(clock.now()), after="rc-1", limit=5) is None
    assert await store.recordings.find(app.no, kept, until) is None
    assert not await store.recordings.delete(app.no + 1, kept)
    assert await store.recordings.delete(app.no, kept)
    assert await store.recordings.find(app.no, kept, clock.now()) is None
