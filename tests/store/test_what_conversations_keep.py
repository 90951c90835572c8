"""What conversations go on with is not deleted, and what they held goes on when they end."""

import pytest

from callsheet.core.attempt import Kind
from callsheet.core.errors import InUse, WrongState
from callsheet.core.flow.session import Ending
from callsheet.core.ids import AttemptKey
from callsheet.store.apps import App
from callsheet.store.flow_ends import end_sessions
from callsheet.store.protocol import Batch
from callsheet.store.store import Store
from callsheet.store.transcripts import Wanted
from conversing import ASK, ASKING, HANDED, LATER, block, document, exit_to, question
from databases import change, rows
from factories import SENDER, Node, StillClock, arms_of, forbid, happening, number, opt_out
from store.test_flow_sessions import armed, say, talk, talker_of


async def test_a_sender_through_which_conversations_go_on_is_not_deleted(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 1)
    await node.tell(intents, Kind.accepted)
    await change(store, "update run set ended_at = 1, status = 'Completed'")
    await change(store, "update campaign set status = 'Completed'")
    (sender,) = await rows(store, "select id from sender where label = :label", label=SENDER)
    with pytest.raises(InUse, match="conversations"):
        await store.senders.delete(app.no, sender.id, clock.now())
    await say(store, app, clock, "1")
    await talk(talker_of(store, clock))

    assert await store.senders.delete(app.no, sender.id, clock.now())


async def test_an_agent_learns_that_nothing_is_said_to_somebody_on_the_dnc_list(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 1, HANDED)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "somebody, please")
    await talk(talker_of(store, clock))
    (talking,) = await rows(store, "select id from flow_session")
    await store.flow_queue.take(app.no, talking.id, "Ann", clock.now())
    dnc = await store.dnc_lists.create(app.no, "Never", clock.now())
    await store.dnc_lists.make_global(dnc, clock.now())
    await forbid(store, app, dnc.no, [number(0)])

    with pytest.raises(WrongState, match="DNC"):
        await store.flow_queue.say(app.no, talking.id, "Ann", "Hello", clock.now())


async def test_replies_that_waited_for_an_answer_go_on_when_the_conversation_ends(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 1, ASKING)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "look", "and then?")
    await talk(talker_of(store, clock))
    (open_one,) = await rows(store, "select no from flow_session")
    await store._database.write(lambda conn: end_sessions(conn, app.no, [open_one.no], Ending.closed, clock.now()))

    assert [one.text for one in await store.inbox.waiting(clock.now(), 10, 60)] == ["and then?"]


GREETING = document(
    question(ASK, "hi", "Hello @contact.first_name, second @SECOND(NOW())", exit_to(LATER, "said")),
    block(LATER, "bye", "MobilePrimitives.Message", {"prompt": "Bye, @contact.first_name"}, exit_to(None, "done")),
)


async def test_the_columns_of_a_message_are_kept_until_its_conversation_begins_or_ends(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 2, GREETING)
    second = clock.now().second
    clock.advance(7)
    happened = [happening(intent, Kind.accepted, clock.now()) for intent in intents]
    made_of = {AttemptKey(intent.run_no, intent.person, intent.n): intent for intent in intents}
    batch = Batch(node.no, 1, happened, ended=tuple(arms_of(node, intents)), intents=made_of)
    await store.hot.record(batch, lambda: 0.0)
    kept = [bytes(row.columns_sealed) for row in await rows(store, "select columns_sealed from flow_session")]
    assert all(kept)
    assert not any(b"Ada" in one for one in kept), "sealed"

    await change(store, """update contact set attributes = '{"first_name": "Bo"}'""")
    await opt_out(store, app, clock, number(1))
    await say(store, app, clock, "hi")
    await talk(talker_of(store, clock))
    (talking,) = await store.transcripts.page(app.no, Wanted(person=intents[0].person), limit=2) or ()
    found = await store.transcripts.find(app.no, talking.id)
    said = [line.text for line in found.lines] if found is not None else []
    assert said == [f"Hello Ada, second {second}", "hi", "Bye, Ada"]
    kept = [bytes(row.columns_sealed) for row in await rows(store, "select columns_sealed from flow_session")]
    assert kept == [b"", b""]
