"""What a user reads adds up: every contact is in exactly one place at every moment."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from callsheet.core.attempt import NOT_TAKEN, PENDING, Intent, Kind
from callsheet.core.campaign import Named, Order, Status, UncertainPolicy
from callsheet.core.gate import Cap
from callsheet.core.ids import decode_attempt
from callsheet.core.retrying import Turn
from callsheet.core.run import AppSettings, Run
from callsheet.core.walk import Chunk
from callsheet.store.apps import App
from callsheet.store.lists import contact_id
from callsheet.store.reports import AttemptRecord
from callsheet.store.store import Store
from callsheet.store.tallies import Step
from databases import rows
from factories import (
    LEASE_SECONDS,
    Node,
    StillClock,
    contact,
    forbid,
    hours,
    make_app,
    make_campaign,
    make_list,
    number,
    opt_out,
    start,
    start_run,
    work_of,
)


async def test_pages_of_attempts_show_everyone_once(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 23)
    await node.tell((await node.walk_all(run))[:9], Kind.refused)
    clock.advance(1)
    await node.arm_again(run, Turn.first)

    seen, after = [], None
    while page := await store.reports.attempts(app.no, run.no, after=after, limit=5):
        assert len(page) <= 5
        seen += page
        after = page[-1].person, page[-1].n

    assert len(seen) == 32
    assert len({attempt.id for attempt in seen}) == 32
    assert {attempt.number for attempt in seen} == {number(i) for i in range(23)}
    for attempt in seen:
        key = decode_attempt(attempt.id)
        assert key == (run.no, attempt.person, attempt.n)


async def test_pages_of_doubts_show_each_once(store: Store, app: App, clock: StillClock, node: Node):
    run = await start_run(store, app, clock, 20)
    intents = await node.walk_all(run)
    await node.tell(intents[:11], Kind.uncertain)
    await node.tell(intents[11:], Kind.delivered)

    seen, after = [], None
    while page := await store.reports.attempts(app.no, run.no, after=after, limit=4, state="uncertain"):
        seen += page
        after = page[-1].person, page[-1].n

    assert len(seen) == len({attempt.id for attempt in seen}) == 11
    assert {attempt.state for attempt in seen} == {Kind.uncertain}


async def test_each_attempt_is_listed_under_its_present_state_alone(
    store: Store, app: App, clock: StillClock, node: Node
):
    run = await start_run(store, app, clock, 24)
    intents = await node.walk_all(run)
    for place, kind in enumerate(Kind):
        await node.tell(intents[3 * place : 3 * place + 3], kind)
    for later in (Kind.accepted, Kind.uncertain):
        # One more event: some go on, some stay, and whoever was uncertain is not any more.
        await node.tell(intents[0:1] + intents[20:21], later)

    reports, listed = store.reports, {}
    for state in (PENDING, *Kind):
        listed[state], after = [], None
        while page := await reports.attempts(app.no, run.no, after=after, limit=2, state=state):
            listed[state] += page
            after = page[-1].person, page[-1].n

    assert [{attempt.state for attempt in found} for found in listed.values()] == [{state} for state in listed]
    assert sorted(one.id for found in listed.values() for one in found) == sorted(
        one.id for one in await reports.attempts(app.no, run.no)
    )


async def test_pages_of_suppressions_show_each_once_with_its_reason(
    store: Store, app: App, clock: StillClock, node: Node
):
    dnc = await store.dnc_lists.create(app.no, "Ours", clock.now())
    await forbid(store, app, dnc.no, [number(i) for i in range(0, 30, 2)])
    first = await make_list(store, app, clock, [contact(store, app, number(i)) for i in range(20)])
    second = await make_list(store, app, clock, [contact(store, app, number(i)) for i in range(15, 30)])
    campaign = await make_campaign(store, app, clock, [second, first], dnc_lists=(Named(dnc.no, dnc.id, dnc.name),))
    run = await start(store, app, clock, campaign)
    await node.walk_all(run)

    seen, after = [], None
    while page := await store.reports.suppressions(app.no, run.no, after=after, limit=4):
        seen += page
        after = page[-1][0]

    keys = [key for key, _ in seen]
    assert keys == sorted(set(keys))
    reasons = {record.contact_id: (record.number, record.reason) for _, record in seen}
    assert len(reasons) == 20
    assert reasons[contact_id(first.no, 17)] == (number(17), "duplicate")
    assert reasons[contact_id(second.no, 1)] == (number(16), "dnc")


async def test_what_is_left_is_told_by_group(store: Store, app: App, clock: StillClock, node: Node):
    zones = ["", "Asia/Kolkata", ""]
    people = [contact(store, app, number(i), zone=zones[i % 3], priority=i % 2) for i in range(30)]
    run = await start_run(store, app, clock, people)

    async def left() -> dict[tuple[str | None, int], int]:
        found = await store.reports.left(app.no, run.no)
        return {(one.group.own_zone, one.group.priority): one.contacts for one in found}

    assert await left() == {(None, 0): 10, (None, 1): 10, ("Asia/Kolkata", 0): 5, ("Asia/Kolkata", 1): 5}
    chunk = await node.take(run, size=7)
    assert chunk is not None
    assert sum((await left()).values()) == 30
    await node.arm(run, chunk, 4)
    assert sum((await left()).values()) == 26
    await node.walk_all(run)
    # The last of the chunk of five, which a node still holds.
    assert await left() == {("Asia/Kolkata", 1): 1}
    await store.hot.release(node.no)
    await node.walk_all(run)
    assert await left() == {}


async def test_a_run_nobody_knows_has_nothing_to_report(store: Store, app: App):
    assert await store.reports.counters(app.no, 404) == {}
    assert await store.reports.left(app.no, 404) == []
    assert await store.reports.waiting(app.no, 404) == []
    assert await store.reports.attempts(app.no, 404) == []
    assert await store.reports.suppressions(app.no, 404) == []
    assert await store.reports.in_flight(app.no, 404) == 0


class Stroll:
    """Goes on at random: take, arm, lose, record, retry, reap, grow, forbid, wait; and counts after each step."""

    def __init__(self, store: Store, app: App, clock: StillClock, run: Run, dice: random.Random) -> None:
        self.store, self.app, self.clock, self.run, self.dice = store, app, clock, run, dice
        self.nodes: list[Node] = []
        self.chunks: list[tuple[Node, Chunk]] = []
        self.pending: list[tuple[Node, Intent]] = []
        self.told: list[tuple[Node, Intent]] = []
        self.next_serial = 1000

    async def step(self) -> None:
        moves = [self.take, self.arm, self.arm, self.arm, self.tell, self.tell, self.tell_late, self.again, self.again]
        moves += [self.reap, self.release, self.grow, self.forbid, self.wait]
        await self.dice.choice(moves)()

    async def take(self) -> None:
        node = self.dice.choice(self.nodes)
        if chunk := await node.take(self.run, size=self.dice.randint(1, 9)):
            self.chunks.append((node, chunk))

    async def arm(self) -> None:
        if self.chunks:
            node, chunk = self.chunks.pop(self.dice.randrange(len(self.chunks)))
            armed = await node.arm(self.run, chunk, self.dice.randint(1, 5))
            self.pending += [(node, intent) for intent in armed.intents]
            if armed.left:
                self.chunks.append((node, armed.left))

    async def again(self) -> None:
        node, turn = self.dice.choice(self.nodes), self.dice.choice(list(Turn))
        armed = await node.arm_again(self.run, turn, self.dice.randint(1, 5))
        self.pending += [(node, intent) for intent in armed.intents]

    async def tell(self) -> None:
        if self.pending:
            node, intent = self.pending.pop(self.dice.randrange(len(self.pending)))
            await node.tell([intent], self.dice.choice(list(Kind)))
            self.told.append((node, intent))

    async def tell_late(self) -> None:
        if self.told:
            _, intent = self.dice.choice(self.told)
            await self.dice.choice(self.nodes).tell([intent], self.dice.choice(list(Kind)))

    async def reap(self) -> None:
        await self.dice.choice(self.nodes).reap()

    async def release(self) -> None:
        await self.store.hot.release(self.dice.choice(self.nodes).no)

    async def grow(self) -> None:
        zone = self.dice.choice(["", "Asia/Tokyo"])
        serials = [self.dice.choice([self.next_serial + i, self.dice.randrange(40)]) for i in range(3)]
        self.next_serial += 3
        people = [contact(self.store, self.app, number(i), zone=zone) for i in serials]
        await self.store.hot.append(self.app.no, self.dice.choice(self.run.lists), people)

    async def forbid(self) -> None:
        await opt_out(self.store, self.app, self.clock, number(self.dice.randrange(40)))

    async def wait(self) -> None:
        self.clock.advance(self.dice.choice([0.3, 2.0, LEASE_SECONDS, 3600.0, 6 * 3600.0]))

    async def check(self) -> None:
        """Each contact is left, waiting, suppressed or attempted; only repeats may be more than one of these."""
        run, reports = self.run, self.store.reports
        await work_of(self.store, run)
        ((size,),) = await rows(
            self.store,
            "select sum(c.size) from run_list l join contact_list c on c.no = l.list_no where l.run_no = :run",
            run=run.no,
        )
        left = sum(one.contacts for one in await reports.left(run.app, run.no))
        handled = await rows(
            self.store,
            "select list_no, pos from attempt where run_no = :run union"
            " select list_no, pos from suppression where run_no = :run union"
            " select list_no, pos from retry where run_no = :run",
            run=run.no,
        )
        assert left + len(handled) == size
        counters = await reports.counters(run.app, run.no)
        first = await rows(self.store, "select count(*) from attempt where run_no = :run and n = 1", run=run.no)
        fresh_waiting = await rows(self.store, "select count(*) from retry where run_no = :run and n = 1", run=run.no)
        spared = await rows(
            self.store,
            "select count(*) from suppression s where run_no = :run and not exists (select 1 from attempt a"
            " where a.run_no = s.run_no and a.list_no = s.list_no and a.pos = s.pos)",
            run=run.no,
        )
        assert first[0][0] + fresh_waiting[0][0] + spared[0][0] + left == size
        ((attempts,),) = await rows(self.store, "select count(*) from attempt where run_no = :run", run=run.no)
        assert counters.get("armed", 0) == attempts
        states = {name: value for name, value in counters.items() if name in set(Kind)}
        assert min(states.values(), default=0) >= 0
        listed = await reports.attempts(run.app, run.no, limit=10_000)
        by_state = {kind: sum(1 for one in listed if one.state == kind) for kind in Kind}
        assert {kind: states.get(kind, 0) for kind in Kind} == by_state
        doubtful = await reports.attempts(run.app, run.no, limit=10_000, state="uncertain")
        assert len(doubtful) == by_state[Kind.uncertain]
        ((suppressions,),) = await rows(self.store, "select count(*) from suppression where run_no = :run", run=run.no)
        assert sum(value for name, value in counters.items() if name.startswith("suppressed:")) == suppressions
        await self.check_tallies(listed, states)
        waiting = sum(one.contacts for one in await reports.waiting(run.app, run.no))
        queued = await rows(self.store, "select distinct list_no, pos, n from retry where run_no = :run", run=run.no)
        made = await rows(self.store, "select list_no, pos, n from attempt where run_no = :run", run=run.no)
        assert waiting == len({row[:2] for row in {*map(tuple, queued)} - {*map(tuple, made)}})
        # Told as they stand now, contacts add up, however often they were tried.
        earlier = await reports.earlier(run.app, run.no)
        stand = {kind: value - earlier.get(kind, 0) for kind, value in states.items() if kind not in NOT_TAKEN}
        assert min(stand.values(), default=0) >= 0
        in_flight = attempts - sum(states.values())
        assert sum(stand.values()) + in_flight + suppressions + waiting + left == size

    async def check_tallies(self, listed: Sequence[AttemptRecord], states: Mapping[str, int]) -> None:
        """What is counted by time, by attempt and by code is what the attempts say one by one."""
        run, tallies = self.run, self.store.tallies
        happened = Counter(event.kind for one in listed for event in one.events)
        for step in Step:
            points = await tallies.timeline(run.app, run.no, step, since=None, until=None, limit=10_000)
            assert sum((Counter(point.events) for point in points), Counter()) == happened
            assert [point.at for point in points] == sorted({point.at for point in points})
        codes = await tallies.codes(run.app, run.no, list(Kind))
        assert sum((Counter({one.kind: one.attempts}) for one in codes), Counter()) == happened
        page = await self.store.outcomes.page(run.app, run.no, offset=0, limit=10_000)
        stand = Counter((one.state, one.attempts) for one in page.contacts if one.state != "suppressed")
        cells = await tallies.dispositions(run.app, run.no)
        assert {(cell.state, cell.attempts): cell.contacts for cell in cells} == stand
        now = self.clock.now()
        totals = await tallies.totals(run.app, run.campaign_no, [run.started_at - timedelta(days=1), now])
        assert {kind: totals.counters.get(kind, 0) for kind in states} == states
        assert totals.delivered[0] == states.get(Kind.delivered, 0)
        assert totals.delivered[1] == sum(
            event.kind == Kind.delivered and event.at >= now for one in listed for event in one.events
        )


@pytest.mark.parametrize(
    ("seed", "steps"), [(0, 20), (1, 20), *(pytest.param(seed, 40, marks=pytest.mark.full) for seed in range(40))]
)
async def test_contacts_are_the_armed_the_suppressed_the_waiting_and_the_left_at_every_moment(
    store: Store, clock: StillClock, seed: int, steps: int
):
    dice = random.Random(seed)
    app = await make_app(
        store,
        clock,
        AppSettings(
            uncertain_policy=dice.choice(list(UncertainPolicy)), cap=dice.choice([None, Cap(attempts=2, hours=12)])
        ),
    )
    zones = ["", "Asia/Tokyo", "America/New_York"]
    people = [contact(store, app, number(dice.randrange(40)), zone=dice.choice(zones)) for _ in range(30)]
    first = await make_list(store, app, clock, people, allow_duplicates=True)
    second = await make_list(store, app, clock, people[:10])
    campaign = await make_campaign(
        store, app, clock, [first, second], order=list(Order)[seed % 2], hours=hours(start=8 * 60, end=20 * 60)
    )
    run = await start(store, app, clock, campaign)
    stroll = Stroll(store, app, clock, run, dice)
    stroll.nodes = [await Node.enter(store, clock) for _ in range(3)]

    for _ in range(steps):
        await stroll.step()
        await stroll.check()

    # Whatever happened: it comes to an end, and nobody has two attempts that a carrier took.
    for _ in range(60):
        if await store.hot.complete(run):
            break
        clock.advance(6 * 3600)
        await stroll.reap()
        for node in stroll.nodes[:1]:
            async for _armed in node.walk(run):
                pass
            for turn in Turn:
                await node.arm_again(run, turn, 500)
    await stroll.check()
    ended = await store.runs.by_no(run.no)
    assert ended is not None
    assert ended.status == Status.completed
    assert await store.reports.left(app.no, run.no) == []
