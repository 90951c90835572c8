"""Receipts that do not carry our reference find their attempt, in whatever order and however often they come."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from callsheet.core.attempt import Happening, Intent, Kind
from callsheet.core.ids import AttemptKey, encode_attempt, hint_of
from callsheet.core.matching import PARKED_SPAN, Carried, LooseReceipt, day_of
from callsheet.core.pools import Pool
from callsheet.core.rooms import Rooms
from callsheet.core.run import Run
from callsheet.store.apps import App
from callsheet.store.protocol import Batch, Recorded
from callsheet.store.store import Store
from databases import Place, rows
from factories import Node, StillClock, happening, start_run


def rooms_of(store: Store, run: Run) -> Rooms:
    """Return rooms without a limit, for the members of a pool."""
    senders = {sender.no: sender for sender in run.senders}
    lines = {sender.trunk_no: 1000 for sender in run.senders}
    key = store.vault.app(run.app)
    assert key is not None
    return Rooms(
        senders, {}, {}, {}, is_pool=True, lines=lines, broken=(), fail_over=False, segments_guess=1,
        number_of=key.open_number,
    )  # fmt: skip


class Trunk:
    """A trunk of an app whose receipts name the carrier's ids only, and a run of people through it."""

    def __init__(self, store: Store, clock: StillClock, node: Node, app: App, trunk_no: int) -> None:
        self.store = store
        self.clock = clock
        self.node = node
        self.app = app
        self.no = trunk_no

    @classmethod
    async def open(cls, store: Store, app: App, clock: StillClock, node: Node) -> "Trunk":
        (trunk,) = await store.apps.trunks(app.no)
        return cls(store, clock, node, app, trunk.no)

    async def arm(self, contacts: int = 1) -> tuple[Run, list[Intent]]:
        run = await start_run(self.store, self.app, self.clock, contacts)
        return run, await self.node.walk_all(run)

    def took(self, intent: Intent, *ids: str) -> Carried:
        key = AttemptKey(intent.run_no, intent.person, intent.n)
        return Carried(self.app.no, self.no, key, ids, self.clock.now())

    def receipt(self, *ids: str, person: bytes = b"", kind: Kind = Kind.delivered, **more: object) -> LooseReceipt:
        now = self.clock.now()
        return LooseReceipt(self.app.no, self.no, ids, person, kind, now, now, **more)  # type: ignore[arg-type]

    async def record(
        self,
        happenings: Sequence[Happening] = (),
        carried: Sequence[Carried] = (),
        receipts: Sequence[LooseReceipt] = (),
        *,
        node: Node | None = None,
    ) -> Recorded:
        teller = node or self.node
        batch = Batch(teller.no, next(teller._batches), happenings, (), (), carried, receipts)
        return await teller.store.hot.record(batch, lambda: 0.0)

    async def accept(self, intent: Intent, *ids: str, node: Node | None = None) -> Recorded:
        taken = happening(intent, Kind.accepted, self.clock.now(), segments=len(ids))
        return await self.record([taken], [self.took(intent, *ids)], node=node)

    async def hear(self, *receipts: LooseReceipt, node: Node | None = None) -> Recorded:
        return await self.record(receipts=receipts, node=node)

    async def sweep(self) -> Recorded:
        taken = await self.store.parked_receipts.take(self.clock.now(), 100)
        return await self.hear(*taken.receipts)

    async def kinds(self, run: Run) -> list[set[str]]:
        return [{event.kind for event in one.events} for one in await self.store.reports.attempts(run.app, run.no)]

    async def parked(self) -> int:
        return len(await self.store.parked_receipts.of_app(self.app.no, after=0, limit=100))


@pytest.fixture
async def trunk(store: Store, app: App, clock: StillClock, node: Node) -> Trunk:
    return await Trunk.open(store, app, clock, node)


async def test_a_receipt_after_its_answer_is_counted_once(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    await trunk.accept(intent, "abc1")

    first = await trunk.hear(trunk.receipt("abc1"))
    again = await trunk.hear(trunk.receipt("abc1"), trunk.receipt("abc1"))

    assert (first.events, again.events, first.matched) == (1, 0, (Kind.delivered,))
    assert await trunk.store.reports.counters(run.app, run.no) == {
        "armed": 1,
        "accepted": 0,
        "delivered": 1,
        "segments": 1,
    }
    assert await trunk.parked() == 0


async def test_an_answer_and_its_receipt_may_come_in_one_batch(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    taken = happening(intent, Kind.accepted, trunk.clock.now())

    await trunk.record([taken], [trunk.took(intent, "7")], [trunk.receipt("7")])

    assert await trunk.kinds(run) == [{"accepted", "delivered"}]


async def test_a_receipt_before_its_answer_waits_and_is_taken_up_by_it(trunk: Trunk):
    run, (intent,) = await trunk.arm()

    early = await trunk.hear(trunk.receipt("7", person=intent.person), trunk.receipt("7", person=intent.person))
    again = await trunk.hear(trunk.receipt("7", person=intent.person))
    assert (early.parked, again.parked, await trunk.parked()) == (1, 0, 1)
    assert await trunk.kinds(run) == [set()]

    answered = await trunk.accept(intent, "7")

    assert (answered.events, answered.matched, await trunk.parked()) == (2, (Kind.delivered,), 0)
    assert await trunk.kinds(run) == [{"accepted", "delivered"}]


async def test_an_answer_takes_up_a_receipt_that_spells_its_id_otherwise(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    await trunk.hear(trunk.receipt("1000000", "f4240"))

    await trunk.accept(intent, "f4240")

    assert await trunk.kinds(run) == [{"accepted", "delivered"}]


async def test_a_receipt_that_only_looks_alike_is_not_taken_up(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    await trunk.hear(trunk.receipt("1000000"))

    await trunk.accept(intent, "f4240")

    assert (await trunk.kinds(run), await trunk.parked()) == ([{"accepted"}], 1)


async def test_receipts_of_three_days_and_of_a_week_find_their_message(trunk: Trunk):
    run, intents = await trunk.arm(2)
    await trunk.accept(intents[0], "1")
    await trunk.accept(intents[1], "2")

    trunk.clock.advance(hours=72)
    await trunk.hear(trunk.receipt("1"))
    trunk.clock.advance(days=4)
    await trunk.hear(trunk.receipt("2"))

    assert await trunk.kinds(run) == [{"accepted", "delivered"}] * 2


async def test_an_id_that_is_given_again_means_the_person_it_names_else_the_latest(trunk: Trunk):
    run, intents = await trunk.arm(3)
    for intent in intents:
        await trunk.accept(intent, "5")
        trunk.clock.advance(days=1)

    await trunk.hear(trunk.receipt("5", person=intents[0].person), trunk.receipt("5", kind=Kind.undelivered))

    told = {
        one.person: {event.kind for event in one.events} for one in await trunk.store.reports.attempts(run.app, run.no)
    }
    assert [told[intent.person] - {"accepted"} for intent in intents] == [{"delivered"}, set(), {"undelivered"}]


async def test_ids_belong_to_their_trunk(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    await trunk.accept(intent, "5")
    other = await trunk.store.apps.create_trunk(
        trunk.app.no, name="Other", carrier="sandbox", takes_any_sender=False, now=trunk.clock.now()
    )

    await trunk.hear(trunk.receipt("5")._replace(trunk_no=other.no))

    assert (await trunk.kinds(run), await trunk.parked()) == ([{"accepted"}], 1)


async def test_the_receipt_of_an_answer_that_was_lost_settles_the_uncertain_attempt(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    await trunk.node.tell([intent], Kind.uncertain)

    settled = await trunk.hear(trunk.receipt("9", person=intent.person))
    again = await trunk.hear(trunk.receipt("9", person=intent.person))

    assert (settled.settled, again.matched, again.events) == ((Kind.delivered,), (Kind.delivered,), 0)
    assert await rows(trunk.store, "select * from uncertain") == []
    assert (await trunk.kinds(run), await trunk.parked()) == ([{"uncertain", "delivered"}], 0)


async def test_an_orphan_comes_through_the_trunk_of_the_member_that_spoke_and_of_then(trunk: Trunk):
    store, app, now = trunk.store, trunk.app, trunk.clock.now()
    member = await store.apps.find_sender(app.no, "+12125550111", now)
    pool = await store.apps.find_sender(app.no, "Pool", now)
    assert member is not None
    assert pool is not None
    other = await store.apps.create_trunk(app.no, name="Other", carrier="sandbox", takes_any_sender=False, now=now)
    await store.senders.change(app.no, pool.id, {"pool": Pool((member.no,))}, now)
    await store.senders.change(app.no, member.id, {"trunk_no": other.no}, now)
    run = await start_run(store, app, trunk.clock, 2, sender="Pool")
    intents = await trunk.node.walk_all(replace(run, rooms=rooms_of(store, run)))
    assert [intent.sender_no for intent in intents] == [member.no] * 2
    await trunk.node.tell(intents, Kind.uncertain)

    # The trunk of the pool itself has carried nothing.
    astray = await trunk.hear(trunk.receipt("9", person=intents[0].person))
    through = [trunk.receipt(f"{8 - i}", person=intents[i].person)._replace(trunk_no=other.no) for i in (0, 1)]
    first = await trunk.hear(through[0])
    assert await store.hot.complete(run), "a sender changes its trunk only when no run speaks through it"
    trunk.clock.advance(1)
    await store.senders.change(app.no, member.id, {"trunk_no": trunk.no}, trunk.clock.now())
    moved = await trunk.hear(through[1])

    assert (astray.settled, first.settled, moved.settled) == ((), (Kind.delivered,), (Kind.delivered,))


async def test_an_attempt_in_flight_is_not_settled_by_an_orphan_before_it_is_uncertain(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    await trunk.hear(trunk.receipt("9", person=intent.person))
    trunk.clock.advance(40)
    await trunk.sweep()
    assert (await trunk.kinds(run), await trunk.parked()) == ([set()], 1)

    await trunk.node.reap()
    trunk.clock.advance(40)
    await trunk.sweep()

    assert (await trunk.kinds(run), await trunk.parked()) == ([{"uncertain", "delivered"}], 0)


async def test_of_two_uncertain_attempts_only_the_hint_decides(trunk: Trunk):
    first, (one,) = await trunk.arm()
    second, (two,) = await trunk.arm()
    await trunk.node.tell([one, two], Kind.uncertain)
    hint = hint_of(encode_attempt(two.run_no, two.person, two.n))

    await trunk.hear(trunk.receipt("9", person=one.person))
    assert await trunk.parked() == 1
    await trunk.hear(trunk.receipt("8", person=one.person, hint=hint))

    assert (await trunk.kinds(first), await trunk.kinds(second)) == ([{"uncertain"}], [{"uncertain", "delivered"}])


async def test_an_orphan_does_not_settle_what_was_armed_after_it_or_long_before(trunk: Trunk):
    old, (before,) = await trunk.arm()
    await trunk.node.tell([before], Kind.uncertain)
    trunk.clock.advance(hours=72, minutes=1)
    await trunk.hear(trunk.receipt("9", person=before.person))
    trunk.clock.advance(minutes=2)
    new, (after,) = await trunk.arm()
    await trunk.node.tell([after], Kind.uncertain)

    await trunk.sweep()

    assert (await trunk.kinds(old), await trunk.kinds(new), await trunk.parked()) == (
        [{"uncertain"}],
        [{"uncertain"}],
        1,
    )


async def test_a_receipt_that_nobody_knows_is_looked_for_ever_more_rarely_and_dropped(trunk: Trunk):
    await trunk.hear(trunk.receipt("9"))
    end = trunk.clock.now() + PARKED_SPAN
    looks = 0
    while (due := await trunk.store.parked_receipts.next_due()) is not None:
        trunk.clock.set(max(due, trunk.clock.now()))
        taken = await trunk.store.parked_receipts.take(trunk.clock.now(), 100)
        await trunk.hear(*taken.receipts)
        looks += 1

    assert trunk.clock.now() == end
    assert (taken.dropped, await trunk.parked()) == (1, 0)
    assert looks < 100


SOME_ORDERS = [(0, 1, 2, 3), (2, 0, 3, 1), (1, 3, 2, 0), (3, 2, 1, 0)]
"""The answer last, later, sooner and first."""


@pytest.mark.parametrize(
    "orders", [SOME_ORDERS, pytest.param([*permutations(range(4))], marks=pytest.mark.full)], ids=["some", "all"]
)
async def test_a_text_in_parts_is_delivered_when_every_part_is_in_any_order(
    trunk: Trunk, orders: Sequence[tuple[int, ...]]
):
    ids = ("a", "b", "c")
    for order in orders:
        run, (intent,) = await trunk.arm()
        for step in order:
            assert "delivered" not in (await trunk.kinds(run))[0]
            await (trunk.hear(trunk.receipt(ids[step])) if step < 3 else trunk.accept(intent, *ids))
        assert await trunk.kinds(run) == [{"accepted", "delivered"}], order
        trunk.clock.advance(days=9)


async def test_a_text_of_which_a_part_was_not_delivered_is_not(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    await trunk.accept(intent, "a", "b")

    await trunk.hear(trunk.receipt("a"), trunk.receipt("b", kind=Kind.undelivered), trunk.receipt("a"))

    assert await trunk.kinds(run) == [{"accepted", "undelivered"}]


async def test_parts_that_two_nodes_hear_at_once_make_one_delivered_message(
    place: Place, trunk: Trunk, clock: StillClock
):
    twin = await place.open() if place.kind == "postgres" else trunk.store
    other = await Node.enter(twin, clock)
    run, intents = await trunk.arm(20)
    for i, intent in enumerate(intents):
        await trunk.accept(intent, f"a{i}", f"b{i}")

    async def hear(teller: Node, ids: Sequence[str]) -> None:
        for one in ids:
            await trunk.hear(trunk.receipt(one), node=teller)

    await asyncio.gather(hear(trunk.node, [f"a{i}" for i in range(20)]), hear(other, [f"b{i}" for i in range(20)]))

    assert await trunk.kinds(run) == [{"accepted", "delivered"}] * 20


async def test_an_answer_here_and_its_receipt_there_meet_at_the_next_sweep_at_the_latest(
    place: Place, trunk: Trunk, clock: StillClock
):
    twin = await place.open() if place.kind == "postgres" else trunk.store
    other = await Node.enter(twin, clock)
    run, intents = await trunk.arm(30)

    async def answer() -> None:
        for i, intent in enumerate(intents):
            await trunk.accept(intent, f"{i}")

    async def hear() -> None:
        for i in range(30):
            await trunk.hear(trunk.receipt(f"{i}"), trunk.receipt(f"{i}"), node=other)

    await asyncio.gather(answer(), hear())
    clock.advance(1)
    await trunk.sweep()

    assert await trunk.kinds(run) == [{"accepted", "delivered"}] * 30
    assert await trunk.parked() == 0


async def test_ids_are_forgotten_after_a_week_a_block_at_a_time(trunk: Trunk):
    _, intents = await trunk.arm(25)
    for i, intent in enumerate(intents):
        await trunk.accept(intent, f"{i}")
    trunk.clock.advance(days=8)
    _, (young,) = await trunk.arm()
    await trunk.accept(young, "young")
    today = day_of(trunk.clock.now())

    blocks = 0
    while await trunk.store.parked_receipts.forget(today - 7, 10):
        blocks += 1

    assert blocks == 3
    assert [row.carrier_id for row in await rows(trunk.store, "select carrier_id from carried")] == ["young"]
