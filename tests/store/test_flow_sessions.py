"""Conversations on both databases: opened once where attempts are recorded, led on by any node, each turn once."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from callsheet.core.attempt import Intent, Kind
from callsheet.core.campaign import Channel
from callsheet.core.errors import Unavailable
from callsheet.core.run import Run
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.talker import Talker
from callsheet.store.apps import App
from callsheet.store.store import Store
from conversing import ASK, PAYMENT, QUESTION, THANKS, block, document, exit_to, make_flow, question
from databases import Place, change, rows
from factories import SENDER, Node, StillClock, forbid, heard, make_campaign, make_list, number, person_of, trunk_of


class Died(Exception):
    """The process died."""


async def armed(
    store: Store,
    app: App,
    clock: StillClock,
    node: Node,
    people: int = 2,
    flow: Mapping[str, Any] = PAYMENT,
    **changes: Any,
) -> tuple[Run, list[Intent]]:
    """Arm all people of a campaign of a flow."""
    numbers = await make_list(store, app, clock, people)
    campaign = await make_campaign(store, app, clock, [numbers], **changes)
    sender = await store.apps.find_sender(app.no, SENDER, clock.now())
    assert sender is not None
    pinned = await make_flow(store, app, flow)
    started = await store.campaigns.start(
        campaign, text=QUESTION, sender_no=sender.no, one_run_per_list=False, now=clock.now(), flow=pinned
    )
    run = next(run for run in await store.runs.active() if run.no == started.run_no)
    return run, await node.walk_all(run)


def talker_of(store: Store, clock: StillClock, failpoints: Failpoints | None = None, *, alone: bool = True) -> Talker:
    return Talker(store, clock, failpoints or Failpoints(), FlowShelf(store.flows, clock), node_no=1, sole_owner=alone)


async def talk(talker: Talker) -> None:
    while await talker.look():
        pass


async def say(store: Store, app: App, clock: StillClock, *texts: str, to: int = 0) -> None:
    trunk = await trunk_of(store, app)
    for text in texts:
        message = heard(store, app, clock, number(to), text)
        await store.inbox.hear(app.no, trunk.no, [message], clock.now(), somebody_answers=True)


async def said(store: Store, app: App, to: int = 0) -> list[str]:
    """Return what is said to somebody."""
    person, key = person_of(store, app, number(to)), store.vault.app(app.no)
    assert key is not None
    query = "select text_sealed from reply where kind = 'flow' and person = :person order by no"
    found = await rows(store, query, person=person)
    return [key.seal.open(row.text_sealed, person).decode() for row in found]


async def endings(store: Store) -> Sequence[str]:
    return [row.ending for row in await rows(store, "select ending from flow_session order by no")]


async def test_what_is_recorded_twice_opens_one_conversation(store: Store, app: App, clock: StillClock, node: Node):
    _, intents = await armed(store, app, clock, node, 3)
    await node.tell(intents[:2], Kind.accepted)
    await node.tell(intents[:2], Kind.delivered)
    await node.tell(intents[2:], Kind.rejected)

    found = await rows(store, "select person, awaits, wakes_at from flow_session")
    assert {row.person for row in found} == {intent.person for intent in intents[:2]}
    assert len(await rows(store, "select 1 from open_session")) == 2

    await node.tell(intents[:1], Kind.undelivered)
    assert sorted(await endings(store)) == ["", ""], "it was delivered"


async def test_what_was_not_delivered_is_talked_about_with_nobody(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "2")
    await talk(talker_of(store, clock))
    await node.tell(intents, Kind.undelivered)

    assert sorted(await endings(store)) == ["", "silent"], "who replied has it, whatever its carrier says"


async def test_a_newer_conversation_takes_the_place_of_the_older(store: Store, app: App, clock: StillClock, node: Node):
    _, first = await armed(store, app, clock, node)
    await node.tell(first, Kind.accepted)
    await talk(talker_of(store, clock))
    clock.advance(60)
    _, second = await armed(store, app, clock, node)
    await node.tell(second, Kind.accepted)

    assert sorted(await endings(store)) == ["", "", "replaced", "replaced"]
    told = [notice.kind for notice in await store.outbox.peek(100)]
    assert told.count("conversation.ended") == 2


async def test_what_is_heard_late_of_an_older_attempt_ends_no_newer_conversation(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, first = await armed(store, app, clock, node, 1)
    await node.tell(first, Kind.uncertain)
    clock.advance(60)
    _, second = await armed(store, app, clock, node, 1)
    await node.tell(second, Kind.accepted)
    await say(store, app, clock, "2")
    await talk(talker_of(store, clock))
    await node.tell(first, Kind.delivered)
    await say(store, app, clock, "on Friday")
    await talk(talker_of(store, clock))

    assert await said(store, app) == ["When?", "Thank you"]
    ended = await rows(store, "select run_no, ending from flow_session order by run_no")
    assert [row.ending for row in ended] == ["replaced", "done"]


@pytest.mark.parametrize("later", [Kind.accepted, None], ids=["recorded later", "never heard of"])
async def test_a_reply_before_its_attempt_is_recorded_opens_the_conversation(
    store: Store, app: App, clock: StillClock, node: Node, later: Kind | None
):
    _, intents = await armed(store, app, clock, node)
    await say(store, app, clock, "2", "on Friday")
    await talk(talker_of(store, clock))
    assert await said(store, app) == ["When?", "Thank you"]
    if later is not None:
        await node.tell(intents, later)
        await talk(talker_of(store, clock))

    assert await said(store, app) == ["When?", "Thank you"]
    mine = await rows(store, "select ending from flow_session where person = :person", person=intents[0].person)
    assert [row.ending for row in mine] == ["done"]


async def test_a_reply_whose_attempt_is_recorded_while_it_is_looked_at_is_taken(
    store: Store, app: App, clock: StillClock, node: Node, monkeypatch: pytest.MonkeyPatch
):
    _, intents = await armed(store, app, clock, node, 1)
    await say(store, app, clock, "2")
    open_for = store.flow_sessions.open_for

    async def recorded_first(*args: Any) -> int:
        await node.tell(intents, Kind.accepted)
        return await open_for(*args)

    monkeypatch.setattr(store.flow_sessions, "open_for", recorded_first)
    await talk(talker_of(store, clock))

    assert await said(store, app) == ["When?"]
    assert await endings(store) == [""]


@pytest.mark.parametrize("where", ["before_turn", "after_turn"])
async def test_a_crash_repeats_nothing_and_loses_nothing(
    store: Store, app: App, clock: StillClock, node: Node, where: str
):
    _, intents = await armed(store, app, clock, node)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "2", "on Friday")
    failpoints = Failpoints()
    for nth in (1, 2, 1):
        failpoints.raise_at(where, Died(), nth=nth)
        with suppress(Died):
            await talk(talker_of(store, clock, failpoints))
        # As the next process does.
        await store.inbox.release()
    await talk(talker_of(store, clock))

    assert await said(store, app) == ["When?", "Thank you"]
    assert await rows(store, "select 1 from inbound where waits_since > 0 or session_no = 0") == []
    visits = await rows(
        store,
        "select v.no from flow_visit v join flow_session s on s.no = v.session_no where s.person = :person"
        " order by v.no",
        person=intents[0].person,
    )
    assert [row.no for row in visits] == list(range(1, len(visits) + 1))


async def test_two_nodes_make_each_turn_once(place: Place, store: Store, app: App, clock: StillClock, node: Node):
    other = await place.open() if place.kind == "postgres" else store
    _, intents = await armed(store, app, clock, node, 20)
    await node.tell(intents, Kind.accepted)
    for person in range(20):
        await say(store, app, clock, "2", "on Friday", to=person)
    talkers = [talker_of(each, clock, alone=False) for each in (store, other)]
    for _ in range(10):
        await asyncio.gather(*(talk(talker) for talker in talkers))
        # What one of them had to leave to the other.
        clock.advance(61)

    assert [await said(store, app, person) for person in range(20)] == [["When?", "Thank you"]] * 20
    assert set(await endings(store)) == {"done"}


async def test_two_replies_of_the_same_instant_are_taken_one_after_the_other(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 1)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "2", "2")
    await change(store, "update inbound set waits_since = :at", at=1)
    await talk(talker_of(store, clock))

    assert await said(store, app) == ["When?", "Thank you"]


DISPOSING = document(
    question(ASK, "how", QUESTION, exit_to(THANKS, "said")),
    block(THANKS, "note", "Callsheet.SetDisposition", {"disposition": "@results.how.value"}, exit_to(None, "done")),
)


async def test_a_reply_that_the_database_refuses_holds_up_no_other(
    store: Store, app: App, clock: StillClock, node: Node
):
    _, intents = await armed(store, app, clock, node, 2, DISPOSING)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "nothing\0", to=0)
    await say(store, app, clock, "all is well", to=1)
    await talk(talker_of(store, clock))

    ended = await rows(store, "select ending, disposition from flow_session where person = :p", p=intents[1].person)
    assert [tuple(row) for row in ended] == [("done", "all is well")]
    assert "" not in await endings(store)
    assert await rows(store, "select 1 from inbound where waits_since > 0") == []


async def test_a_damaged_reply_holds_up_no_other(store: Store, app: App, clock: StillClock, node: Node):
    _, intents = await armed(store, app, clock, node)
    await node.tell(intents, Kind.accepted)
    await say(store, app, clock, "2", to=0)
    await change(store, "update inbound set text_sealed = :torn", torn=b"torn")
    await say(store, app, clock, "2", to=1)
    await talk(talker_of(store, clock))

    assert (await said(store, app, 0), await said(store, app, 1)) == ([], ["When?"])
    assert await rows(store, "select 1 from inbound where waits_since > 0") == []


async def test_a_store_that_goes_away_over_a_turn_ends_no_conversation(
    store: Store, app: App, clock: StillClock, node: Node, monkeypatch: pytest.MonkeyPatch
):
    _, intents = await armed(store, app, clock, node, 1)
    await node.tell(intents, Kind.accepted)
    await talk(talker_of(store, clock))
    clock.advance(600)

    async def away(_: int) -> None:
        raise Unavailable

    talker = talker_of(store, clock)
    with monkeypatch.context() as patch:
        patch.setattr(store.runs, "by_no", away)
        with pytest.raises(Unavailable):
            await talker.look()
    await talk(talker_of(store, clock))

    assert await said(store, app) == ["Good bye"]
    assert await endings(store) == ["done"]


async def test_who_opts_out_ends_what_is_said(store: Store, app: App, clock: StillClock, node: Node):
    _, intents = await armed(store, app, clock, node)
    await node.tell(intents, Kind.accepted)
    await talk(talker_of(store, clock))
    await say(store, app, clock, "STOP")
    await store.opt_outs.add(app.no, Channel.sms, "api", [intents[1].person], clock.now())

    assert await endings(store) == ["opted_out", "opted_out"]
    assert await rows(store, "select 1 from open_session") == []
    clock.advance(3600)
    await talk(talker_of(store, clock))
    assert await rows(store, "select 1 from reply where kind = 'flow'") == []


async def test_the_notice_of_a_reply_names_its_conversation(store: Store, app: App, clock: StillClock, node: Node):
    _, intents = await armed(store, app, clock, node, 2)
    await node.tell(intents[:1], Kind.accepted)
    await say(store, app, clock, "hello", "STOP", "again")

    (talk_id,) = [row.id for row in await rows(store, "select id from flow_session")]
    told = await rows(store, "select payload from outbox where kind = 'message.received' order by seq")
    assert [json.loads(row.payload)["conversation_id"] for row in told] == [talk_id, talk_id, None]


async def test_a_stop_before_its_attempt_is_recorded_is_part_of_the_conversation(
    store: Store, app: App, clock: StillClock, node: Node
):
    await say(store, app, clock, "STOP", to=0)
    clock.advance(60)
    _, intents = await armed(store, app, clock, node, 3)
    await say(store, app, clock, "HELP", "STOP", "really", to=1)
    await talk(talker_of(store, clock))
    await node.tell(intents, Kind.accepted)
    await talk(talker_of(store, clock))

    query = "select i.person, i.word from inbound i join flow_session f on f.no = i.session_no order by i.at, i.word"
    assert [tuple(row) for row in await rows(store, query)] == [
        (person_of(store, app, number(1)), word) for word in ("help", "none", "stop")
    ]
    assert sorted(await endings(store)) == ["", "opted_out"]


async def test_who_is_put_on_the_dnc_list_hears_nothing_more(store: Store, app: App, clock: StillClock, node: Node):
    _, intents = await armed(store, app, clock, node, 1)
    await node.tell(intents, Kind.accepted)
    await talk(talker_of(store, clock))
    everywhere = await store.dnc_lists.create(app.no, "Global", clock.now(), is_global=True)
    await forbid(store, app, everywhere.no, [number(0)])
    clock.advance(3600)
    await talk(talker_of(store, clock))

    assert await said(store, app) == []
    assert await endings(store) == ["opted_out"]


async def test_a_deleted_list_ends_its_conversations(store: Store, app: App, clock: StillClock, node: Node):
    run, intents = await armed(store, app, clock, node)
    await node.tell(intents, Kind.accepted)
    await talk(talker_of(store, clock))
    await change(store, "insert into list_erasure values (:app, :no, 0, 100)", app=app.no, no=run.lists[0])
    while await store.erasing.erase(100, clock.now()):
        pass

    assert await endings(store) == ["closed", "closed"]
    kept = await rows(store, "select state_sealed from flow_session")
    assert [row.state_sealed for row in kept] == [b"", b""]


async def test_after_a_restore_nothing_goes_on(store: Store, app: App, clock: StillClock, node: Node):
    _, intents = await armed(store, app, clock, node)
    await node.tell(intents[:1], Kind.accepted)
    await say(store, app, clock, "2")
    await talk(talker_of(store, clock))
    await say(store, app, clock, "on Friday")
    await store.restoring.mark(clock.now() - timedelta(hours=1), clock.now())
    # What was armed before the restore may have been talked about.
    await node.tell(intents[1:], Kind.accepted)
    await say(store, app, clock, "2", to=1)
    await talk(talker_of(store, clock))

    assert await endings(store) == ["closed"]
    unsaid = await rows(store, "select state from reply where kind = 'flow'")
    assert [row.state for row in unsaid] == ["expired"]
