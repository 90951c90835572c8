"""A carrier that sends receipts of our answers to replies, although nobody asked: they change nothing."""

import pytest

from callsheet.core.answering import ReplyState
from callsheet.core.attempt import Intent, Kind
from callsheet.core.ids import encode_reply, hint_of
from callsheet.core.run import Run
from callsheet.store.replies import Outcome
from databases import rows
from factories import heard, number
from store.test_matching import Trunk, trunk

__all__ = ["trunk"]


async def take_answer(trunk: Trunk) -> int:
    """Let a person ask for help, and the answer be on its way."""
    store, now = trunk.store, trunk.clock.now()
    await store.inbox.hear(trunk.app.no, trunk.no, [heard(store, trunk.app, trunk.clock, number(0), "HELP")], now)
    (due,), _ = await store.replies.due(now, trunks=[trunk.no], limit=10)
    assert await store.replies.take([due.no], now, 60)
    return due.no


async def end_answer(trunk: Trunk, no: int, state: ReplyState, *ids: str) -> None:
    await trunk.store.replies.settle([Outcome(no, 1, state, carrier_ids=ids)], trunk.clock.now())


async def doubt(trunk: Trunk) -> tuple[Run, Intent]:
    """Let a text to the same person be uncertain: whatever is not told apart settles it."""
    run, (intent,) = await trunk.arm()
    await trunk.node.tell([intent], Kind.uncertain)
    return run, intent


@pytest.mark.parametrize("named", [True, False])
async def test_a_receipt_of_an_answer_is_told_from_that_of_an_attempt_and_is_not_kept(trunk: Trunk, named: bool):
    run, intent = await doubt(trunk)
    await end_answer(trunk, await take_answer(trunk), ReplyState.accepted, "0A1", "A2")

    person = intent.person if named else b""
    told = [await trunk.hear(trunk.receipt(one, "x", person=person)) for one in ("a1", "a2", "a1")]

    assert [one.of_answers for one in told] == [1, 1, 1]
    assert {(one.matched, one.settled, one.parked, one.unknown, one.events) for one in told} == {((), (), 0, 0, 0)}
    assert (await trunk.kinds(run), await trunk.parked()) == ([{"uncertain"}], 0)


async def test_a_receipt_that_comes_before_its_answer_was_written_down_waits_for_it(trunk: Trunk):
    run, intent = await doubt(trunk)
    no = await take_answer(trunk)

    early = await trunk.hear(trunk.receipt("a1", person=intent.person))
    assert (early.parked, await trunk.kinds(run)) == (1, [{"uncertain"}])
    await end_answer(trunk, no, ReplyState.accepted, "a1")
    trunk.clock.advance(5)
    swept = await trunk.sweep()

    assert (swept.of_answers, await trunk.parked(), await trunk.kinds(run)) == (1, 0, [{"uncertain"}])


async def test_an_uncertain_answer_gets_the_receipt_that_can_mean_nothing_else(trunk: Trunk):
    run, (intent,) = await trunk.arm()
    await trunk.accept(intent, "b")
    await end_answer(trunk, await take_answer(trunk), ReplyState.uncertain)

    first = await trunk.hear(trunk.receipt("a1", person=intent.person))
    again = await trunk.hear(trunk.receipt("a1"))

    assert (first.of_answers, again.of_answers, first.unknown) == (1, 1, 0)
    assert (await trunk.kinds(run), await trunk.parked()) == ([{"accepted"}], 0)


async def test_of_an_uncertain_answer_and_an_uncertain_attempt_only_the_hint_decides(trunk: Trunk):
    run, intent = await doubt(trunk)
    no = await take_answer(trunk)
    await end_answer(trunk, no, ReplyState.uncertain)

    await trunk.hear(trunk.receipt("a1", person=intent.person))
    assert (await trunk.kinds(run), await trunk.parked()) == ([{"uncertain"}], 1)
    hinted = await trunk.hear(trunk.receipt("a2", person=intent.person, hint=hint_of(encode_reply(no))))

    assert (hinted.of_answers, await trunk.kinds(run)) == (1, [{"uncertain"}])


async def test_an_answer_that_ended_before_is_known_by_no_other_ids(trunk: Trunk):
    no = await take_answer(trunk)
    await end_answer(trunk, no, ReplyState.accepted, "a1")
    await end_answer(trunk, no, ReplyState.accepted, "a1", "a2")

    assert [row.carrier_id for row in await rows(trunk.store, "select carrier_id from carried")] == ["a1"]
