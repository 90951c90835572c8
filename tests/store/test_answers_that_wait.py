"""What a conversation has to say waits while nothing may leave: nothing of it is lost, or leaves too early."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from callsheet.core.attempt import Kind
from callsheet.core.campaign import Move
from callsheet.core.run import Run
from callsheet.store.apps import App
from callsheet.store.replies import TakenReply
from callsheet.store.store import Store
from conversing import ASK, ASKING, HANDED, QUESTION, document, exit_to, question
from databases import rows
from factories import Node, StillClock, hours, number, trunk_of
from store.test_flow_sessions import armed, said, say, talk, talker_of


async def due(store: Store, app: App, clock: StillClock) -> list[int]:
    trunk = await trunk_of(store, app)
    found, _ = await store.replies.due(clock.now(), trunks=[trunk.no], limit=10)
    return [one.no for one in found]


async def take(store: Store, clock: StillClock, nos: Sequence[int]) -> list[TakenReply]:
    return await store.replies.take(nos, clock.now(), 60)


async def states(store: Store) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await rows(store, "select kind, state, code from reply order by no")]


async def test_a_question_that_was_not_seen_is_asked_when_sending_is_allowed_again(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 1)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "2")
    await talk(talker_of(store, clock))
    (asked,) = await due(store, app, clock)
    await store.sending.stop(app.no, "Wrong list", "me", clock.now())

    assert await take(store, clock, [asked]) == []
    assert await due(store, app, clock) == []
    clock.advance(hours=2)
    assert (await store.replies.sweep(clock.now())).expired == 0
    await talk(talker_of(store, clock))
    await store.sending.allow(app.no, clock.now())
    assert (await store.replies.sweep(clock.now())).expired == 0
    await talk(talker_of(store, clock))

    assert await due(store, app, clock) == [asked], "nobody is reminded of what he has not seen"
    assert [one.text for one in await take(store, clock, [asked])] == ["When?"]
    await move(store, app, clock, Move.resume)
    clock.advance(121)
    await talk(talker_of(store, clock))
    assert len(await due(store, app, clock)) == 1, "the silence counts from then on"


async def test_what_an_agent_says_while_sending_is_stopped_leaves_afterwards(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 1, HANDED)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "somebody, please")
    await talk(talker_of(store, clock))
    await take(store, clock, await due(store, app, clock))
    await store.sending.stop(app.no, "Wrong list", "me", clock.now())
    clock.advance(hours=1)
    (talking,) = await rows(store, "select id from flow_session")
    await store.flow_queue.take(app.no, talking.id, "Ann", clock.now())
    assert await store.flow_queue.say(app.no, talking.id, "Ann", "Hello", clock.now())
    clock.advance(hours=2)
    await store.replies.sweep(clock.now())
    assert await due(store, app, clock) == []
    await store.sending.allow(app.no, clock.now())
    await store.replies.sweep(clock.now())

    assert [one.text for one in await take(store, clock, await due(store, app, clock))] == ["Hello"]
    (left,) = await rows(store, "select deadline_at - :now as left_micros from reply where kind = 'agent'",
                         now=int(clock.now().timestamp() * 1e6))  # fmt: skip
    assert timedelta(microseconds=left.left_micros) == timedelta(hours=1)


async def test_nothing_is_asked_of_others_while_sending_is_stopped(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 1, ASKING)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "look")
    await talk(talker_of(store, clock))
    await store.sending.stop(app.no, "Wrong list", "me", clock.now())
    clock.advance(hours=5)

    assert await store.errands.take(clock.now(), most=10, most_each=10, busy={}) == ([], None)
    await store.sending.allow(app.no, clock.now())
    (errand,), _ = await store.errands.take(clock.now(), most=10, most_each=10, busy={})
    assert errand.deadline_at == clock.now() + timedelta(hours=1)


async def reminded(store: Store, app: App, clock: StillClock, node: Node, **changes: Any) -> tuple[Run, int]:
    """Write down what silence says."""
    run, intents = await armed(store, app, clock, node, 1, **changes)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "2")
    await talk(talker_of(store, clock))
    await take(store, clock, await due(store, app, clock))
    clock.advance(121)
    await talk(talker_of(store, clock))
    (reminder,) = await due(store, app, clock)
    return run, reminder


async def move(store: Store, app: App, clock: StillClock, what: Move) -> None:
    (row,) = await rows(store, "select id from campaign")
    campaign = await store.campaigns.find(app.no, campaign_id=row.id)
    assert campaign is not None
    await store.campaigns.move(campaign, what, clock.now())


async def test_what_silence_says_waits_while_the_run_is_paused(store: Store, app: App, clock: StillClock, node: Node):
    _, reminder = await reminded(store, app, clock, node)
    await move(store, app, clock, Move.pause)
    for _ in range(30):
        assert await take(store, clock, await due(store, app, clock)) == []
        clock.advance(180)
    assert (await store.replies.sweep(clock.now())).expired == 0
    await move(store, app, clock, Move.resume)

    assert [one.no for one in await take(store, clock, await due(store, app, clock))] == [reminder]


async def test_what_silence_says_does_not_leave_when_the_run_was_stopped(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, reminder = await reminded(store, app, clock, node)
    await move(store, app, clock, Move.stop)

    assert await take(store, clock, [reminder]) == []
    assert (await states(store))[-1] == ("flow", "expired", "run_stopped")


async def test_a_pause_recalls_what_silence_says_and_no_answers(store: Store, app: App, clock: StillClock, node: Node):
    run, reminder = await reminded(store, app, clock, node)
    await take(store, clock, [reminder])
    other, _ = await armed(store, app, clock, node, 1)

    assert await store.replies.recall(app.no, None, other.no) == set()
    assert await store.replies.recall(app.no, None, run.no) == {reminder}


DAY = hours(start=9 * 60, end=12 * 60 + 30)
"""It is noon at the beginning."""


async def wakes_at(store: Store) -> int:
    (row,) = await rows(store, "select wakes_at from flow_session where ended_at = 0")
    return int(row.wakes_at)


async def test_what_silence_says_waits_for_the_calling_hours_where_it_leaves(
    store: Store, app: App, clock: StillClock, node: Node
):
    again = document(question(ASK, "how", QUESTION, exit_to(ASK, "said")))
    _, reminder = await reminded(store, app, clock, node, flow=again, hours=DAY)
    before = await wakes_at(store)
    clock.advance(1700)
    assert await take(store, clock, [reminder]) == []
    assert await due(store, app, clock) == []
    assert await wakes_at(store) - before == timedelta(hours=20, minutes=29).seconds * 10**6 + 39 * 10**6
    clock.advance(hours=20)
    assert (await store.replies.sweep(clock.now())).expired == 0
    clock.advance(minutes=30)

    assert [one.no for one in await take(store, clock, await due(store, app, clock))] == [reminder]


async def test_what_was_put_off_leaves_when_its_person_writes(store: Store, app: App, clock: StillClock, node: Node):
    again = document(question(ASK, "how", QUESTION, exit_to(ASK, "said")))
    _, reminder = await reminded(store, app, clock, node, flow=again, hours=DAY)
    clock.advance(hours=1)
    assert await take(store, clock, [reminder]) == []
    await say(store, app, clock, "hello?")
    await talk(talker_of(store, clock))

    waiting = await due(store, app, clock)
    assert (waiting[0], len(waiting)) == (reminder, 2)
    assert len(await take(store, clock, waiting)) == 2


async def test_a_reply_that_was_written_long_ago_waits_for_the_calling_hours_and_those_after_it(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 1, hours=DAY)
    await node.tell(intents, Kind.accepted)
    await talk(talker_of(store, clock))
    await say(store, app, clock, "2", "on Friday")
    clock.advance(hours=3)
    talker = talker_of(store, clock, alone=False)
    await talk(talker)
    assert not await talker.look(), "it does not turn in vain"
    assert await said(store, app) == []
    clock.advance(hours=17, minutes=59)
    assert not await talker.look()
    clock.advance(60)
    await talk(talker)

    assert await said(store, app) == ["When?", "Thank you"]


async def test_what_was_said_long_ago_keeps_the_calling_hours_but_for_who_is_awake(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 2, hours=DAY)
    await node.tell(intents, Kind.accepted)
    for to in (0, 1):
        await say(store, app, clock, "2", to=to)
    await talk(talker_of(store, clock))
    await store.sending.stop(app.no, "Wrong list", "me", clock.now())
    clock.advance(hours=6)
    await store.sending.allow(app.no, clock.now())
    await say(store, app, clock, "HELP", to=1)
    waiting = await due(store, app, clock)
    assert len(waiting) == 3

    assert sorted(one.number for one in await take(store, clock, waiting)) == [number(1), number(1)]
    clock.advance(hours=15)
    assert (await store.replies.sweep(clock.now())).expired == 0
    assert [one.number for one in await take(store, clock, await due(store, app, clock))] == [number(0)]
