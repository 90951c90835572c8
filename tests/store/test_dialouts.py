"""Single calls on both databases: what is told of them follows from what is recorded, each thing once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from callsheet.core.attempt import Intent, Kind
from callsheet.core.campaign import Channel, MachineDetection, Mode, Status, VoicePlan
from callsheet.core.ids import AttemptKey
from callsheet.core.instants import write_instant
from callsheet.core.run import Run
from callsheet.store.apps import App
from callsheet.store.calls import CallRow
from callsheet.store.dialouts import Asked
from callsheet.store.store import Store
from databases import change, rows
from factories import (
    SENDER,
    Node,
    StillClock,
    make_campaign,
    make_list,
    number,
    opt_out,
    person_of,
    refreshed,
    start,
    trunk_of,
    work_of,
)

URL = "https://example.com/told?token=geheim"
LEASE = timedelta(seconds=60)


async def ask(store: Store, app: App, clock: StillClock, *, url: str = URL, events: Sequence[str] | None = None) -> Run:
    """Ask for a call to `number(0)`."""
    numbers = await make_list(store, app, clock, 1, allow_duplicates=True)
    plan = VoicePlan(Mode.agentless, machine_detection=MachineDetection.detect)
    campaign = await make_campaign(store, app, clock, [], channel=Channel.voice, voice=plan)
    sender = await store.apps.find_sender(app.no, SENDER, clock.now())
    assert sender is not None
    asked = Asked("sid-1", url, {"x-token": "geheim"}, detects=True, events=events, until=clock.now() + LEASE)
    running = await store.dialouts.open(
        campaign, asked, list_no=numbers.no, person=person_of(store, app, number(0)), sender_no=sender.no,
        now=clock.now(),
    )  # fmt: skip
    return next(run for run in await store.runs.active() if run.no == running.run_no)


async def told(store: Store, clock: StillClock) -> list[str]:
    """Look, and return what is taken to be told, which is settled at once."""
    await store.dialouts.look(clock.now())
    said: list[str] = []
    while parcels := (await store.dialouts.take(clock.now(), most=10, lease_seconds=60))[0]:
        for parcel in parcels:
            assert (parcel.url, dict(parcel.headers)) == (URL, {"x-token": "geheim"})
            event = parcel.payload["status"] == "Call-In-Progress"
            said.append(str(parcel.payload["machineDetection" if event else "status"]))
            await store.dialouts.settle(parcel, is_told=True, now=clock.now())
    return said


async def dialed(store: Store, app: App, clock: StillClock, node: Node, intent: Intent) -> CallRow:
    """Write down that a call was dialed."""
    trunk = await trunk_of(store, app)
    row = CallRow(app.no, AttemptKey(intent.run_no, intent.person, intent.n), trunk.no, "node-1", clock.now())
    await store.calls.write([row], node.no, clock.now() + LEASE)
    return row


async def test_a_call_is_told_as_it_goes_on_each_thing_once(store: Store, app: App, clock: StillClock, node: Node):
    run = await ask(store, app, clock)
    assert await told(store, clock) == []
    (intent,) = await node.walk_all(run)
    row = await dialed(store, app, clock, node, intent)
    assert await told(store, clock) == []
    clock.advance(4)
    await node.tell([intent], Kind.accepted, "answered")
    assert await told(store, clock) == ["Answered"]
    await node.tell([intent], Kind.delivered, "human")
    assert await told(store, clock) == ["amd_human_detected"]
    assert await told(store, clock) == []
    at = clock.advance(9)
    over = replace(row, answered_at=at, ended_at=at, sip_status=200, outcome="human", ended_by="them")
    await store.calls.write([over], node.no, clock.now() + LEASE)
    assert await told(store, clock) == ["completed"]
    assert await told(store, clock) == []
    assert not await store.dialouts.look(clock.now())


async def test_who_opted_out_is_not_called_and_whoever_asked_is_told(
    store: Store, app: App, clock: StillClock, node: Node
):
    await opt_out(store, app, clock, number(0), Channel.voice)
    run = await ask(store, app, clock)
    assert await node.walk_all(run) == []
    assert await told(store, clock) == []
    while not await store.hot.complete(await refreshed(store, run)):
        await work_of(store, run)
    await store.dialouts.look(clock.now())
    (parcel,), _ = await store.dialouts.take(clock.now(), most=10, lease_seconds=60)
    at = write_instant(clock.now())
    assert (parcel.payload["status"], parcel.payload["reason"]) == ("Failed", "opted out")
    assert (parcel.payload["callConnectTime"], parcel.payload["callDisconnectTime"]) == (at, at)


async def test_a_call_that_nobody_can_place_is_given_up_in_time_and_never_placed_later(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await ask(store, app, clock)
    (intent,) = await node.walk_all(run)
    clock.advance(61)
    assert await told(store, clock) == [], "somebody may be about to place it"
    await node.tell([intent], Kind.refused, "trunk_failed")
    assert await told(store, clock) == []
    assert await told(store, clock) == ["Failed"]
    after = await refreshed(store, run)
    assert (after.status, await store.runs.active()) == (Status.stopped, [])


async def test_of_a_call_that_left_no_record_its_events_tell(store: Store, app: App, clock: StillClock, node: Node):
    run = await ask(store, app, clock)
    (intent,) = await node.walk_all(run)
    await node.tell([intent], Kind.undelivered, "busy")
    assert await told(store, clock) == [], "its record may be on its way"
    clock.advance(6)
    assert await told(store, clock) == ["Failed"]


async def test_what_is_not_taken_in_is_told_again_later_and_given_up_in_the_end(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await ask(store, app, clock)
    (intent,) = await node.walk_all(run)
    await dialed(store, app, clock, node, intent)
    await node.tell([intent], Kind.accepted, "answered")
    tries, is_last = 0, False
    while not is_last:
        await store.dialouts.look(clock.now())
        (parcel,), _ = await store.dialouts.take(clock.now(), most=10, lease_seconds=60)
        assert (await store.dialouts.take(clock.now(), most=10, lease_seconds=60))[0] == []
        tries = parcel.tries
        is_last = await store.dialouts.settle(parcel, is_told=False, now=clock.now())
        _, next_at = await store.dialouts.take(clock.now(), most=10, lease_seconds=60)
        assert (next_at is None) == is_last
        if next_at is not None:
            clock.set(next_at)
    assert tries == 9


async def test_what_an_overtaken_node_says_counts_for_nothing(store: Store, app: App, clock: StillClock, node: Node):
    run = await ask(store, app, clock)
    (intent,) = await node.walk_all(run)
    await dialed(store, app, clock, node, intent)
    await node.tell([intent], Kind.accepted, "answered")
    await store.dialouts.look(clock.now())
    (late,), _ = await store.dialouts.take(clock.now(), most=10, lease_seconds=60)
    clock.advance(61)
    (present,), _ = await store.dialouts.take(clock.now(), most=10, lease_seconds=60)
    await store.dialouts.settle(late, is_told=True, now=clock.now())
    assert present.tries == 2
    assert await rows(store, "select name from dialout_notice") != []


async def test_whoever_wants_to_be_told_nothing_is_told_nothing(store: Store, app: App, clock: StillClock, node: Node):
    run = await ask(store, app, clock, url="")
    (intent,) = await node.walk_all(run)
    await dialed(store, app, clock, node, intent)
    assert await told(store, clock) == []
    assert await store.dialouts.look(clock.now()), "it is watched all the same: it may have to be given up"


async def test_a_url_is_sealed_and_what_cannot_be_read_is_told_to_nobody(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await ask(store, app, clock)
    (stored,) = await rows(store, "select url_sealed, headers_sealed from dialout")
    assert b"geheim" not in stored.url_sealed + stored.headers_sealed
    await change(store, "update dialout set headers_sealed = url_sealed, url_sealed = 'x', events = '{'")
    (intent,) = await node.walk_all(run)
    await dialed(store, app, clock, node, intent)
    await node.tell([intent], Kind.accepted, "answered")
    await store.dialouts.look(clock.now())
    (parcel,), _ = await store.dialouts.take(clock.now(), most=10, lease_seconds=60)
    assert parcel.url is None


async def test_single_calls_do_not_count_as_campaigns_that_run(store: Store, app: App, clock: StillClock):
    await ask(store, app, clock)
    contacts = await make_list(store, app, clock, 1)
    plan = VoicePlan(Mode.agentless)
    campaign = await make_campaign(store, app, clock, [contacts], channel=Channel.voice, voice=plan)
    run = await start(store, app, clock, campaign, most_voice_campaigns=1)
    assert run.status is Status.active


async def test_what_is_over_is_forgotten_after_a_while(store: Store, app: App, clock: StillClock, node: Node):
    run = await ask(store, app, clock)
    await store.dialouts.prune(clock.now() + timedelta(days=1))
    assert len(await rows(store, "select no from dialout")) == 1
    (intent,) = await node.walk_all(run)
    await node.tell([intent], Kind.undelivered, "busy")
    clock.advance(6)
    await told(store, clock)
    await store.dialouts.prune(clock.now() - timedelta(days=1))
    assert len(await rows(store, "select no from dialout")) == 1
    await store.dialouts.prune(clock.now() + timedelta(days=1))
    assert await rows(store, "select no from dialout") == []
