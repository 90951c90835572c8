"""Apps share what goes on in conversations: a flood of one holds up no other, and what is due holds up with none."""

from collections import Counter

from callsheet.core.attempt import Kind
from callsheet.store.apps import App
from callsheet.store.store import Store
from databases import change
from factories import Node, StillClock, heard, make_app, number, trunk_of
from store.test_flow_sessions import armed, said, say, talk, talker_of


async def flood(store: Store, app: App, clock: StillClock, people: int) -> None:
    trunk = await trunk_of(store, app)
    messages = [heard(store, app, clock, number(i), "2") for i in range(people)]
    await store.inbox.hear(app.no, trunk.no, messages, clock.now(), somebody_answers=True)


async def test_each_app_has_as_many_replies_taken_as_any_other(store: Store, app: App, clock: StillClock):
    other = await make_app(store, clock, name="Other")
    await flood(store, app, clock, 30)
    clock.advance(1)
    await flood(store, other, clock, 30)

    taken = await store.inbox.waiting(clock.now(), 12, 60)

    assert Counter(one.app for one in taken) == {app.no: 6, other.no: 6}
    # Where one has nothing more, the other has all.
    await store.inbox.release()
    await change(store, "update inbound set waits_since = 0 where app = :app", app=app.no)
    assert len(await store.inbox.waiting(clock.now(), 12, 60)) == 12


async def test_each_app_has_as_many_conversations_told_as_any_other(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 20)
    await node.tell(intents, Kind.accepted)
    other = await make_app(store, clock, name="Other")
    await change(store, "update flow_session set app = :other where no % 10 = 0", other=other.no)

    found = await store.flow_sessions.due(clock.now(), 6, leased=False)

    assert {no: len(nos) for no, nos in found.items()} == {app.no: 3, other.no: 2}


async def test_whose_reply_waits_is_not_told_that_nobody_replied(store: Store, app: App, clock: StillClock, node: Node):
    _, intents = await armed(store, app, clock, node, 1)
    await node.tell(intents, Kind.accepted)
    await talk(talker_of(store, clock))
    await say(store, app, clock, "2")
    # Another node has taken it, and is slow.
    await store.inbox.waiting(clock.now(), 10, 600)
    clock.advance(300)
    await talk(talker_of(store, clock))
    assert await said(store, app) == []
    await store.inbox.release()
    await talk(talker_of(store, clock))

    assert await said(store, app) == ["When?"]
