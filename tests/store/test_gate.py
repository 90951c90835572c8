"""The gate is at the last instant: what forbids a contact is seen by the transaction that arms it."""

import json
from dataclasses import replace

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Channel, Named
from callsheet.core.gate import Cap, Reason
from callsheet.core.retrying import Turn
from callsheet.core.run import AppSettings, OutsideHours, Run, ZoneSource
from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import (
    Node,
    StillClock,
    change_settings,
    contact,
    forbid,
    hours,
    make_app,
    make_campaign,
    make_list,
    number,
    opt_out,
    refreshed,
    start,
    start_run,
    work_of,
)


async def reasons(store: Store, run: Run) -> dict[str, str]:
    found = await store.reports.suppressions(run.app, run.no, limit=1000)
    return {record.number: record.reason for _, record in found}


async def test_a_number_on_the_campaigns_own_dnc_list_is_not_contacted(
    store: Store, app: App, clock: StillClock, node: Node
):
    dnc = await store.dnc_lists.create(app.no, "Ours", clock.now())
    other = await store.dnc_lists.create(app.no, "Not named by the campaign", clock.now())
    await forbid(store, app, dnc.no, [number(1), number(3)])
    await forbid(store, app, other.no, [number(2)])
    run = await start_run(store, app, clock, 5, dnc_lists=(Named(dnc.no, dnc.id, dnc.name),))

    intents = await node.walk_all(run)

    assert [intent.pos for intent in intents] == [0, 2, 4]
    assert await reasons(store, run) == {number(1): Reason.dnc, number(3): Reason.dnc}
    assert await store.reports.counters(app.no, run.no) == {"armed": 3, "suppressed:dnc": 2}


@pytest.mark.parametrize(
    ("channel", "dnc_for_sms", "spared"),
    [(Channel.sms, True, True), (Channel.sms, False, False), (Channel.voice, False, True)],
)
async def test_the_global_dnc_list_spares_its_people_from_texts_unless_the_app_says_no(
    store: Store, clock: StillClock, channel: Channel, dnc_for_sms: bool, spared: bool
):
    app = await make_app(store, clock, AppSettings(dnc_for_sms=dnc_for_sms))
    everywhere = await store.dnc_lists.create(app.no, "Global", clock.now(), is_global=True)
    await forbid(store, app, everywhere.no, [number(0)])
    run = await start_run(store, app, clock, 2, channel=channel)

    intents = await (await Node.enter(store, clock)).walk_all(run)

    assert [intent.pos for intent in intents] == ([1] if spared else [0, 1])


async def test_a_number_that_was_forbidden_during_the_run_is_not_armed_any_more(
    store: Store, app: App, clock: StillClock, node: Node
):
    dnc = await store.dnc_lists.create(app.no, "Ours", clock.now())
    run = await start_run(store, app, clock, 6, dnc_lists=(Named(dnc.no, dnc.id, dnc.name),))
    chunk = await node.take(run)
    assert chunk is not None
    armed = await node.arm(run, chunk, 2)
    assert armed.left is not None

    await forbid(store, app, dnc.no, [number(0), number(3)])
    await opt_out(store, app, clock, number(4))

    assert [intent.pos for intent in (await node.arm(run, armed.left)).intents] == [2, 5]
    assert await reasons(store, run) == {number(3): Reason.dnc, number(4): Reason.opted_out}


async def test_an_opt_out_counts_for_its_channel(store: Store, app: App, clock: StillClock, node: Node):
    await opt_out(store, app, clock, number(0), Channel.sms)
    await opt_out(store, app, clock, number(1), Channel.voice)
    texts = await start_run(store, app, clock, 3)
    calls = await start_run(store, app, clock, 3, channel=Channel.voice)

    assert [intent.pos for intent in await node.walk_all(texts)] == [1, 2]
    assert [intent.pos for intent in await node.walk_all(calls)] == [0, 2]


async def test_zones_without_a_common_hour_are_suppressed_so_that_the_run_can_end(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(zones=ZoneSource.number))
    people = [
        contact(store, app, number(0), candidates="America/New_York Pacific/Auckland"),
        contact(store, app, number(1), candidates="Europe/London"),
    ]
    run = await start_run(store, app, clock, people, hours=hours(start=12 * 60, end=13 * 60))
    node = await Node.enter(store, clock)

    intents = await node.walk_all(run)
    await node.record(ended=[*await store.hot.unhanded(app.no)])

    assert [intent.pos for intent in intents] == [1]
    assert await reasons(store, run) == {number(0): Reason.no_common_hour}
    assert await store.hot.complete(run)


async def test_a_closed_group_is_suppressed_where_the_app_skips_closed_hours(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(outside_hours=OutsideHours.skip))
    people = [contact(store, app, number(0)), contact(store, app, number(1), zone="Asia/Tokyo")]
    run = await start_run(store, app, clock, people, hours=hours(start=9 * 60, end=17 * 60))

    intents = await (await Node.enter(store, clock)).walk_all(run)

    assert [intent.pos for intent in intents] == [0]
    assert await reasons(store, run) == {number(1): Reason.outside_hours}


async def test_a_second_row_of_a_person_is_recorded_as_duplicate(store: Store, app: App, clock: StillClock, node: Node):
    first = await make_list(
        store, app, clock, [contact(store, app, number(i)) for i in (0, 1, 0, 2, 0)], allow_duplicates=True
    )
    second = await make_list(store, app, clock, [contact(store, app, number(i)) for i in (2, 3)])
    run = await start(store, app, clock, await make_campaign(store, app, clock, [first, second]))

    # One at a time as well as together: the first row may be in an earlier transaction, or in the same one.
    intents = await node.walk_all(run, limit=2)

    assert [intent.number for intent in intents] == [number(i) for i in (0, 1, 2, 3)]
    suppressed = await store.reports.suppressions(app.no, run.no)
    assert [(key, record.reason) for key, record in suppressed] == [
        ((first.no, 2), Reason.duplicate),
        ((first.no, 4), Reason.duplicate),
        ((second.no, 0), Reason.duplicate),
    ]
    assert await store.reports.counters(app.no, run.no) == {"armed": 4, "suppressed:duplicate": 3}


async def test_a_duplicate_in_another_run_is_none(store: Store, app: App, clock: StillClock, node: Node):
    for _ in range(2):
        assert len(await node.walk_all(await start_run(store, app, clock, 3))) == 3


async def test_a_cap_defers_to_the_instant_when_it_ends(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(cap=Cap(attempts=1, hours=24)))
    node = await Node.enter(store, clock)
    first = await start_run(store, app, clock, 2)
    assert len(await node.walk_all(first)) == 2
    reached_at = clock.now()
    clock.advance(hours=2)

    second = await start_run(store, app, clock, 3)
    assert [intent.pos for intent in await node.walk_all(second)] == [2]

    ends_at = reached_at.replace(day=3)
    (waiting,) = await store.reports.waiting(app.no, second.no)
    assert (waiting.reason, waiting.contacts, waiting.earliest_at) == (Reason.cap, 2, ends_at)
    assert (await work_of(store, second)).due == {Turn.fresh: ends_at}
    assert not (await node.arm_again(second, Turn.fresh)).intents
    clock.set(ends_at)
    again = await node.arm_again(second, Turn.fresh)
    assert [(intent.number, intent.n, intent.used) for intent in again.intents] == [
        (number(0), 1, 1),
        (number(1), 1, 1),
    ]
    assert await store.reports.waiting(app.no, second.no) == []


async def test_a_cap_counts_each_channel_for_itself_and_no_refused_try(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(cap=Cap(attempts=1, hours=24)))
    node = await Node.enter(store, clock)
    texts = await start_run(store, app, clock, 2)
    intents = await node.walk_all(texts)
    await node.tell(intents[:1], Kind.refused)
    await node.tell(intents[1:], Kind.accepted)

    calls = await start_run(store, app, clock, 2, channel=Channel.voice)
    assert len(await node.walk_all(calls)) == 2
    more = await start_run(store, app, clock, 2)
    assert [intent.number for intent in await node.walk_all(more)] == [number(0)]


async def test_a_prohibition_goes_before_waiting(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(cap=Cap(attempts=1, hours=24)))
    node = await Node.enter(store, clock)
    await node.walk_all(await start_run(store, app, clock, 2))
    await opt_out(store, app, clock, number(0))

    second = await start_run(store, app, clock, 2)
    assert await node.walk_all(second) == []

    assert await reasons(store, second) == {number(0): Reason.opted_out}
    assert [waiting.contacts for waiting in await store.reports.waiting(app.no, second.no)] == [1]


async def test_contacts_that_come_again_pass_the_same_gate(store: Store, clock: StillClock):
    app = await make_app(store, clock, AppSettings(cap=Cap(attempts=1, hours=1)))
    node = await Node.enter(store, clock)
    await node.walk_all(await start_run(store, app, clock, 4))
    dnc = await store.dnc_lists.create(app.no, "Ours", clock.now())
    open_hours = hours(start=8 * 60, end=13 * 60)
    second = await start_run(store, app, clock, 4, dnc_lists=(Named(dnc.no, dnc.id, dnc.name),), hours=open_hours)
    assert await node.walk_all(second) == []

    await forbid(store, app, dnc.no, [number(1)])
    clock.advance(hours=1)
    closed = await node.arm_again(second, Turn.fresh)
    assert not closed.intents
    assert await reasons(store, second) == {number(1): Reason.dnc}
    (waiting,) = await store.reports.waiting(app.no, second.no)
    opens_at = clock.now().replace(day=3, hour=8)
    assert (waiting.reason, waiting.contacts, waiting.earliest_at) == (Reason.outside_hours, 3, opens_at)

    clock.set(opens_at)
    await opt_out(store, app, clock, number(2))
    assert [intent.number for intent in (await node.arm_again(second, Turn.fresh)).intents] == [number(0), number(3)]
    assert await reasons(store, second) == {number(1): Reason.dnc, number(2): Reason.opted_out}


async def test_the_settings_of_now_rule_a_run_that_began_before(store: Store, app: App, clock: StillClock, node: Node):
    everywhere = await store.dnc_lists.create(app.no, "Global", clock.now(), is_global=True)
    await forbid(store, app, everywhere.no, [number(0)])
    run = await start_run(store, app, clock, 2)

    await change_settings(store, app, replace(app.settings, dnc_for_sms=False))

    assert [intent.pos for intent in await node.walk_all(await refreshed(store, run))] == [0, 1]


async def test_any_column_reaches_the_message_as_it_was_imported(store: Store, app: App, clock: StillClock, node: Node):
    columns = {"Order No.": "0042", "note": 'say "hi"\n\u00e9\u4e2d', "empty": ""}
    run = await start_run(store, app, clock, [contact(store, app, number(0), attributes=json.dumps(columns))])

    (intent,) = await node.walk_all(run)

    assert intent.attributes == columns
