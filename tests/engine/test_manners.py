"""What conversations keep to when the night comes in between, in virtual time: whom nobody woke sleeps on."""

from datetime import timedelta
from pathlib import Path

import pytest

from callsheet.core.campaign import Campaign, Move
from callsheet.engine import stopping
from conversing import ASK, LATER, QUESTION, THANKS, WHAT, block, document, exit_to, make_flow, message, question
from databases import rows
from engine.talking import answer, endings, launch, play, reply, said
from engine.world import SLOW_TICK, TICKS, World, taken
from factories import MONDAY_NOON, SENDER, contact, heard, hours, number, trunk_of

ASKS = block(LATER, "look", "Callsheet.Webhook", {"url": "https://shop.example/orders"}, exit_to(THANKS, "told"))
REMINDS = document(
    question(ASK, "how", QUESTION, exit_to(LATER, "said")),
    ASKS,
    question(THANKS, "more", "@results.look.value. More?", exit_to(WHAT, "said")),
    message(WHAT, "bye", "Good bye"),
    timeout_seconds=24 * 3600,
)
NIGHT = hours(start=9 * 60, end=12 * 60 + 5)
"""It is noon when a conversation begins."""


def left_at(w: World, text: str) -> timedelta:
    """Return how long after noon a message left, the only one of this text."""
    (sent,) = [one for one in w.sent() if one.text == text]
    return sent.accepted_at - MONDAY_NOON


async def silence(w: World, **changes: object) -> Campaign:
    """Run a campaign whose contact says nothing for two minutes, so that a webhook is asked."""
    asks = {**REMINDS, "flows": [{**REMINDS["flows"][0], "interaction_timeout": 120}]}
    begun = await launch(w, await make_flow(w.store, w.app, asks), 1, hours=NIGHT, **changes)
    await w.clock.sleep(130)
    assert len(await rows(w.store, "select 1 from errand")) == 1
    return begun


def test_what_a_webhook_that_silence_asked_answers_at_night_is_said_in_the_morning(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await silence(w)
        await w.clock.sleep(300)
        assert await answer(w, "Ready")
        await w.clock.sleep(20 * 3600)
        assert said(w, number(0)) == []
        assert await rows(w.store, "select 1 from errand") == [], "it is asked once"
        await w.clock.sleep(54 * 60)
        assert said(w, number(0)) == ["Ready. More?"]
        assert left_at(w, "Ready. More?") // timedelta(hours=1) == 21
        assert await endings(w) == [""], "the time for a reply counts from then on"

    play(tmp_path, main, SLOW_TICK)


def test_who_writes_at_night_hears_what_was_put_off_first(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await silence(w)
        await w.clock.sleep(300)
        assert await answer(w, "Ready")
        await w.clock.sleep(8 * 3600)
        await reply(w, number(0), "hello?")
        await w.clock.sleep(120)
        assert said(w, number(0)) == ["Ready. More?", "Good bye"]

    play(tmp_path, main, SLOW_TICK)


@pytest.mark.parametrize("move", [Move.pause, Move.stop])
def test_what_silence_has_asked_of_a_webhook_goes_on_with_its_run_only(tmp_path: Path, move: Move) -> None:
    async def main(w: World) -> None:
        # So slow that the run goes on still.
        trunk = await trunk_of(w.store, w.app)
        await w.store.senders.put(w.app.no, SENDER, trunk.no, {"segments_per_second": 0.5}, w.clock.now())
        asks = {**REMINDS, "flows": [{**REMINDS["flows"][0], "interaction_timeout": 30}]}
        running = await launch(w, await make_flow(w.store, w.app, asks), 100)
        await w.clock.sleep(30)
        (errand,) = (await rows(w.store, "select session_no, id from errand order by session_no"))[:1]
        moved = await w.store.campaigns.move(running, move, w.clock.now())
        assert await answer(w, "Ready", errand)
        await w.clock.sleep(300)
        assert [one.text for one in w.sent() if not one.campaign_id] == []
        (ended,) = await rows(w.store, "select ending from flow_session where no = :no", no=errand.session_no)
        assert ended.ending == ("silent" if move is Move.stop else "")
        if move is Move.pause:
            await w.store.campaigns.move(moved, Move.resume, w.clock.now())
            await w.clock.sleep(120)
            assert [one.text for one in w.sent() if not one.campaign_id] == ["Ready. More?"]

    play(tmp_path, main, TICKS)


ALL_DAY = document(
    question(ASK, "how", QUESTION, exit_to(LATER, "said")),
    question(LATER, "more", "@results.how.value it is. More?", exit_to(ASK, "said")),
    timeout_seconds=4 * 3600,
)


def test_replies_that_were_written_long_ago_are_answered_in_the_morning_in_their_order(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app, ALL_DAY), 2, hours=NIGHT)
        await stopping.stop_all(w.runtime, w.app, "Wrong text", "me")
        for text in ("tea", "coffee"):
            await reply(w, number(0), text)
        await w.clock.sleep(8 * 3600)
        await stopping.allow(w.runtime, w.app)
        await w.clock.sleep(600)
        looks, began = taken(w), w.clock.now()
        assert not await w.conductor.talker.look(), "there is nothing to do, and it rests"
        await reply(w, number(1), "milk")
        await w.clock.sleep(600)
        assert (said(w, number(0)), said(w, number(1))) == ([], ["milk it is. More?"])
        assert looks == ["milk"]
        assert w.clock.now() - began < timedelta(minutes=11)
        await w.clock.sleep(13 * 3600)
        assert said(w, number(0)) == ["tea it is. More?", QUESTION]
        assert left_at(w, "tea it is. More?") // timedelta(hours=1) == 21

    play(tmp_path, main)


def test_what_was_asked_while_the_program_was_stopped_is_answered_within_the_zones_hours(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        # It is noon in London and seven in the morning in New York.
        people = [contact(w.store, w.app, number(0)), contact(w.store, w.app, number(1), zone="America/New_York")]
        day = hours(start=7 * 60, end=17 * 60)
        await launch(w, await make_flow(w.store, w.app, ALL_DAY), people, hours=day)
        await w.conductor.stop()
        trunk = await trunk_of(w.store, w.app)
        for to in (0, 1):
            tells = heard(w.store, w.app, w.clock, number(to), "tea")
            await w.store.inbox.hear(w.app.no, trunk.no, [tells], w.clock.now(), somebody_answers=True)
        await w.clock.sleep(8 * 3600)
        await w.start()
        await w.clock.sleep(600)
        assert (said(w, number(0)), said(w, number(1))) == ([], ["tea it is. More?"])
        await w.clock.sleep(12 * 3600)
        assert said(w, number(0)) == ["tea it is. More?"]

    play(tmp_path, main, SLOW_TICK)


def test_an_errand_that_took_long_is_told_of_in_the_morning(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await launch(w, await make_flow(w.store, w.app, REMINDS), 1, hours=NIGHT)
        await reply(w, number(0), "hello")
        await w.clock.sleep(60)
        await stopping.stop_all(w.runtime, w.app, "Wrong text", "me")
        await w.clock.sleep(8 * 3600)
        await stopping.allow(w.runtime, w.app)
        assert await answer(w, "Ready")
        await w.clock.sleep(600)
        assert said(w, number(0)) == []
        await w.clock.sleep(13 * 3600)
        assert left_at(w, "Ready. More?") // timedelta(hours=1) == 21

    play(tmp_path, main, SLOW_TICK)


def test_an_answer_that_could_not_leave_for_long_leaves_in_the_morning(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        trunk = await trunk_of(w.store, w.app)
        await launch(w, await make_flow(w.store, w.app, ALL_DAY), 2, hours=NIGHT)
        await w.store.senders.put(w.app.no, SENDER, trunk.no, {"segments_per_second": 0.05}, w.clock.now())
        for to in (0, 1):
            await reply(w, number(to), "tea")
        await w.clock.sleep(2)
        await stopping.stop_all(w.runtime, w.app, "Wrong text", "me")
        before = len(w.sent())
        await w.clock.sleep(8 * 3600)
        await stopping.allow(w.runtime, w.app)
        await w.clock.sleep(1200)
        assert len(w.sent()) == before
        waiting = await rows(w.store, "select state from reply where state = 'waiting'")
        assert len(waiting) >= 1
        await w.clock.sleep(13 * 3600)
        both = sorted(one.accepted_at - MONDAY_NOON for one in w.sent() if one.text == "tea it is. More?")
        assert [after // timedelta(hours=1) for after in both] == [0, 21]

    play(tmp_path, main, SLOW_TICK)
