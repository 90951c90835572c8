"""What conversations keep to when the night comes in between, in virtual time: whom nobody woke sleeps on."""

from datetime import timedelta
from pathlib import Path

import pytest

from callsheet.core.campaign import Campaign, Move
from callsheet.engine.tuning import Tuning
from conversing import ASK, LATER, QUESTION, THANKS, WHAT, block, document, exit_to, make_flow, message, question
from databases import rows
from engine.talking import answer, endings, launch, play, reply, said
from engine.world import World
from factories import MONDAY_NOON, SENDER, hours, number, trunk_of

SLOW = Tuning(tick_seconds=60.0)
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

    play(tmp_path, main, SLOW)


def test_who_writes_at_night_hears_what_was_put_off_first(tmp_path: Path) -> None:
    async def main(w: World) -> None:
        await silence(w)
        await w.clock.sleep(300)
        assert await answer(w, "Ready")
        await w.clock.sleep(8 * 3600)
        await reply(w, number(0), "hello?")
        await w.clock.sleep(120)
        assert said(w, number(0)) == ["Ready. More?", "Good bye"]

    play(tmp_path, main, SLOW)


@pytest.mark.parametrize("move", [Move.pause, Move.stop])
def test_what_silence_has_asked_of_a_webhook_goes_on_with_its_run_only(tmp_path: Path, move: Move) -> None:
    async def main(w: World) -> None:
        # So slow that the run goes on still.
        trunk = await trunk_of(w.store, w.app)
        await w.store.senders.put(w.app.no, SENDER, trunk.no, {"segments_per_second": 0.5}, w.clock.now())
        asks = {**REMINDS, "flows": [{**REMINDS["flows"][0], "interaction_timeout": 120}]}
        running = await launch(w, await make_flow(w.store, w.app, asks), 200)
        await w.clock.sleep(120)
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

    play(tmp_path, main)
