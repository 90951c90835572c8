"""Two nodes, and more, on one PostgreSQL: whatever they do at the same moment comes out as if one had been first.

Each node is a store of its own with connections of its own, as in two programs. Rounds are many and small, with a
random head start for one side or the other, because a race that is lost once in a thousand is lost.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Collection, Iterable
from typing import TypeVar

import pytest

from callsheet.core.attempt import Happening, Intent, Kind, fold
from callsheet.core.campaign import Move, Named
from callsheet.core.gate import Cap, Reason
from callsheet.core.run import AppSettings, Run
from callsheet.core.walk import Chunk
from callsheet.store.apps import App
from callsheet.store.protocol import ArmKey
from callsheet.store.recording import UNMEASURED
from callsheet.store.store import Store
from databases import rows
from factories import (
    LEASE_SECONDS,
    Node,
    StillClock,
    arms_of,
    change_settings,
    contact,
    forbid,
    happening,
    make_campaign,
    make_list,
    number,
    opt_out,
    start,
    start_run,
    work_of,
)

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")

REASONS = {"dnc": Reason.dnc, "opt_out": Reason.opted_out}
ROUNDS = [50, pytest.param(2000, marks=pytest.mark.full)]
MOST_IN_A_ROW = 10
FEW_ROUNDS = [15, pytest.param(300, marks=pytest.mark.full)]


@pytest.fixture
def database() -> str:
    """Run on PostgreSQL only: on SQLite there is one node."""
    return "postgres"


@pytest.fixture
def dice() -> random.Random:
    return random.Random(20261121)


class Race:
    """Runs two sides at once, again and again, and gives whoever lost the last time a longer head start.

    So the rounds stay close to the moment when either may win, however fast the machine is. Who loses on and on gets
    ever more: a side that is slow, as the machine is, has its turn all the same.
    """

    def __init__(self, dice: random.Random) -> None:
        self.wins: Counter[bool] = Counter()
        self._dice = dice
        self._lead_seconds = 0.0
        self._won_last = False
        self._in_a_row = 0

    async def run(self, one: Awaitable[A], other: Awaitable[B]) -> tuple[A, B]:
        return await asyncio.gather(self._later(one, self._lead_seconds), self._later(other, -self._lead_seconds))

    def won(self, by_one: bool) -> None:
        self.wins[by_one] += 1
        self._in_a_row = min(self._in_a_row + 1, MOST_IN_A_ROW) if by_one is self._won_last else 0
        self._won_last = by_one
        self._lead_seconds += self._dice.random() * 2**self._in_a_row / (1000 if by_one else -1000)

    async def _later(self, side: Awaitable[T], seconds: float) -> T:
        if seconds > 0:
            await asyncio.sleep(seconds)
        return await side


async def state_of(store: Store, run: Run) -> dict[str, int]:
    """Return the counters that are not zero, without how many were armed, and how many have unknown segments."""
    counters = await store.reports.counters(run.app, run.no)
    return {name: value for name, value in counters.items() if value and name not in ("armed", UNMEASURED)}


# --- taking -----------------------------------------------------------------------------------------------------------


async def test_nodes_that_take_at_once_cut_no_position_twice_and_keep_the_order(
    store: Store, app: App, clock: StillClock, node: Node, other: Node
):
    run = await start_run(store, app, clock, 300)
    answered: list[Chunk] = []

    async def walk(walker: Node) -> None:
        groups = (await work_of(walker.store, run)).groups
        before = len(answered)
        while chunk := await walker.take(run, groups, size=3):
            # What was answered before it was asked for lies before it; of the rest each other has one on its way.
            assert before <= chunk.lo // 3 <= len(answered) + 3
            answered.append(chunk)
            before = len(answered)

    await asyncio.gather(*(walk(walker) for walker in (node, other, node, other)))

    cut = [pos for chunk in answered for pos in range(chunk.lo, chunk.hi + 1)]
    assert sorted(cut) == list(range(300))


async def test_a_chunk_whose_lease_ran_out_is_taken_by_one_node_only(
    store: Store, app: App, clock: StillClock, node: Node, other: Node
):
    run = await start_run(store, app, clock, 40)
    groups = (await work_of(store, run)).groups
    lost = [await node.take(run, groups, size=4) for _ in range(10)]
    clock.advance(LEASE_SECONDS + 1)

    taken = await asyncio.gather(*(walker.take(run, groups, size=4) for walker in (node, other) * 8))

    again = [chunk for chunk in taken if chunk is not None]
    assert sorted(chunk.first for chunk in again) == sorted(chunk.first for chunk in lost if chunk)
    assert {chunk.epoch for chunk in again} == {2}


async def test_a_node_that_lost_its_chunk_arms_nobody_of_it(
    store: Store, app: App, clock: StillClock, node: Node, other: Node
):
    run = await start_run(store, app, clock, 60)
    groups = (await work_of(store, run)).groups
    armed: list[Intent] = []

    async def use(walker: Node, chunk: Chunk | None) -> None:
        while chunk is not None:
            one = await walker.arm(run, chunk, 1)
            armed.extend(one.intents)
            chunk = one.left

    async def overtake() -> None:
        await use(other, await other.take(run, groups, size=6))

    for _ in range(10):
        mine = await node.take(run, groups, size=6)
        clock.advance(LEASE_SECONDS + 1)
        await asyncio.gather(use(node, mine), overtake())
        clock.advance(LEASE_SECONDS + 1)
    armed.extend(await other.walk_all(run))

    assert Counter(intent.pos for intent in armed) == Counter(range(60))


async def test_imports_that_add_columns_at_once_lose_none(store: Store, app: App, clock: StillClock, other: Node):
    contact_list = await make_list(store, app, clock)

    await asyncio.gather(
        *(
            one.lists.add_columns(app.no, contact_list.no, ["phone", f"column_{i}_{j}"])
            for j, one in enumerate((store, other.store))
            for i in range(20)
        )
    )

    found = await store.lists.find(app.no, list_id=contact_list.id)
    assert found is not None
    assert sorted(found.columns) == sorted(["phone", *(f"column_{i}_{j}" for i in range(20) for j in range(2))])


# --- arming -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 7, 50])
async def test_nodes_that_arm_at_once_arm_everybody_once(
    store: Store, app: App, clock: StillClock, node: Node, other: Node, limit: int
):
    run = await start_run(store, app, clock, 200)

    armed = await asyncio.gather(*(walker.walk_all(run, 20, limit) for walker in (node, other, node, other)))

    assert sorted(intent.pos for mine in armed for intent in mine) == list(range(200))
    assert (await store.reports.counters(app.no, run.no)) == {"armed": 200}


@pytest.mark.parametrize("limit", [1, 9, 50])
async def test_a_person_of_two_lists_that_two_nodes_arm_at_once_is_attempted_once(
    store: Store, app: App, clock: StillClock, node: Node, other: Node, limit: int
):
    people = [contact(store, app, number(i)) for i in range(150)]
    # The same people in one order, in the other, and twice: so that nodes meet at the same persons, and head on.
    lists = [
        await make_list(store, app, clock, people),
        await make_list(store, app, clock, people[::-1]),
        await make_list(store, app, clock, [*people[75:], *people[:75], *people[:20]], allow_duplicates=True),
    ]
    run = await start(store, app, clock, await make_campaign(store, app, clock, lists))
    by_list = {group.list_no: group for group in (await work_of(store, run)).groups}

    async def walk(walker: Node, list_no: int) -> list[Intent]:
        armed: list[Intent] = []
        while chunk := await walker.take(run, [by_list[list_no]], size=50):
            left: Chunk | None = chunk
            while left is not None:
                one = await walker.arm(run, left, limit)
                armed.extend(one.intents)
                left = one.left
        return armed

    walks = zip((node, other, node), lists, strict=True)
    armed = await asyncio.gather(*(walk(walker, one.no) for walker, one in walks))

    assert Counter(intent.number for mine in armed for intent in mine) == Counter(number(i) for i in range(150))
    counters = await store.reports.counters(app.no, run.no)
    assert counters == {"armed": 150, "suppressed:duplicate": 320}
    assert await rows(store, "select count(*) from suppression where reason = 'duplicate'") == [(320,)]
    held = await rows(store, "select sum(length(members) / 18) from arm")
    assert held == [(150,)]


async def test_runs_that_arm_the_same_people_at_once_stay_below_the_cap(
    store: Store, app: App, clock: StillClock, other: Node
):
    await change_settings(store, app, AppSettings(cap=Cap(2, 24)))
    contact_list = await make_list(store, app, clock, 2000)
    runs = [
        await start(store, app, clock, await make_campaign(store, app, clock, [contact_list]), one_run_per_list=False)
        for _ in range(3)
    ]
    walkers = [other, await Node.enter(store, clock), await Node.enter(store, clock)]

    armed = await asyncio.gather(*(walker.walk_all(run) for walker, run in zip(walkers, runs, strict=True)))

    counted = Counter(intent.number for mine in armed for intent in mine)
    assert counted == {number(i): 2 for i in range(2000)}


async def test_a_contact_that_comes_again_comes_to_one_node(
    store: Store, app: App, clock: StillClock, node: Node, other: Node
):
    run = await start_run(store, app, clock, 120)
    intents = await node.walk_all(run)
    await node.tell(intents, Kind.refused)
    clock.advance(5)
    (turn,) = (await work_of(store, run)).due

    async def walk(walker: Node) -> list[Intent]:
        armed: list[Intent] = []
        while (one := await walker.arm_again(run, turn, limit=5)).seen:
            armed.extend(one.intents)
        return armed

    again = await asyncio.gather(*(walk(walker) for walker in (node, other, node, other)))

    assert sorted(intent.pos for mine in again for intent in mine) == list(range(120))
    assert {intent.n for mine in again for intent in mine} == {2}


# --- forbidding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("means", ["dnc", "opt_out"])
@pytest.mark.parametrize("rounds", ROUNDS)
async def test_whoever_is_armed_while_he_is_forbidden_is_known_to_the_call_that_forbids(
    store: Store, app: App, clock: StillClock, node: Node, other: Node, dice: random.Random, means: str, rounds: int
):
    dnc = await store.dnc_lists.create(app.no, "Ours", clock.now())
    contact_list = await make_list(store, app, clock, rounds)
    campaign = await make_campaign(store, app, clock, [contact_list], dnc_lists=(Named(dnc.no, dnc.id, dnc.name),))
    run = await start(store, app, clock, campaign)
    walk = other.walk(run, size=500, limit=1)
    race = Race(dice)

    async def prohibit(to: str) -> Collection[ArmKey]:
        if means == "dnc":
            await forbid(store, app, dnc.no, [to])
        else:
            await opt_out(store, app, clock, to)
        return await store.hot.unhanded(app.no, run.no)

    for i in range(rounds):
        armed, held = await race.run(anext(walk), prohibit(number(i)))
        keys = arms_of(other, armed.intents)
        assert keys <= set(held), "it was armed before, and the call that forbids did not learn of it"
        race.won(by_one=bool(keys))
        await other.record(ended=keys)

    assert len(race.wins) == 2, "one side won every time: that proves nothing"
    assert await state_of(store, run) == {f"suppressed:{REASONS[means]}": race.wins[False]}


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_whoever_is_armed_while_the_campaign_is_paused_is_known_to_the_pause(
    store: Store, app: App, clock: StillClock, node: Node, other: Node, dice: random.Random, rounds: int
):
    campaign = await make_campaign(store, app, clock, [await make_list(store, app, clock, rounds)])
    run = await start(store, app, clock, campaign)
    chunk = await other.take(run, size=rounds)
    race = Race(dice)

    async def pause() -> Collection[ArmKey]:
        await store.campaigns.move(campaign, Move.pause, clock.now())
        return await store.hot.unhanded(app.no, run.no)

    for _ in range(rounds):
        assert chunk is not None
        armed, held = await race.run(other.arm(run, chunk, 1), pause())
        assert arms_of(other, armed.intents) == set(held)
        assert armed.lost == (not armed.intents)
        chunk = chunk if armed.lost else armed.left
        race.won(by_one=not armed.lost)
        await other.record(ended=held)
        await store.campaigns.move(campaign, Move.resume, clock.now())

    assert len(race.wins) == 2, "one side won every time: that proves nothing"


# --- recording --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", FEW_ROUNDS)
async def test_receipts_of_one_attempt_that_two_nodes_record_at_once_are_counted_once(
    store: Store, app: App, clock: StillClock, node: Node, other: Node, dice: random.Random, rounds: int
):
    runs = [await start_run(store, app, clock, 3 * rounds) for _ in range(2)]
    intents = [intent for run in runs for intent in await node.walk_all(run, limit=500)]
    dice.shuffle(intents)
    told: dict[tuple[int, bytes], set[Kind]] = {}

    def some(mine: Iterable[Intent]) -> list[Happening]:
        """Say up to three things of each attempt, in any order, over both runs."""
        said = [
            happening(one, kind, clock.now()) for one in mine for kind in dice.sample(list(Kind), dice.randint(1, 3))
        ]
        dice.shuffle(said)
        for one in said:
            told.setdefault((one.run_no, one.person), set()).add(one.kind)
        return said

    # Few at a time: with many, both would say the same of one, and the conflict would put them in order.
    for i in range(0, len(intents), 3):
        mine = intents[i : i + 3]
        await asyncio.gather(*(walker.record(some(mine)) for walker in (node, other)))

    for run in runs:
        states = Counter(fold(kinds) for (run_no, _), kinds in told.items() if run_no == run.no)
        assert await state_of(store, run) == dict(states)
    assert await rows(store, "select count(*) from event") == [(sum(map(len, told.values())),)]
    doubtful = sum(fold(kinds) == Kind.uncertain for kinds in told.values())
    assert await rows(store, "select count(*) from uncertain") == [(doubtful,)]


@pytest.mark.parametrize("rounds", FEW_ROUNDS)
async def test_a_result_that_comes_as_its_lease_runs_out_is_counted_once(
    store: Store, app: App, clock: StillClock, node: Node, other: Node, dice: random.Random, rounds: int
):
    run = await start_run(store, app, clock, 10 * rounds)
    (group,) = (await work_of(store, run)).groups
    for _ in range(rounds):
        chunk = await node.take(run, [group], size=10)
        intents: list[Intent] = []
        while chunk is not None:
            one = await node.arm(run, chunk, 2)
            intents.extend(one.intents)
            chunk = one.left
        clock.advance(LEASE_SECONDS + 1)
        dice.shuffle(intents)
        told = [happening(one, Kind.accepted, clock.now()) for one in intents[:6]]
        await asyncio.gather(node.record(told), other.reap(), node.reap(), other.reap())
        await other.record([happening(one, Kind.delivered, clock.now()) for one in intents[:3]])

    assert await state_of(store, run) == {"delivered": 3 * rounds, "accepted": 3 * rounds, "uncertain": 4 * rounds}
    assert await rows(store, "select count(*) from uncertain") == [(4 * rounds,)]
    assert await rows(store, "select 1 from arm") == []
    events = dict(map(tuple, await rows(store, "select kind, count(*) from event group by kind")))
    assert events["accepted"] == 6 * rounds
    assert events["uncertain"] >= 4 * rounds
