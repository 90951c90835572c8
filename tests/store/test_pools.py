"""Arming gives each contact of a pool its sender, writes it down, and puts off whom a limit meets."""

from dataclasses import replace
from itertools import pairwise

import pytest

from callsheet.core.allowance import Allowance, Bucket
from callsheet.core.errors import InUse
from callsheet.core.gate import Reason
from callsheet.core.pools import Pool, choose
from callsheet.core.rooms import Rooms
from callsheet.core.run import Run
from databases import rows
from factories import SENDER, make_campaign, make_list, start


async def make_pool(store, app, clock, *labels):
    members = [await store.apps.find_sender(app.no, label, clock.now()) for label in labels]
    pool = await store.apps.find_sender(app.no, "Pool", clock.now())
    await store.senders.change(app.no, pool.id, {"pool": Pool(tuple(one.no for one in members))}, clock.now())
    return members


def with_rooms(store, run: Run, room: dict[Bucket, float], window: int = 1000) -> Run:
    lines = {sender.trunk_no: window for sender in run.senders}
    rooms = Rooms(
        {sender.no: sender for sender in run.senders}, room, {}, {}, is_pool=True, lines=lines, broken=(),
        fail_over=False, segments_guess=1, number_of=store.vault.app(run.app).open_number,
    )  # fmt: skip
    return replace(run, rooms=rooms)


async def begin(store, app, clock, people) -> Run:
    campaign = await make_campaign(store, app, clock, [people], sender="Pool")
    return await start(store, app, clock, campaign, one_run_per_list=False)


async def test_each_contact_has_its_sender_and_keeps_it(store, app, clock, node):
    members = await make_pool(store, app, clock, "+12125550111", "+12125550112")
    people = await make_list(store, app, clock, 20)
    first = await begin(store, app, clock, people)
    assert [one.no for one in first.senders] == [one.no for one in members]
    assert all(one.trunk_id for one in first.senders)

    chunk = await node.take(first)
    armed = await node.arm(with_rooms(store, first, {}), chunk)
    written = {row.person: row.sender_no for row in await rows(store, "select person, sender_no from attempt")}

    assert len(armed.intents) == len(written) == 20
    assert {one.person: one.sender_no for one in armed.intents} == {bytes(p): no for p, no in written.items()}
    assert all(no == choose([one.no for one in members], bytes(person)) for person, no in written.items())

    # Another member comes, and the second run asks whom they know.
    await make_pool(store, app, clock, "+12125550111", "+12125550112", "+12125550113")
    second = await begin(store, app, clock, people)
    again = await node.arm(with_rooms(store, second, {}), await node.take(second))
    assert {one.person: one.sender_no for one in again.intents} == {one.person: one.sender_no for one in armed.intents}


async def test_an_attempt_and_a_history_name_the_sender_that_spoke(store, app, clock, node):
    members = await make_pool(store, app, clock, "+12125550111", "+12125550112")
    people = await make_list(store, app, clock, 10)
    pooled = await begin(store, app, clock, people)
    armed = await node.arm(with_rooms(store, pooled, {}), await node.take(pooled))
    alone = await start(store, app, clock, await make_campaign(store, app, clock, [people]), one_run_per_list=False)
    await node.walk_all(alone)

    labels = {one.no: one.label for one in members}
    given = {intent.person: labels[intent.sender_no] for intent in armed.intents}
    shown = {one.person: one.sender for one in await store.reports.attempts(app.no, pooled.no)}
    assert shown == given
    assert {one.sender for one in await store.reports.attempts(app.no, alone.no)} == {SENDER}
    for person, label in given.items():
        history = await store.histories.of(app.no, person, before=None, limit=10)
        assert sorted(entry.sender for entry in history.entries) == sorted([SENDER, label])


async def test_whom_a_limit_or_a_full_line_meets_waits_and_uses_nothing(store, app, clock, node):
    (member,) = await make_pool(store, app, clock, "+12125550111")
    await store.senders.change(app.no, member.id, {"allowance": Allowance(segments_per_second=2)}, clock.now())
    people = await make_list(store, app, clock, 5)
    run = await begin(store, app, clock, people)
    (bucket,) = run.senders[0].buckets

    armed = await node.arm(with_rooms(store, run, {bucket: 2}), await node.take(run))
    waiting = await rows(store, "select reason, due, used from retry order by due")

    assert len(armed.intents) == 2
    assert [(row.reason, row.used) for row in waiting] == [(Reason.carrier_rate, 0)] * 3
    assert [later.due - earlier.due for earlier, later in pairwise(waiting)] == [500_000] * 2


async def test_a_member_of_a_pool_is_not_deleted(store, app, clock):
    (member,) = await make_pool(store, app, clock, "+12125550111")

    with pytest.raises(InUse, match="Pool"):
        await store.senders.delete(app.no, member.id, clock.now())
    pool = await store.senders.find(app.no, label="Pool")
    assert await store.senders.delete(app.no, pool.id, clock.now())
    assert await store.senders.delete(app.no, member.id, clock.now())
