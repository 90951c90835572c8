"""A text of which the carrier answered to some parts only: evidence of every part settles it, and of no fewer."""

import asyncio
from datetime import timedelta
from itertools import permutations

import pytest

from callsheet.core.attempt import Intent, Kind
from callsheet.core.run import Run
from callsheet.store.protocol import Recorded
from databases import Place, rows
from factories import Node, StillClock, arms_of, happening
from store.test_matching import Trunk, trunk

__all__ = ["trunk"]


async def answer_to_some(trunk: Trunk, parts: int, *ids: str) -> tuple[Run, Intent]:
    """Let a text become uncertain of whose parts the carrier answered to these."""
    run, (intent,) = await trunk.arm()
    doubt = happening(intent, Kind.uncertain, trunk.clock.now(), "no_answer")
    await trunk.record([doubt], [trunk.took(intent, *ids)._replace(parts=parts)])
    await trunk.node.record(ended=arms_of(trunk.node, [intent]))
    return run, intent


async def hear(trunk: Trunk, intent: Intent, one: str, kind: Kind = Kind.delivered) -> Recorded:
    return await trunk.hear(trunk.receipt(one, person=intent.person, kind=kind))


async def test_receipts_of_all_parts_in_any_order_and_often_settle_it_and_those_of_some_do_not(trunk: Trunk):
    for order in permutations("abc"):
        run, intent = await answer_to_some(trunk, 3, "a")
        for one in order:
            assert await trunk.kinds(run) == [{"uncertain"}]
            for _ in range(2):
                await hear(trunk, intent, one)
        assert await trunk.kinds(run) == [{"uncertain", "delivered"}], order
        assert await rows(trunk.store, "select * from uncertain") == []
        assert await trunk.parked() == 0
        trunk.clock.advance(days=9)


async def test_they_may_all_come_at_once(trunk: Trunk):
    for batch in ("cba", "abc", "cbbca"):
        run, intent = await answer_to_some(trunk, 3, "a")
        await trunk.hear(*(trunk.receipt(one, person=intent.person) for one in batch))
        assert (await trunk.kinds(run), await trunk.parked()) == ([{"uncertain", "delivered"}], 0), batch
        trunk.clock.advance(days=9)


async def test_parts_that_are_on_their_way_settle_nothing(trunk: Trunk):
    run, intent = await answer_to_some(trunk, 2, "a")

    for one in "ab":
        await hear(trunk, intent, one, Kind.accepted)
    assert await trunk.kinds(run) == [{"uncertain"}]
    for one in "ba":
        await hear(trunk, intent, one)

    assert await trunk.kinds(run) == [{"uncertain", "delivered"}]


async def test_more_receipts_than_parts_are_not_of_it(trunk: Trunk):
    run, intent = await answer_to_some(trunk, 2, "a")

    await hear(trunk, intent, "b")
    await hear(trunk, intent, "c")

    assert (await trunk.kinds(run), await trunk.parked()) == ([{"uncertain"}], 1)
    await hear(trunk, intent, "a")
    assert await trunk.kinds(run) == [{"uncertain", "delivered"}]


@pytest.mark.parametrize("answered_after", range(4))
async def test_a_late_answer_brings_the_ids_that_were_missing_and_what_was_heard_before_counts(
    trunk: Trunk, answered_after: int
):
    run, intent = await answer_to_some(trunk, 3, "a")

    for place, one in enumerate("cab"):
        if place == answered_after:
            await trunk.accept(intent, "a", "b", "c")
        await hear(trunk, intent, one)
    if answered_after == 3:
        await trunk.accept(intent, "a", "b", "c")

    assert await trunk.kinds(run) == [{"accepted", "uncertain", "delivered"}]
    assert await trunk.parked() == 0


async def test_a_doubt_and_the_late_answer_may_come_in_one_batch(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    doubt = happening(intent, Kind.uncertain, trunk.clock.now())
    taken = happening(intent, Kind.accepted, trunk.clock.now())

    await trunk.record([doubt, taken], [trunk.took(intent, "a")._replace(parts=2), trunk.took(intent, "a", "b")])
    await trunk.hear(trunk.receipt("a"), trunk.receipt("b"))

    assert await trunk.kinds(run) == [{"accepted", "uncertain", "delivered"}]


async def test_who_has_one_part_and_not_another_is_known_although_a_third_is_not(trunk: Trunk):
    run, intent = await answer_to_some(trunk, 3, "a", "b")

    await hear(trunk, intent, "a")
    await hear(trunk, intent, "b", Kind.undelivered)

    assert await trunk.kinds(run) == [{"uncertain", "undelivered"}]
    assert [row.code for row in await rows(trunk.store, "select code from event where kind = 'undelivered'")] == [
        "incomplete"
    ]


@pytest.mark.parametrize("rounds", [6, pytest.param(20, marks=pytest.mark.full)])
async def test_two_nodes_that_fill_in_one_text_at_once_keep_what_the_other_filled_in(
    place: Place, trunk: Trunk, clock: StillClock, rounds: int
):
    other = trunk.node if place.kind == "sqlite" else await Node.enter(await place.open(), clock)
    for which in range(rounds):
        # Both bring an id that nobody knows, or one of them speaks of the part that is known.
        first, second = ("b", "c") if which % 2 else ("a", "b")
        run, intent = await answer_to_some(trunk, 3, "a")
        before = next(one for one in "abc" if one not in (first, second))
        await hear(trunk, intent, before)
        await asyncio.gather(
            trunk.hear(trunk.receipt(first, person=intent.person)),
            trunk.hear(trunk.receipt(second, person=intent.person), node=other),
        )
        assert await trunk.kinds(run) == [{"uncertain", "delivered"}], which
        trunk.clock.advance(days=9)


@pytest.mark.parametrize("heard_before", ["a", "ab"])
async def test_a_midnight_before_a_late_answer_parts_no_text(trunk: Trunk, heard_before: str):
    now = trunk.clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    trunk.clock.advance((midnight - now).total_seconds() - 5)
    run, intent = await answer_to_some(trunk, 3, "a")
    for one in heard_before:
        await hear(trunk, intent, one)
    trunk.clock.advance(10)

    late = happening(intent, Kind.accepted, trunk.clock.now(), "answered_late")
    await trunk.record([late], [trunk.took(intent, "a", "b", "c")._replace(is_late=True)])
    for one in "abc"[len(heard_before) :]:
        await hear(trunk, intent, one)

    assert await trunk.kinds(run) == [{"accepted", "uncertain", "delivered"}]
