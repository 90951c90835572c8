"""Answers of ours are taken and recorded many at a time: each is judged for itself, and told twice changes nothing."""

from callsheet.core.answering import ReplyState
from callsheet.store.apps import App
from callsheet.store.replies import Outcome
from callsheet.store.store import Store
from databases import change, rows
from factories import StillClock, forbid, heard, number, opt_out, trunk_of


async def test_each_of_many_that_are_taken_together_is_judged_for_itself(
    store: Store, app: App, clock: StillClock
) -> None:
    trunk = await trunk_of(store, app)
    for text in ("STOP", "START"):
        said = [heard(store, app, clock, number(i), text) for i in range(4)]
        await store.inbox.hear(app.no, trunk.no, said, clock.now())
        clock.advance(1)
    due, _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=1000)
    starts = sorted(one.no for one in due if one.kind.value == "start")
    dnc = await store.dnc_lists.create(app.no, "Never", clock.now())
    await store.dnc_lists.make_global(dnc, clock.now())
    await opt_out(store, app, clock, number(0))
    await forbid(store, app, dnc.no, [number(0), number(1)])
    await change(store, "update reply set text_sealed = :text where no = :no", text=b"damaged", no=starts[2])

    taken = await store.replies.take([*reversed(starts), 10**6], clock.now(), 60)

    assert [one.no for one in taken] == [starts[3]]
    ended = await rows(store, "select code from reply where state = 'expired' order by no")
    assert [row.code for row in ended] == ["opted_out", "dnc", "unreadable"]
    assert await store.replies.take(starts, clock.now(), 60) == []


async def test_what_became_of_answers_is_told_again_and_changes_nothing_that_came_after(
    store: Store, app: App, clock: StillClock
) -> None:
    trunk = await trunk_of(store, app)
    said = [heard(store, app, clock, number(i), "HELP") for i in range(2)]
    await store.inbox.hear(app.no, trunk.no, said, clock.now())
    due, _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=1000)
    first, second = sorted(one.no for one in due)
    await store.replies.take([first, second], clock.now(), 60)
    told = [Outcome(first, 1, ReplyState.waiting, "throttled"), Outcome(second, 1, ReplyState.accepted, ref="x")]
    await store.replies.settle(told, clock.now())
    (again,) = await store.replies.take([first, second], clock.now(), 60)
    assert (again.no, again.tries) == (first, 2)

    await store.replies.settle(told, clock.now())

    states = await rows(store, f"select no, state, ref from reply where no in ({first}, {second}) order by no")
    assert [tuple(row) for row in states] == [(first, "taken", ""), (second, "accepted", "x")]
    await store.replies.settle([Outcome(first, 2, ReplyState.rejected, "bad")], clock.now())
    assert await store.replies.take([first], clock.now(), 60) == []


async def test_what_a_process_left_that_is_gone_is_shown_at_once_and_never_repeated(
    store: Store, app: App, clock: StillClock
) -> None:
    trunk = await trunk_of(store, app)
    said = [heard(store, app, clock, number(i), "HELP") for i in range(3)]
    await store.inbox.hear(app.no, trunk.no, said, clock.now())
    due, _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=1000)
    first, second, third = sorted(one.no for one in due)
    await store.replies.take([first, second], clock.now(), 60)

    assert await store.replies.give_up(clock.now()) == 2

    states = await rows(store, "select state from reply order by no")
    assert [row.state for row in states] == ["uncertain", "uncertain", "waiting"]
    (taken,) = await store.replies.take([first, second, third], clock.now(), 60)
    assert taken.no == third
