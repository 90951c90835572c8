"""Call records of a node: written in batches, kept while the store is away, and closed where nobody leads them."""

import itertools
import random
from pathlib import Path
from typing import Any

from calling import Phone, stranger_of
from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.core.outcome import Outcome
from callsheet.engine.calling import call_records
from callsheet.engine.calling.call_records import CallRecords
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.holds import Holds
from callsheet.engine.recorder import Recorder
from callsheet.store.apps import App
from callsheet.store.store import Store
from callsheet.voice.base import HungUp, Lost
from databases import rows
from engine.test_phone_talk import PAYMENT
from factories import Node, StillClock


async def called(store: Store, app: App, clock: StillClock, node: Node, folder: Path, people: int) -> list[LiveCall]:
    return await Phone(store, app, clock, folder).calls(node, PAYMENT, [{}] * people)


def records_of(store: Store, clock: Clock, node_no: int) -> CallRecords:
    recorder = Recorder(store.hot, Holds(), clock, random.Random(1), Failpoints(), node_no=node_no)
    return CallRecords(store, recorder, clock, node_no=node_no)


async def stored(store: Store) -> list[Any]:
    return list(await rows(store, "select * from call order by dialed_at, person"))


async def test_a_call_is_written_as_its_timeline_and_its_end_tell(
    store: Store, app: App, clock: StillClock, node: Node, tmp_path: Path
):
    (live,) = await called(store, app, clock, node, tmp_path, 1)
    records = records_of(store, clock, node.no)
    records.dialed(live)
    await records._flush()
    (row,) = await stored(store)
    assert (row.node, row.node_no, row.ended_at) == ("node-1", node.no, 0)

    shown = await store.told_calls.find(app.no, live.key, clock.now())
    assert shown is not None
    assert [each["what"] for each in shown[1]] == ["dialed"], "what is known so far is shown while it goes on"

    live.note(clock.advance(2), "ringing")
    live.note(clock.advance(3), "answered")
    live.note(clock.advance(1), "detected", verdict="human")
    stranger_of(live).over(HungUp(clock.advance(10), 16, 200))
    await live.hear()
    records.ended(live, Outcome.human)
    await records._flush()
    (row,) = await stored(store)
    times = [(at - row.dialed_at) / 1e6 for at in (row.rang_at, row.answered_at, row.ended_at)]
    assert times == [2, 5, 16]
    assert (row.cause, row.sip_status, row.outcome, row.ended_by) == (16, 200, "human", "them")
    assert row.detection == '{"verdict":"human"}'


async def test_who_ended_a_call_is_said(store: Store, app: App, clock: StillClock, node: Node, tmp_path: Path):
    lives = await called(store, app, clock, node, tmp_path, 4)
    records = records_of(store, clock, node.no)
    ends = [HungUp(clock.now(), 16, 200, by_us=True), HungUp(clock.now(), 17, 486), Lost(clock.now(), "It died.")]
    for live, end in zip(lives, ends, strict=False):
        stranger_of(live).over(end)
        await live.hear()
    for live in lives:
        records.ended(live, Outcome.uncertain)
    await records._flush()

    told = {row.person: row.ended_by for row in await stored(store)}
    assert [told[live.key.person] for live in lives] == ["us", "network", "network", ""]


async def test_while_the_store_is_away_records_wait_and_the_oldest_are_dropped(
    store: Store, app: App, clock: StillClock, node: Node, tmp_path: Path, monkeypatch: Any
):
    lives = await called(store, app, clock, node, tmp_path, 4)
    records, write = records_of(store, clock, node.no), store.calls.write
    monkeypatch.setattr(call_records, "MOST_KEPT", 3)
    for live in lives:
        records.dialed(live)
    tries = []

    async def away(*args: Any) -> None:
        tries.append(len(args[0]))
        if len(tries) < 3:
            raise Unavailable
        records.stop()
        await write(*args)

    store.calls.write = away  # type: ignore[method-assign]
    await records.run()

    assert tries[:3] == [3, 3, 3]
    assert {row.person for row in await stored(store)} == {live.key.person for live in lives[1:]}


async def test_a_record_that_changes_while_it_is_written_is_written_again(
    store: Store, app: App, clock: StillClock, node: Node, tmp_path: Path
):
    (live,) = await called(store, app, clock, node, tmp_path, 1)
    records, write = records_of(store, clock, node.no), store.calls.write
    records.dialed(live)

    async def late(*args: Any) -> None:
        store.calls.write = write  # type: ignore[method-assign]
        records.ended(live, Outcome.lost)
        await write(*args)

    store.calls.write = late  # type: ignore[method-assign]
    await records._flush()
    (row,) = await stored(store)
    assert row.outcome == "lost"


async def test_what_a_dead_node_led_is_closed_by_another_one(
    store: Store, app: App, clock: StillClock, node: Node, tmp_path: Path
):
    (live,) = await called(store, app, clock, node, tmp_path, 1)
    dead, other = records_of(store, clock, node.no), records_of(store, clock, node.no + 1)
    dead.dialed(live)
    await dead._flush()
    await other.look()
    assert [row.outcome for row in await stored(store)] == [""]
    clock.advance(call_records.LEASE_SECONDS)
    await other.look()
    assert [row.outcome for row in await stored(store)] == ["human"]
    assert [row.ending for row in await rows(store, "select ending from flow_session")] == ["hung_up"]


async def test_leases_are_renewed_although_there_is_always_more_to_write(
    store: Store, app: App, clock: StillClock, node: Node, tmp_path: Path
):
    (live,) = await called(store, app, clock, node, tmp_path, 1)
    records, write, renew = records_of(store, clock, node.no), store.calls.write, store.calls.renew
    written, renewed = [], []

    async def more(*args: Any) -> None:
        await write(*args)
        written.append(clock.advance(2))
        if len(written) == 60:
            records.stop()
        else:
            records.dialed(live)

    async def told(*args: Any) -> None:
        await renew(*args)
        renewed.append(clock.monotonic())

    store.calls.write, store.calls.renew = more, told  # type: ignore[method-assign]
    records.dialed(live)
    await records.run()

    gaps = [later - earlier for earlier, later in itertools.pairwise([0.0, *renewed, clock.monotonic()])]
    assert max(gaps) < call_records.LEASE_SECONDS / 2


async def test_a_record_that_cannot_be_written_holds_up_no_other_and_its_call_is_over(
    store: Store, app: App, clock: StillClock, node: Node, tmp_path: Path
):
    lives = await called(store, app, clock, node, tmp_path, 3)
    records, write, bad = records_of(store, clock, node.no), store.calls.write, lives[1].key
    for live in lives:
        records.ended(live, Outcome.human)

    async def choosy(rows: Any, *args: Any) -> None:
        if any(row.key == bad and row.timeline for row in rows):
            raise ValueError
        await write(rows, *args)

    lives[1].note(clock.now(), "answered")
    records.ended(lives[1], Outcome.human)
    store.calls.write = choosy  # type: ignore[method-assign]
    await records._flush()

    assert [row.outcome for row in await stored(store)] == ["human"] * 3
    assert all(row.ended_at for row in await stored(store))


async def test_of_too_many_records_those_of_calls_that_go_on_are_dropped_first(
    store: Store, app: App, clock: StillClock, node: Node, tmp_path: Path, monkeypatch: Any
):
    lives = await called(store, app, clock, node, tmp_path, 3)
    records = records_of(store, clock, node.no)
    monkeypatch.setattr(call_records, "MOST_KEPT", 2)
    records.ended(lives[0], Outcome.human)
    records.dialed(lives[1])
    records.ended(lives[2], Outcome.human)
    await records._flush()

    assert {row.person for row in await stored(store)} == {lives[0].key.person, lives[2].key.person}


async def test_a_conversation_of_which_no_call_was_written_ends_in_the_process_after(
    store: Store, app: App, clock: StillClock, node: Node, tmp_path: Path
):
    await called(store, app, clock, node, tmp_path, 1)
    next_one = records_of(store, clock, node.no)
    await next_one.look()
    assert [row.ending for row in await rows(store, "select ending from flow_session")] == [""], "too young"

    clock.advance(call_records.ORPHANED.total_seconds() + 1)
    await next_one.look()

    assert [row.ending for row in await rows(store, "select ending from flow_session")] == ["hung_up"]
