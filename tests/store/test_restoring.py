"""A backup cannot know what was done after it. What it does not know must not be taken for not having happened."""

import pytest

from callsheet.core.attempt import Happening, Kind
from callsheet.core.campaign import Campaign, Move, Status, UncertainPolicy
from callsheet.core.errors import RestoreNotAcknowledged
from callsheet.core.retrying import Turn
from callsheet.core.run import AppSettings, Restored, Run
from callsheet.store.apps import App
from callsheet.store.audit import Chain
from callsheet.store.store import Store
from databases import Place, change, rows
from factories import (
    Node,
    StillClock,
    contact,
    happening,
    make_app,
    make_campaign,
    make_list,
    number,
    person_of,
    refreshed,
    start,
    start_run,
)


async def restore(store: Store, clock: StillClock) -> None:
    """Do what the command does once the database is in its place, a minute after the backup."""
    backup_at = clock.now()
    clock.advance(60)
    await store.restoring.mark(backup_at, clock.now())
    await (await Node.enter(store, clock)).reap(all_arms=True)


async def campaign_of(store: Store, run: Run) -> Campaign:
    found = await store.campaigns.find(run.app, campaign_id=run.campaign_id)
    assert found is not None
    return found


async def go_on(store: Store, clock: StillClock, run: Run) -> Run:
    assert await store.restoring.acknowledge(run.app, run.no, clock.now())
    await store.campaigns.move(await campaign_of(store, run), Move.resume, clock.now())
    return await refreshed(store, run)


def heard(run: Run, store: Store, app: App, clock: StillClock, serial: int, kind: Kind, n: int = 1) -> Happening:
    return Happening(run.no, person_of(store, app, number(serial)), n, kind, clock.now())


async def counters(store: Store, run: Run) -> dict[str, int]:
    return {name: value for name, value in (await store.reports.counters(run.app, run.no)).items() if value}


async def test_what_went_on_is_paused_and_what_was_in_the_air_is_uncertain(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 6)
    chunk = await node.take(run)
    assert chunk is not None
    armed = await node.arm(run, chunk, limit=4)
    await node.record([happening(armed.intents[0], Kind.accepted, clock.now())])
    backup_at = clock.now()
    clock.advance(60)
    marked = await store.restoring.mark(backup_at, clock.now())
    await node.reap(all_arms=True)

    assert [(one.run_id, one.status) for one in marked.runs] == [(run.id, "Active")]
    now = await refreshed(store, run)
    assert (now.status, (await campaign_of(store, run)).status) == (Status.paused, Status.paused)
    assert now.restored == Restored(backup_at, clock.now(), None)
    assert await counters(store, run) == {"armed": 4, "accepted": 1, "uncertain": 3}
    assert [notice.kind for notice in await store.outbox.peek(10)][-1] == "run.paused"


async def test_nobody_resumes_it_by_any_call_before_somebody_has_acknowledged_it(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 6)
    await restore(store, clock)
    campaign = await campaign_of(store, run)

    with pytest.raises(RestoreNotAcknowledged, match=r"after 2026-03-02T12:00:00\+00:00"):
        await store.campaigns.move(campaign, Move.resume, clock.now())
    with pytest.raises(RestoreNotAcknowledged):
        await start(store, app, clock, campaign)
    assert await store.runs.active() == []

    run = await go_on(store, clock, run)
    assert len(await node.walk_all(run)) == 6
    assert not await store.restoring.acknowledge(app.no, run.no, clock.now())


async def test_a_run_that_was_paused_at_the_backup_may_have_been_resumed_since(
    store: Store, app: App, clock: StillClock
):
    run = await start_run(store, app, clock, 6)
    await store.campaigns.move(await campaign_of(store, run), Move.pause, clock.now())
    await restore(store, clock)

    with pytest.raises(RestoreNotAcknowledged):
        await store.campaigns.move(await campaign_of(store, run), Move.resume, clock.now())


async def test_one_that_had_ended_stays_so_and_one_that_is_stopped_needs_no_word(
    store: Store, app: App, clock: StillClock
):
    ended, going = await start_run(store, app, clock, 1), await start_run(store, app, clock, 1)
    await store.campaigns.move(await campaign_of(store, ended), Move.stop, clock.now())
    await restore(store, clock)
    await store.campaigns.move(await campaign_of(store, going), Move.stop, clock.now())

    assert [(await refreshed(store, run)).status for run in (ended, going)] == [Status.stopped, Status.stopped]
    assert (await refreshed(store, ended)).restored is None


async def test_a_second_restore_asks_again(store: Store, app: App, clock: StillClock):
    run = await start_run(store, app, clock, 6)
    await restore(store, clock)
    run = await go_on(store, clock, run)
    await restore(store, clock)

    with pytest.raises(RestoreNotAcknowledged):
        await store.campaigns.move(await campaign_of(store, run), Move.resume, clock.now())


async def test_whoever_is_heard_of_after_the_backup_is_quarantined_and_not_contacted_again(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 6)
    await restore(store, clock)
    told = [
        heard(run, store, app, clock, 1, Kind.delivered),
        heard(run, store, app, clock, 3, Kind.uncertain),
        heard(run, store, app, clock, 4, Kind.accepted),
    ]
    recorded = await node.record(told)

    assert recorded.unknown == 0
    assert await counters(store, run) == {
        "armed": 3, "delivered": 1, "accepted": 1, "uncertain": 1, "unmeasured": 1
    }  # fmt: skip
    run = await go_on(store, clock, run)
    assert {intent.number for intent in await node.walk_all(run)} == {number(i) for i in (0, 2, 5)}
    # They are no duplicates: each was attempted at his own place.
    assert "suppressed:duplicate" not in await counters(store, run)
    page = await store.outcomes.page(app.no, run.no, offset=0, limit=100)
    assert (page.total, len(page.contacts)) == (6, 6)
    kinds = {record.number: [event.kind for event in record.events] for record in await attempts(store, run)}
    assert kinds[number(1)] == ["delivered", "uncertain"] or kinds[number(1)] == ["uncertain", "delivered"]


async def attempts(store: Store, run: Run):
    return await store.reports.attempts(run.app, run.no)


async def test_the_same_evidence_twice_and_in_two_batches_counts_once(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 3)
    await restore(store, clock)
    one = heard(run, store, app, clock, 1, Kind.delivered)
    await node.record([one, one])
    await node.record([one])

    assert await counters(store, run) == {"armed": 1, "delivered": 1, "unmeasured": 1}
    assert await store.reports.attempts(app.no, run.no, state="uncertain") == []


async def test_a_second_try_that_is_heard_of_stands_for_the_first_and_for_what_would_come_next(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 3)
    chunk = await node.take(run)
    assert chunk is not None
    first = (await node.arm(run, chunk, limit=1)).intents
    await node.tell(first, Kind.refused)
    await restore(store, clock)
    # The person of the backup's retry was tried a third time, another one twice.
    await node.record([heard(run, store, app, clock, 0, Kind.delivered, 3)])
    await node.record([heard(run, store, app, clock, 2, Kind.delivered, 2)])
    run = await go_on(store, clock, run)
    clock.advance(hours=1)
    again = [intent for turn in Turn for intent in (await node.arm_again(run, turn)).intents]

    assert again == []
    assert {intent.number for intent in await node.walk_all(run)} == {number(1)}
    tries = {(record.number, record.n) for record in await attempts(store, run)}
    assert tries == {(number(0), n) for n in (1, 2, 3)} | {(number(2), n) for n in (1, 2)} | {(number(1), 1)}


async def test_a_person_of_two_lists_is_quarantined_once_and_a_duplicate_at_the_other_place(
    store: Store, app: App, clock: StillClock, node: Node
):
    lists = [await make_list(store, app, clock, 2), await make_list(store, app, clock, 3)]
    run = await start(store, app, clock, await make_campaign(store, app, clock, lists))
    await restore(store, clock)
    await node.record([heard(run, store, app, clock, 0, Kind.delivered)])
    run = await go_on(store, clock, run)

    assert {intent.number for intent in await node.walk_all(run)} == {number(1), number(2)}
    assert (await counters(store, run))["suppressed:duplicate"] == 2


async def test_strangers_of_other_runs_and_people_of_no_list_stay_unknown(
    store: Store, app: App, clock: StillClock, node: Node
):
    restored = await start_run(store, app, clock, 2)
    await restore(store, clock)
    usual = await start_run(store, app, clock, [contact(store, app, number(50))])
    told = [
        heard(usual, store, app, clock, 50, Kind.delivered),
        heard(restored, store, app, clock, 99, Kind.delivered),
        heard(restored, store, app, clock, 0, Kind.delivered, 0),
    ]
    recorded = await node.record(told)

    assert (recorded.events, recorded.unknown) == (0, 3)
    assert await attempts(store, usual) == await attempts(store, restored) == []


async def test_evidence_is_of_its_own_tenant(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 2)
    other = await make_app(store, clock, name="Other")
    await restore(store, clock)
    stranger = Happening(run.no, person_of(store, other, number(0)), 1, Kind.delivered, clock.now())

    assert (await node.record([stranger])).unknown == 1


async def test_at_least_once_repeats_what_was_in_the_air_but_nobody_of_whom_a_receipt_came(
    store: Store, clock: StillClock
):
    app = await make_app(store, clock, AppSettings(uncertain_policy=UncertainPolicy.at_least_once))
    node = await Node.enter(store, clock)
    run = await start_run(store, app, clock, 3)
    chunk = await node.take(run)
    assert chunk is not None
    await node.arm(run, chunk, limit=1)
    await restore(store, clock)
    await node.record([heard(run, store, app, clock, 1, Kind.delivered)])
    run = await go_on(store, clock, run)
    clock.advance(hours=1)

    assert [intent.number for intent in (await node.arm_again(run, Turn.first)).intents] == [number(0)]
    assert {intent.number for intent in await node.walk_all(run)} == {number(2)}


async def test_a_run_that_is_not_its_campaigns_latest_is_moved_for_itself(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 3)
    # As single messages are: each is a run of one campaign.
    await change(store, "update campaign set run_no = 0")
    await restore(store, clock)
    assert (await refreshed(store, run)).status is Status.paused

    assert await store.restoring.acknowledge(app.no, run.no, clock.now(), Status.active)
    assert len(await node.walk_all(await refreshed(store, run))) == 3


async def test_the_audit_log_says_from_when_on_lines_are_missing(store: Store, app: App, clock: StillClock):
    backup_at = clock.now()
    await restore(store, clock)
    (line,) = await store.audit.lines(Chain(app=app.no), before=None, limit=10)

    assert (line.line.deed.action, line.line.deed.details) == (
        "store.restored",
        {"backup_at": backup_at.isoformat()},
    )
    assert (await store.audit.verify(Chain(app=app.no))).first_broken is None


async def test_numbers_of_runs_that_the_lost_store_gave_are_not_given_again(
    place: Place, store: Store, app: App, clock: StillClock
):
    run = await start_run(store, app, clock, 1)
    await restore(store, clock)
    following = await start_run(store, app, clock, [contact(store, app, number(7))])
    clock.advance(5)
    await restore(store, clock)
    last = await start_run(store, app, clock, [contact(store, app, number(8))])

    millis = int(clock.now().timestamp() * 1000)
    assert run.no < 1000 < following.no < last.no
    assert last.no >= millis
    assert await rows(store, "select count(*) from run") == [(3,)]
