"""What forbids finds each answer of ours that was taken before, and asks for it until its holder lets go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from callsheet.core.answering import ReplyState
from callsheet.core.campaign import Channel
from callsheet.store.apps import App
from callsheet.store.replies import Outcome
from callsheet.store.store import Store
from databases import Place, change, rows, waiters
from factories import StillClock, forbid, heard, number, opt_out, person_of, trunk_of

ADA, BEA = number(0), number(1)
ROUNDS = [6, pytest.param(15, marks=pytest.mark.full)]


async def say(store: Store, app: App, clock: StillClock, text: str) -> None:
    trunk = await trunk_of(store, app)
    await store.inbox.hear(app.no, trunk.no, [heard(store, app, clock, ADA, text)], clock.now())


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_who_stops_all_sending_sees_each_answer_that_was_taken_before(
    place: Place, store: Store, app: App, clock: StillClock, rounds: int
):
    trunk = await trunk_of(store, app)
    other = await place.open() if place.kind == "postgres" else store

    async def stop() -> set[int]:
        await store.sending.stop(app.no, "Wrong list", "me", clock.now())
        return await store.replies.recall(app.no, None)

    for _ in range(rounds):
        clock.advance(timedelta(days=2).total_seconds())
        await say(store, app, clock, "HELP")
        (due,), _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=10)

        seen, taken = await asyncio.gather(stop(), other.replies.take([due.no], clock.now(), 60))

        assert not taken or seen == {due.no}
        await store.sending.allow(app.no, clock.now())
        await store.replies.settle([Outcome(due.no, 1, ReplyState.accepted)], clock.now())
        assert await store.replies.recall(app.no, None) == set()


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_who_opts_somebody_out_sees_their_answer_that_was_taken_before(
    place: Place, store: Store, app: App, clock: StillClock, rounds: int
):
    trunk = await trunk_of(store, app)
    other = await place.open() if place.kind == "postgres" else store
    ada = person_of(store, app, ADA)

    async def prohibit() -> set[int]:
        await opt_out(store, app, clock, ADA)
        return await store.replies.recall(app.no, {ada})

    for _ in range(rounds):
        clock.advance(timedelta(days=2).total_seconds())
        await say(store, app, clock, "STOP")
        for one in (await store.replies.due(clock.now(), trunks=[trunk.no], limit=10))[0]:
            await store.replies.settle([Outcome(one.no, 1, ReplyState.accepted)], clock.now())
        await say(store, app, clock, "START")
        (due,), _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=10)

        seen, taken = await asyncio.gather(prohibit(), other.replies.take([due.no], clock.now(), 60))

        assert not taken or seen == {due.no}
        await store.replies.settle([Outcome(due.no, 1, ReplyState.accepted)], clock.now())
        clock.advance(1)
        await store.opt_outs.lift(app.no, Channel.sms, {ada}, "again", clock.now())


HELD_TAKE = (
    "create function h() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(1); return new; end'",
    "create trigger held before update on reply for each row execute function h()",
)


@asynccontextmanager
async def holding(place: Place, store: Store) -> AsyncIterator[None]:
    """Let whoever takes an answer stand still in the middle of it."""
    for statement in HELD_TAKE:
        await change(store, statement)
    holder = await asyncpg.connect(place.address)
    try:
        await holder.execute("select pg_advisory_lock(1)")
        yield
    finally:
        await holder.close()


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
@pytest.mark.parametrize("means", ["opt_out", "stop"])
async def test_whoever_forbids_while_an_answer_is_being_taken_learns_of_it(
    place: Place, store: Store, app: App, clock: StillClock, means: str
):
    await say(store, app, clock, "STOP")
    await say(store, app, clock, "START")
    trunk = await trunk_of(store, app)
    start = (await store.replies.due(clock.now(), trunks=[trunk.no], limit=10))[0][-1]
    other = await place.open()

    async def prohibit() -> set[int]:
        if means == "stop":
            await store.sending.stop(app.no, "Wrong list", "me", clock.now())
        else:
            await opt_out(store, app, clock, ADA)
        return await store.replies.recall(app.no, {person_of(store, app, ADA)})

    async with holding(place, store):
        taking = asyncio.create_task(other.replies.take([start.no], clock.now(), 60))
        await waiters(store, 1)
        prohibiting = asyncio.create_task(prohibit())
        await waiters(store, 2)

    assert await taking
    assert await prohibiting == {start.no}


async def test_an_answer_is_recalled_until_its_holder_lets_go_of_it(store: Store, app: App, clock: StillClock):
    await say(store, app, clock, "STOP")
    await say(store, app, clock, "START")
    trunk = await trunk_of(store, app)
    due, _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=10)
    stop, start = sorted(one.no for one in due)
    for one in due:
        await store.replies.take([one.no], clock.now(), 60)

    assert await store.replies.recall(app.no, {person_of(store, app, BEA)}) == set()
    assert await store.replies.recalled([stop, start]) == set()
    # A confirmation is sent to whoever is opted out.
    assert await store.replies.recall(app.no, {person_of(store, app, ADA)}) == {start}
    assert await store.replies.recalled([stop, start]) == {start}
    assert await store.replies.recall(app.no, None) == {stop, start}
    await store.replies.let_go({start})
    assert await store.replies.recall(app.no, None) == {stop}
    await store.replies.settle([Outcome(start, 1, ReplyState.waiting, "forbidden")], clock.now())
    await store.replies.take([start], clock.now(), 60)
    assert await store.replies.recall(app.no, None) == {stop, start}


async def test_a_start_of_somebody_on_the_global_dnc_list_is_not_answered(store: Store, app: App, clock: StillClock):
    dnc = await store.dnc_lists.create(app.no, "Never", clock.now())
    await store.dnc_lists.make_global(dnc, clock.now())
    await say(store, app, clock, "STOP")
    await say(store, app, clock, "START")
    await forbid(store, app, dnc.no, [ADA])
    trunk = await trunk_of(store, app)
    due, _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=10)

    for one in due:
        await store.replies.take([one.no], clock.now(), 60)

    ended = await rows(store, "select kind, state, code from reply order by no")
    assert [tuple(row) for row in ended] == [("stop", "taken", ""), ("start", "expired", "dnc")]
