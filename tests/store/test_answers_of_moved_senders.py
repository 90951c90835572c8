"""A sender that moves to another trunk takes its conversations along, on both databases."""

from callsheet.core.attempt import Kind
from callsheet.store.apps import App
from callsheet.store.store import Store
from conversing import HANDED
from databases import change, rows
from factories import SENDER, Node, StillClock
from store.test_flow_sessions import armed, say, talk, talker_of


async def test_answers_leave_through_the_trunk_that_the_sender_has_now(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 1, HANDED)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "somebody, please")
    # The run that speaks is over, and so the sender may move.
    await change(store, "update run set ended_at = :at", at=1)
    other = await store.apps.create_trunk(
        app.no, name="Other", carrier="sandbox", takes_any_sender=False, now=clock.now()
    )
    await store.senders.put(app.no, SENDER, other.no, {}, clock.now())
    await talk(talker_of(store, clock))
    (talking,) = await rows(store, "select id from flow_session")
    await store.flow_queue.take(app.no, talking.id, "Ann", clock.now())
    assert await store.flow_queue.say(app.no, talking.id, "Ann", "Hello", clock.now())

    said = await rows(store, "select kind, trunk_no from reply order by no")
    assert [tuple(row) for row in said] == [("flow", other.no), ("agent", other.no)]
