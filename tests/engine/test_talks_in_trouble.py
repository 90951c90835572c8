"""Conversations that something comes into the way of: a stop, a DNC list, a flow that is gone, a terse carrier."""

from datetime import timedelta
from pathlib import Path

import pytest

from callsheet.core.pools import Pool
from callsheet.engine import contacts, stopping
from callsheet.engine.tuning import Tuning
from callsheet.engine.turning import NO_FLOW_LEFT
from conversing import ASK, LATER, QUESTION, THANKS, WHAT, block, document, exit_to, make_flow, message, question
from databases import change, rows
from engine.talking import answer, endings, launch, open_ones, play, reply, said
from engine.world import World
from factories import SENDER, contact, number, trunk_of

ASKING = document(
    question(ASK, "how", QUESTION, exit_to(LATER, "said")),
    block(LATER, "look", "Callsheet.Webhook", {"url": "https://shop.example/orders"}, exit_to(WHAT, "told")),
    question(WHAT, "more", "@results.look.value. More?", exit_to(THANKS, "said")),
    message(THANKS, "thanks", "@results.more.value it is"),
)


async def pace(w: World, segments_per_second: float) -> None:
    trunk = await trunk_of(w.store, w.app)
    await w.store.senders.put(w.app.no, SENDER, trunk.no, {"segments_per_second": segments_per_second}, w.clock.now())


async def restart(w: World) -> None:
    await w.conductor.stop()
    await w.start()


async def of_answers(w: World) -> list[tuple[str, str]]:
    return [tuple(row) for row in await rows(w.store, "select state, code from reply order by no")]


def test_replies_wait_for_a_webhook_and_are_taken_in_their_order(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app, ASKING), 1)
        for text in ("hello", "tea", "coffee"):
            await reply(w, number(0), text)
        await w.clock.sleep(30)
        assert said(w, number(0)) == []
        assert await answer(w, "Ready")
        await w.clock.sleep(3)
        assert said(w, number(0)) == ["Ready. More?", "tea it is"]
        assert await endings(w) == ["done"]
        late = await rows(w.store, "select session_no, waits_since from inbound order by at, waits_since")
        assert sorted((row.session_no, row.waits_since) for row in late) == [(0, 0), (1, 0), (1, 0)]

    play(tmp_path, main)


def test_nothing_goes_on_while_all_sending_is_stopped_and_afterwards_it_does(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await pace(w, 0.2)
        await launch(w, await make_flow(w.store, w.app), 3)
        await w.clock.sleep(30)
        # One answer leaves, and the other waits for the sender.
        await reply(w, number(0), "2")
        await reply(w, number(1), "2")
        await w.clock.sleep(2)
        await stopping.stop_all(w.runtime, w.app, "Wrong text", "me")
        before = len(w.sent())
        await reply(w, number(2), "1")
        await w.clock.sleep(900)
        assert len(w.sent()) == before, "no answer, and nobody is told that time is up"
        assert sorted(await of_answers(w)) == [("accepted", ""), ("waiting", "")]
        assert await endings(w) == ["", "", ""]

        await stopping.allow(w.runtime, w.app)
        await w.clock.sleep(60)
        # Who replied meanwhile replied in time; whose question waited is asked it now, and has all the time for it.
        assert said(w, number(2)) == ["Thank you"]
        assert sorted([said(w, number(0)), said(w, number(1))]) == [["When?"], ["When?", "Thank you"]]
        assert sorted(await endings(w)) == ["", "done", "done"]
        await w.clock.sleep(900)
        assert [said(w, number(0)), said(w, number(1))] == [["When?", "Thank you"]] * 2
        assert await endings(w) == ["done", "done", "done"]

    play(tmp_path, main, Tuning(tick_seconds=20.0))


def test_what_a_webhook_answers_waits_until_sending_is_allowed_again(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app, ASKING), 1)
        await reply(w, number(0), "hello")
        await w.clock.sleep(3)
        await stopping.stop_all(w.runtime, w.app, "Wrong text", "me")
        assert not await answer(w, "Ready")
        later = w.clock.now() + timedelta(hours=2)
        assert await w.store.errands.take(later, most=9, most_each=9, busy={}) == ([], None)
        await w.clock.sleep(60)
        assert said(w, number(0)) == []

        await stopping.allow(w.runtime, w.app)
        ((errand,), _) = await w.store.errands.take(later, most=9, most_each=9, busy={})
        assert await answer(w, "Ready")
        assert not await w.store.errands.waits(w.app.no, errand.session_no, errand.id)
        await w.clock.sleep(3)
        assert said(w, number(0)) == ["Ready. More?"]

    play(tmp_path, main)


def test_whoever_is_put_on_the_dnc_list_gets_no_answer_that_was_due(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await pace(w, 0.2)
        await launch(w, await make_flow(w.store, w.app), 2)
        await w.clock.sleep(30)
        everywhere = await w.store.dnc_lists.create(w.app.no, "Global", w.clock.now(), is_global=True)
        for one in (0, 1):
            await reply(w, number(one), "2")
        await w.clock.sleep(2)
        (late,) = {number(0), number(1)} - {one.to for one in w.sent() if not one.campaign_id}
        await contacts.forbid(w.runtime, w.app, everywhere, [late])
        await w.clock.sleep(600)
        assert said(w, late) == []
        assert set(await of_answers(w)) == {("accepted", ""), ("expired", "dnc")}
        assert sorted(await endings(w)) == ["done", "opted_out"]

    play(tmp_path, main)


def test_whoever_is_put_on_the_dnc_list_while_a_webhook_is_asked_hears_nothing_of_it(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app, ASKING), 1)
        everywhere = await w.store.dnc_lists.create(w.app.no, "Global", w.clock.now(), is_global=True)
        await reply(w, number(0), "hello")
        await reply(w, number(0), "tea")
        await w.clock.sleep(3)
        await contacts.forbid(w.runtime, w.app, everywhere, [number(0)])
        await answer(w, "Ready")
        await w.clock.sleep(120)
        assert (said(w, number(0)), await endings(w)) == ([], ["opted_out"])
        assert await rows(w.store, "select 1 from errand") == []
        assert await rows(w.store, "select 1 from inbound where waits_since > 0") == []

    play(tmp_path, main)


def test_a_reply_whose_carrier_names_no_sender_goes_to_the_latest_conversation(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        flow = await make_flow(w.store, w.app)
        await launch(w, flow, 1)
        await launch(w, flow, 1, sender="+12125550199")
        assert await open_ones(w) == 2
        await reply(w, number(0), "2", sender="")
        await w.clock.sleep(3)
        await reply(w, number(0), "soon", sender="")
        await w.clock.sleep(3)
        got = [(one.sender, one.text) for one in w.sent() if not one.campaign_id]
        assert got == [("+12125550199", "When?"), ("+12125550199", "Thank you")]
        assert await endings(w) == ["", "done"]

    play(tmp_path, main)


def test_who_got_a_message_of_a_pool_talks_with_the_sender_that_spoke(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        labels = "+12125550111", "+12125550112"
        members = [await w.store.apps.find_sender(w.app.no, label, w.clock.now()) for label in labels]
        pool = await w.store.apps.find_sender(w.app.no, "Pool", w.clock.now())
        assert pool is not None
        pooled = Pool(tuple(one.no for one in members if one is not None))
        await w.store.senders.change(w.app.no, pool.id, {"pool": pooled}, w.clock.now())
        await launch(w, await make_flow(w.store, w.app), 12, sender="Pool")
        spoke = {one.to: one.sender for one in w.sent()}
        assert set(spoke.values()) == set(labels)
        for to, sender in spoke.items():
            await reply(w, to, "2", sender=sender)
        await w.clock.sleep(5)
        assert {one.to: one.sender for one in w.sent() if one.text == "When?"} == spoke

    play(tmp_path, main)


def test_a_run_keeps_its_version_of_the_flow_and_so_do_its_conversations(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await pace(w, 0.5)
        await launch(w, await make_flow(w.store, w.app), 20)
        first = {one.to for one in w.sent()}
        newer = message(THANKS, "thanks", "Something else")
        await make_flow(w.store, w.app, document(newer))
        await restart(w)
        await w.clock.sleep(60)
        assert len(first) < len(w.sent()) == 20
        assert {one.text for one in w.sent()} == {QUESTION}
        last = next(one.to for one in reversed(w.sent()))
        await pace(w, 100)
        for to in (min(first), last):
            await reply(w, to, "2")
        await w.clock.sleep(5)
        assert [said(w, to) for to in (min(first), last)] == [["When?"], ["When?"]]
        assert {row.version for row in await rows(w.store, "select version from flow_session")} == {1}

    play(tmp_path, main)


@pytest.mark.parametrize("how", ["reply", "silence"])
def test_a_conversation_whose_flow_is_gone_ends_and_says_why(tmp_path: Path, how: str) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app), 1)
        await w.conductor.stop()
        await change(w.store, "delete from flow_version")
        await w.start()
        if how == "reply":
            await reply(w, number(0), "2")
        await w.clock.sleep(200)
        assert said(w, number(0)) == []
        assert [tuple(row) for row in await rows(w.store, "select ending, why from flow_session")] == [
            ("failed", NO_FLOW_LEFT)
        ]
        assert await rows(w.store, "select 1 from inbound where waits_since > 0") == []

    play(tmp_path, main)


def test_a_run_whose_flow_is_gone_waits_and_holds_up_no_other(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await pace(w, 0.5)
        await launch(w, await make_flow(w.store, w.app, name="gone"), 20)
        await w.conductor.stop()
        before = len(w.sent())
        await change(w.store, "delete from flow_version")
        await w.start()
        await pace(w, 100)
        await launch(w, await make_flow(w.store, w.app), [contact(w.store, w.app, number(50))])
        assert {one.to for one in w.sent()[before:]} == {number(50)}

    play(tmp_path, main)


def test_a_conversation_whose_opening_was_not_delivered_ends_quietly(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        nowhere = "+12125559904"
        await launch(w, await make_flow(w.store, w.app), [contact(w.store, w.app, nowhere)])
        await w.clock.sleep(300)
        assert [one.text for one in w.sent()] == [QUESTION]
        assert await endings(w) == ["silent"]

    play(tmp_path, main)
