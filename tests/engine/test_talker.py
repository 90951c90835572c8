"""Conversations, in virtual time: the campaign's message begins them, replies and silence lead them on."""

from datetime import timedelta
from pathlib import Path

import pytest

from callsheet.core.campaign import Move
from callsheet.core.flow.manners import MOST_ANSWERS, MOST_BEGUN
from callsheet.core.run import PinnedFlow
from callsheet.engine import conversations, turning
from callsheet.engine.replier import HAND_SECONDS
from callsheet.engine.sweeper import TICK_SECONDS as SWEEPS_SECONDS
from callsheet.meters import registry
from callsheet.store.transcripts import Wanted
from conversing import (
    ASK,
    LATER,
    QUESTION,
    THANKS,
    WHAT,
    block,
    document,
    exit_to,
    make_flow,
    message,
    question,
)
from databases import rows
from engine.talking import endings, launch, open_ones, play, reply, said
from engine.world import SLOW_TICK, TICKS, World
from factories import MONDAY_NOON, SENDER, hours, make_list, number, opt_out, trunk_of


async def use_by_default(w: World, flow: PinnedFlow) -> None:
    made = (await rows(w.store, "select id from flow where no = :no", no=flow.no))[0]
    trunk = await trunk_of(w.store, w.app)
    await w.store.senders.put(w.app.no, SENDER, trunk.no, {"flow_id": made.id}, w.clock.now())


def test_a_conversation_goes_from_the_campaigns_message_to_its_end(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app))
        assert await open_ones(w) == 3
        await reply(w, number(0), "1")
        await reply(w, number(1), "2")
        await w.clock.sleep(3)
        assert (said(w, number(0)), said(w, number(1))) == (["Thank you"], ["When?"])
        await reply(w, number(1), "on Friday")
        await w.clock.sleep(3)
        assert said(w, number(1)) == ["When?", "Thank you"]
        await w.clock.sleep(130)
        assert said(w, number(2)) == ["Good bye"], "nobody replied in time"
        assert sorted(await endings(w)) == ["done", "done", "done"]
        assert await open_ones(w) == 0
        taken = await rows(w.store, "select session_no from inbound")
        assert all(row.session_no for row in taken)
        counted = await rows(w.store, "select block, what, name, value from flow_count order by block, what, name")
        assert [tuple(row) for row in counted if row.block == ASK] == [
            (ASK, "came", "", 3), (ASK, "exit", "no", 1), (ASK, "exit", "other", 1), (ASK, "exit", "yes", 1),
        ]  # fmt: skip
        kinds = [notice.kind for notice in await w.store.outbox.peek(100)]
        assert "conversation.started" not in kinds, "they were told"

    play(tmp_path, main, TICKS)


def test_two_replies_at_once_are_taken_in_their_order(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app), 1)
        await reply(w, number(0), "2")
        await reply(w, number(0), "on Friday")
        await w.clock.sleep(3)
        assert said(w, number(0)) == ["When?", "Thank you"]

    play(tmp_path, main)


def test_a_message_that_says_all_ends_at_once_and_says_it_once(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app, document(message(THANKS, "thanks", "Hello"))), 2)
        await w.clock.sleep(20)
        assert await endings(w) == ["done", "done"]
        assert said(w, number(0)) == []

    play(tmp_path, main)


JOINS = document(
    block(
        ASK,
        "join",
        "Core.SetGroupMembership",
        {"groups": [{"group_key": "g"}], "is_member": True},
        exit_to(THANKS, "x"),
    ),
    message(THANKS, "thanks", "Hello"),
)
BY_GROUP = document(
    block(ASK, "who", "Core.Case", {}, exit_to(WHAT, "member", "COUNT(contact.groups) > 0"), exit_to(LATER, "new")),
    question(LATER, "new", "At @HOUR(NOW())?", exit_to(THANKS, "said")),
    question(WHAT, "member", "Dear member?", exit_to(None, "said")),
    message(THANKS, "thanks", "In @COUNT(contact.groups)"),
)


def test_a_conversation_goes_on_from_what_the_campaigns_message_said(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app, JOINS), 1)
        await launch(w, await make_flow(w.store, w.app, BY_GROUP), 1, hours=hours(timezone="Asia/Kolkata"))
        await reply(w, number(0), "yes")
        await w.clock.sleep(3)
        assert [one.text for one in w.sent()] == ["Hello", "At 17?", "In 1"]

    play(tmp_path, main)


def test_a_new_version_does_not_disturb_who_talks(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app), 1)
        await make_flow(w.store, w.app, document(message(THANKS, "thanks", "Something else")))
        await reply(w, number(0), "2")
        await w.clock.sleep(3)
        await reply(w, number(0), "soon")
        await w.clock.sleep(3)
        assert said(w, number(0)) == ["When?", "Thank you"]

    play(tmp_path, main)


def test_a_newer_run_takes_the_place_of_an_older_conversation(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        flow = await make_flow(w.store, w.app)
        await launch(w, flow, 1)
        await reply(w, number(0), "2")
        await w.clock.sleep(3)
        await launch(w, flow, 1)
        await reply(w, number(0), "1")
        await w.clock.sleep(3)
        assert said(w, number(0)) == ["When?", "Thank you"]
        assert await endings(w) == ["replaced", "done"]

    play(tmp_path, main)


@pytest.mark.parametrize("how", ["reply", "call"])
def test_whoever_opts_out_hears_nothing_more(tmp_path: Path, how: str) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app), 1)
        await reply(w, number(0), "2")
        await w.clock.sleep(3)
        if how == "reply":
            await reply(w, number(0), "STOP")
        else:
            await opt_out(w.store, w.app, w.clock, number(0))
        assert await endings(w) == ["opted_out"], "at once"
        await reply(w, number(0), "1")
        await w.clock.sleep(200)
        assert [text for text in said(w, number(0)) if "no more messages" not in text] == ["When?"]
        assert await open_ones(w) == 0
        (talk,) = await w.store.transcripts.page(w.app.no, Wanted(), limit=2) or ()
        found = await w.store.transcripts.find(w.app.no, talk.id)
        heard = [line.text for line in found.lines if line.by == "contact"] if found is not None else []
        assert heard == ["2", "STOP"], "what ended it stands in it, and nothing later"

    play(tmp_path, main)


def test_a_late_reply_begins_the_senders_flow_or_is_recorded(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        flow = await make_flow(w.store, w.app)
        await launch(w, flow, 2)
        for one in (0, 1):
            await reply(w, number(one), "1")
        await w.clock.sleep(3)
        await reply(w, number(0), "thanks to you")
        await w.clock.sleep(3)
        assert said(w, number(0)) == ["Thank you"], "nothing is begun"
        assert await rows(w.store, "select 1 from inbound where waits_since > 0") == []

        helps = await make_flow(
            w.store,
            w.app,
            document(question(ASK, "how", "You said @session.trigger. How can we help?", exit_to(None, "ok"))),
            "help",
        )
        await use_by_default(w, helps)
        await reply(w, number(1), "where is it")
        await reply(w, number(1), "my parcel")
        await w.clock.sleep(3)
        assert said(w, number(1)) == ["Thank you", "You said where is it. How can we help?"]
        assert await endings(w) == ["done", "done", "done"]

    play(tmp_path, main)


def test_who_begins_again_and_again_is_a_robot(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await make_list(w.store, w.app, w.clock, 1)
        await use_by_default(w, await make_flow(w.store, w.app, document(message(THANKS, "thanks", "Hello"))))
        for _ in range(MOST_BEGUN + 5):
            await reply(w, number(0), "hello")
            await w.clock.sleep(3)
        assert len(said(w, number(0))) == MOST_BEGUN

    play(tmp_path, main)


@pytest.mark.parametrize("most", [MOST_ANSWERS // 5, pytest.param(MOST_ANSWERS, marks=pytest.mark.full)])
def test_a_flow_that_asks_for_ever_ends_with_a_robot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(turning, "MOST_ANSWERS", most)

    async def main(w: World) -> None:
        again = document(question(ASK, "again", QUESTION, exit_to(ASK, "again")))
        await launch(w, await make_flow(w.store, w.app, again), 1)
        for _ in range(most + 3):
            await reply(w, number(0), "hello")
            await w.clock.sleep(2)
        assert len(said(w, number(0))) == most
        (ended,) = await rows(w.store, "select ending, why from flow_session")
        assert (ended.ending, "robot" in ended.why) == ("failed", True)

    play(tmp_path, main)


def test_what_silence_says_waits_for_the_calling_hours(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        # It is noon; the time is up in two minutes, when the hours are over.
        await launch(w, await make_flow(w.store, w.app), 1, hours=hours(start=9 * 60, end=12 * 60 + 1))
        assert await open_ones(w) == 1
        await w.clock.sleep(8 * 3600)
        assert said(w, number(0)) == []
        await w.clock.sleep(14 * 3600)
        assert said(w, number(0)) == ["Good bye"]
        (sent,) = [one for one in w.sent() if one.text == "Good bye"]
        assert (sent.accepted_at - MONDAY_NOON) // timedelta(hours=1) == 21

    play(tmp_path, main, SLOW_TICK)


def test_silence_says_nothing_for_a_campaign_that_is_paused_or_stopped(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        # So slow that the run goes on still when the first are silent for too long.
        trunk = await trunk_of(w.store, w.app)
        await w.store.senders.put(w.app.no, SENDER, trunk.no, {"segments_per_second": 0.5}, w.clock.now())
        running = await launch(w, await make_flow(w.store, w.app), 40)
        paused = await w.store.campaigns.move(running, Move.pause, w.clock.now())
        await w.clock.sleep(600)
        assert said(w, number(0)) == []
        await reply(w, number(1), "1")
        await w.clock.sleep(3)
        assert said(w, number(1)) == ["Thank you"], "whoever asks is answered"
        await w.store.campaigns.move(paused, Move.stop, w.clock.now())
        await w.clock.sleep(300)
        assert said(w, number(0)) == []
        assert set(await endings(w)) == {"silent", "done"}

    play(tmp_path, main)


def test_what_silence_asks_of_a_webhook_waits_for_the_calling_hours(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        asks = document(
            question(ASK, "how", QUESTION, exit_to(LATER, "said")),
            block(LATER, "look", "Callsheet.Webhook", {"url": "https://shop.example/orders"}, exit_to(THANKS, "told")),
            message(THANKS, "thanks", "Good bye"),
        )
        await launch(w, await make_flow(w.store, w.app, asks), 1, hours=hours(start=9 * 60, end=12 * 60 + 1))
        await w.clock.sleep(8 * 3600)
        assert await rows(w.store, "select 1 from errand") == [], "its answer would be said at night"
        await w.clock.sleep(14 * 3600)
        assert len(await rows(w.store, "select 1 from errand")) == 1

    play(tmp_path, main, SLOW_TICK)


HANDED = document(
    question(ASK, "how", QUESTION, exit_to(LATER, "help")),
    block(
        LATER, "help", "Callsheet.HandOver", {"queue": "Nobody's", "prompt": "One moment"}, exit_to(THANKS, "closed")
    ),
    message(THANKS, "thanks", "Good bye"),
)


def test_somebody_of_the_queue_takes_replies_and_closes(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app, HANDED), 1)
        await reply(w, number(0), "somebody, please")
        await w.clock.sleep(3)
        assert said(w, number(0)) == ["One moment"]
        queue = next(one for one in await w.store.queues.of_app(w.app.no, limit=10) if one.is_default)
        (waiting,) = await w.store.transcripts.page(w.app.no, Wanted(queue_no=queue.no), limit=10) or ()
        await w.clock.sleep(2 * SWEEPS_SECONDS)
        assert registry.get_sample_value("callsheet_waiting_conversations") == 1
        assert (registry.get_sample_value("callsheet_longest_wait_seconds") or 0) > SWEEPS_SECONDS / 2
        await conversations.take(w.runtime, w.app.no, waiting.id, "Ann")
        await w.clock.sleep(2 * SWEEPS_SECONDS)
        assert registry.get_sample_value("callsheet_waiting_conversations") == 0
        await conversations.say(w.runtime, w.app.no, waiting.id, "Ann", "How can I help?")
        await reply(w, number(0), "with this")
        await w.clock.sleep(3)
        assert said(w, number(0)) == ["One moment", "How can I help?"], "the flow says nothing meanwhile"
        await conversations.close(w.runtime, w.app.no, waiting.id, "Ann", "solved")
        await w.clock.sleep(3)
        assert said(w, number(0)) == ["One moment", "How can I help?", "Good bye"]
        (ended,) = await rows(w.store, "select ending, disposition, agent, queue_no from flow_session")
        assert tuple(ended) == ("done", "solved", "Ann", 0)

    play(tmp_path, main, TICKS)


def test_what_a_process_that_stood_still_has_not_handed_is_taken_again(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app), 3)

        def stand_still() -> None:
            w.clock._loop._virtual.now_seconds += HAND_SECONDS

        w.failpoints.call_at("before_hand", stand_still)
        for to in range(3):
            await reply(w, number(to), "1")
        await w.clock.sleep(10)
        assert [said(w, number(to)) for to in range(3)] == [["Thank you"]] * 3
        states = await rows(w.store, "select state from reply")
        assert {row.state for row in states} == {"accepted"}

    play(tmp_path, main)
