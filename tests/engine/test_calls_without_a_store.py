"""Calls while the store is away: nobody holds the line for long, and what came of it is written when it is back."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from calling import BEEPS, SPEAKS, Phone, PlainPrompts, heard, noted, stranger_of
from callsheet.core.campaign import MachineDetection
from callsheet.core.errors import Unavailable
from callsheet.core.flow.effects import Say
from callsheet.core.outcome import Outcome
from callsheet.engine.calling.patience import MOST_AWAY_SECONDS
from callsheet.engine.calling.phone_talk import NO_VOICEMAIL
from callsheet.engine.calling.prompts import Unspoken
from callsheet.voice.base import Sound
from conversing import ASK, QUESTION, block, make_flow
from databases import away, rows
from engine.calls import call, codes
from engine.calls import play as play_world
from engine.test_call_records import records_of
from engine.test_phone_talk import OPEN, PAYMENT, document, ended, values
from engine.test_phone_talk_in_time import TWICE, play
from engine.world import World
from factories import Node

PERSON, MACHINE = "+12125550001", "+12125559924"
MAIL = document(block(ASK, "mail", "Callsheet.LeaveVoicemail", {"prompt": "Call us", "longest_wait_seconds": 5}))


class StoredPrompts(PlainPrompts):
    """Prompts that are looked up in the store, as recordings are."""

    def __init__(self, phone: Phone) -> None:
        super().__init__(5.0)
        self._phone = phone

    async def prepare(self, app: int, say: Say, language: str) -> Sequence[Sound]:
        assert await self._phone.store.sounds.called(app, say.text) is None
        return await super().prepare(app, say, language)


class MutePrompts(PlainPrompts):
    """Prompts that nothing can speak, or in which nothing is said."""

    def __init__(self, made: Sequence[Sound] | Unspoken) -> None:
        super().__init__()
        self._made = made

    async def prepare(self, app: int, say: Say, language: str) -> Sequence[Sound] | Unspoken:  # type: ignore[override]
        del app, say, language
        return self._made


async def until_answered(w: World) -> None:
    """Wait until somebody has answered, as the network knows."""
    trunk = (await w.store.apps.trunks(w.app.no))[0]
    for _ in range(60_000):
        if any(one.answered_at for one in w.phones.calls(trunk.id, 0, 10)):
            return
        await w.clock.sleep(0.001)
    raise AssertionError("nobody answered")


async def until_written(w: World) -> Any:
    """Wait until the record of the one call is closed, and return it."""
    for _ in range(600):
        if found := await rows(w.store, "select * from call where ended_at > 0"):
            return found[0]
        await w.clock.sleep(1)
    raise AssertionError("no call was closed")


@pytest.mark.parametrize("is_done", [False, True], ids=["refused", "done, and nobody said so"])
def test_what_is_spoken_while_the_store_blips_is_kept_once_and_is_the_answer(tmp_path: Path, *, is_done: bool):
    async def main(phone: Phone, node: Node) -> None:
        keep = phone.store.recordings.keep

        async def blip(*args: Any, **more: Any) -> None:
            phone.store.recordings.keep = keep  # type: ignore[method-assign]
            if is_done:
                await keep(*args, **more)
            raise Unavailable

        phone.store.recordings.keep = blip  # type: ignore[method-assign]
        live = await phone.call(node, OPEN, {"(recorded)": [(0, SPEAKS), (0, "#")]})
        assert await phone.talk.lead(live, "human")

        assert heard(live) == ["Why?", "Thank you"]
        (kept,) = await rows(phone.store, "select id from recording")
        assert await values(phone.store, phone.app, "value") == [kept.id]

    play(tmp_path, main)


@pytest.mark.parametrize("hangs", [False, True])
def test_whose_answer_cannot_be_kept_does_not_hold_the_line_for_long(tmp_path: Path, *, hangs: bool):
    async def main(phone: Phone, node: Node) -> None:
        async def refuse(*_: Any, **__: Any) -> None:
            if hangs:
                await asyncio.Event().wait()
            raise Unavailable

        phone.store.recordings.keep = refuse  # type: ignore[method-assign]
        live = await phone.call(node, OPEN, {"(recorded)": [(0, SPEAKS), (0, "#")]})
        began_at = phone.clock.now()
        assert not await phone.talk.lead(live, "human")

        assert live.end is None or live.end.at - began_at <= timedelta(seconds=MOST_AWAY_SECONDS + 6)
        assert stranger_of(live).is_over

    play(tmp_path, main)


@pytest.mark.parametrize("hangs", [False, True])
@pytest.mark.parametrize("away_seconds", [5.0, 60.0])
def test_who_answers_while_the_store_is_away_does_not_hold_the_line_for_long(
    tmp_path: Path, away_seconds: float, *, hangs: bool
):
    async def main(w: World) -> None:
        await call(w, [PERSON], flow=await make_flow(w.store, w.app, PAYMENT))
        await until_answered(w)
        answered_at = w.clock.now()
        with away(w.store, hangs=hangs):
            await w.clock.sleep(away_seconds)
            living = list(w.phones.living())
        row = await until_written(w)

        assert await codes(w, PERSON) == [(1, "delivered", "human")]
        (session,) = await rows(w.store, "select no, ending from flow_session")
        assert row.session_no == session.no
        if away_seconds < MOST_AWAY_SECONDS:
            assert living
            assert (row.outcome, session.ending) == ("human", "done")
            return
        assert not living
        assert (row.outcome, row.ended_by, session.ending) == ("lost", "us", "hung_up")
        talked_seconds = (row.ended_at - row.answered_at) / 1e6
        assert talked_seconds == pytest.approx(MOST_AWAY_SECONDS, abs=2)
        assert answered_at < w.clock.now()
        assert await rows(w.store, "select 1 from open_session") == []

    play_world(tmp_path, main, prompts=PlainPrompts(2.0))


def test_a_machine_that_was_to_be_hung_up_on_is_one_whenever_that_is_written(tmp_path: Path):
    async def main(w: World) -> None:
        await call(w, [MACHINE], detection=MachineDetection.disconnect, max_attempts=1)
        await until_answered(w)
        with away(w.store):
            await w.clock.sleep(60)
        row = await until_written(w)

        assert row.outcome == "machine"
        assert await codes(w, MACHINE) == [(1, "accepted", "answered"), (1, "undelivered", "machine")]

    play_world(tmp_path, main)


def test_who_hangs_up_while_the_store_is_away_leaves_no_conversation_behind(tmp_path: Path):
    silent = "+12125559903"

    async def main(w: World) -> None:
        await call(w, [silent], flow=await make_flow(w.store, w.app, PAYMENT))
        await until_answered(w)
        with away(w.store):
            await w.clock.sleep(5)
            assert not w.phones.living(), "he hung up after a moment"
        row = await until_written(w)

        assert (row.outcome, row.ended_by) == ("human", "them")
        assert (row.ended_at - row.answered_at) / 1e6 < 5
        (session,) = await rows(w.store, "select no, ending, why from flow_session")
        assert (session.no, session.ending, session.why) == (row.session_no, "hung_up", "The contact hung up.")

    play_world(tmp_path, main, prompts=PlainPrompts(2.0))


def test_a_prompt_is_asked_for_again_while_the_store_is_away(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        phone.prompts = StoredPrompts(phone)
        phone.renew()
        live = await phone.call(node, PAYMENT, {QUESTION: [(7, "1")]})
        taken = away(phone.store)

        def take() -> None:
            taken.__enter__()
            asyncio.get_running_loop().call_later(15, taken.__exit__, None, None, None)

        phone.failpoints.call_at("after_turn", take)
        assert await phone.talk.lead(live, "human")
        assert heard(live) == [QUESTION, "Thank you"]
        assert await values(phone.store, phone.app) == ["1"]

    play(tmp_path, main)


def test_who_cannot_be_told_what_they_are_asked_is_not_kept_in_silence(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        phone.prompts = StoredPrompts(phone)
        phone.renew()
        live = await phone.call(node, PAYMENT)
        records = records_of(phone.store, phone.clock, node.no)
        began_at = phone.clock.now()
        live.note(began_at, "answered")
        taken = away(phone.store)
        phone.failpoints.call_at("after_turn", taken.__enter__)

        assert not await phone.talk.lead(live, "human")
        await live.hear()
        assert heard(live) == []
        assert stranger_of(live).is_over, "nobody is left on the line"
        taken.__exit__(None, None, None)
        records.ended(live, Outcome.lost)
        await records._flush()
        assert [ending for ending, _ in await ended(phone.store)] == ["hung_up"]
        assert await rows(phone.store, "select 1 from open_session") == []

    play(tmp_path, main)


def test_no_voicemail_is_left_without_words(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        for made, why in ((Unspoken("It is broken."), "It is broken."), ((), "There was nothing to say.")):
            phone.prompts = MutePrompts(made)
            phone.renew()
            live = await phone.call(node, MAIL, {"(listened to)": [(0, BEEPS)]})
            await phone.talk.lead(live, "machine")

            assert heard(live) == []
            assert (await ended(phone.store))[-1] == ("failed", f"{NO_VOICEMAIL} {why}")
            assert noted(live, "beep") == [], "nothing was waited for"

    play(tmp_path, main)


def test_a_voicemail_is_made_before_it_is_written_down_that_it_is_left(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        phone.prompts = StoredPrompts(phone)
        phone.renew()
        live = await phone.call(node, MAIL)
        taken = away(phone.store)
        phone.failpoints.call_at("after_turn", taken.__enter__)

        assert await phone.talk.lead(live, "machine")
        taken.__exit__(None, None, None)
        assert heard(live) == ["Call us"]
        assert await ended(phone.store) == [("done", "")]

    play(tmp_path, main)


def test_what_was_pressed_once_answers_one_question_also_when_the_answer_of_the_store_is_lost(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        live = await phone.call(node, TWICE, {QUESTION: [(7, "2")], "Again?": [(7, "12#")]})
        write, tries = phone.store.flow_sessions.write, 0

        async def unheard(*args: Any) -> set[int]:
            nonlocal tries
            tries += 1
            lost = await write(*args)
            if tries == 2:
                raise Unavailable
            return lost

        phone.store.flow_sessions.write = unheard  # type: ignore[method-assign]
        await phone.talk.lead(live, "human")

        assert heard(live) == [QUESTION, "Again?", "Thank you"]
        assert await values(phone.store, phone.app) == ["2", "12"]

    play(tmp_path, main)
