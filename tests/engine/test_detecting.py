"""Who answered is heard, by the campaign's own thresholds; of a share of machines what was heard is kept."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from calling import Phone, heard, noted, stranger_of
from callsheet.core.campaign import MachineDetection, Mode, VoicePlan
from callsheet.core.outcome import Outcome
from callsheet.core.run import AppSettings
from callsheet.engine.calling.detecting import Detecting
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.machine_samples import DRAIN_SECONDS, MOST_WAITING, MachineSamples
from callsheet.engine.calling.recordings import RecordingKeeper
from callsheet.store.apps import App
from callsheet.store.store import Store
from callsheet.store.told_calls import WantedCalls
from callsheet.voice.audio.wave import HEADER_BYTES
from callsheet.voice.detection import Detector
from callsheet.voice.sandbox import sounds
from databases import away, rows
from engine.calls import call, called, codes, placed, play
from engine.test_call_endings import kill, ringing
from engine.test_calls_in_trouble import Link
from engine.test_phone_talk import PAYMENT, values
from engine.test_phone_talk_in_time import play as play_phone
from engine.world import World
from factories import Node, StillClock
from phone_numbers import numbers

(PERSON,) = [to for to in numbers("IN", 5) if not to[-4:].startswith("99")][:1]
(MACHINE,) = numbers("IN", 1, ending="9924")
QUIET = bytes(sounds.FRAME_BYTES * 25)
GREETING = QUIET + sounds.speech(7.0)
HELLO = QUIET + sounds.speech(0.5) + QUIET * 6


@pytest.mark.parametrize(("share", "kept"), [(0.0, 0), (1.0, 1)])
def test_of_a_share_of_machines_what_was_heard_is_kept_and_of_nobody_else(tmp_path: Path, share: float, kept: int):
    async def main(w: World) -> None:
        await called(w, [PERSON, MACHINE], detection=MachineDetection.detect)
        while await rows(w.store, "select 1 from call where ended_at = 0"):
            await w.clock.sleep(1)

        assert (await codes(w, PERSON))[-1][2] == "human"
        assert (await codes(w, MACHINE))[-1][2] == "machine"
        found = await samples_of(w.store, kept)
        key = w.store.vault.app(w.app.no)
        assert key is not None
        assert [(row.person, row.purpose) for row in found] == [(key.person(MACHINE), "machine")] * kept
        for row in found:
            sample = await w.store.recordings.find(w.app.no, row.id, w.clock.now())
            assert sample is not None
            # What a machine said until it was known as one: whoever listens to it hears what was decided from.
            again = Detector().feed(sample[1][HEADER_BYTES:])
            assert again is not None
            assert again.outcome is Outcome.machine

    play(tmp_path, main, settings=AppSettings(machine_sample_share=share))


async def samples_of(store: Store, wanted: int) -> Sequence[Any]:
    """Return the samples, when there are so many: they are kept beside their calls."""
    async with asyncio.timeout(60):
        while len(found := await rows(store, "select id, person, purpose from recording")) < wanted:
            await asyncio.sleep(0.01)
    return found


async def judged(samples: MachineSamples, phone: Phone, live: LiveCall, said: bytes) -> Outcome:
    """Let somebody say something as soon as they are listened to, and return who they were taken for."""
    live.run = replace(live.run, settings=replace(live.run.settings, machine_sample_share=1.0))
    judging = asyncio.ensure_future(Detecting(phone.clock, random.Random(1), samples).judge(live))
    stranger = stranger_of(live)
    while stranger.ear is None:
        await asyncio.sleep(0)
    stranger.ear(said)
    return await judging


@pytest.mark.parametrize(
    ("late", "said", "outcome", "reason"),
    [
        (0.0, HELLO, Outcome.human, "pause"),
        (1.5, HELLO, Outcome.unsure, "late"),
        (1.5, GREETING, Outcome.machine, "long_greeting"),
        (1.5, QUIET + sounds.speech(0.5) + QUIET * 2 + sounds.beep() + QUIET, Outcome.machine, "beep"),
    ],
)
def test_a_short_tail_of_what_was_said_is_no_proof_of_a_person_and_a_long_one_or_a_beep_is_of_a_machine(
    tmp_path: Path, late: float, said: bytes, outcome: Outcome, reason: str
):
    async def main(phone: Phone, node: Node) -> None:
        live = await phone.call(node, PAYMENT)
        live.answered_from = phone.clock.now() - timedelta(seconds=late)
        assert await judged(MachineSamples(RecordingKeeper(phone.store), phone.clock), phone, live, said) is outcome
        (told,) = noted(live, "detected")
        assert (told["verdict"], told["reason"], told["late"]) == (outcome, reason, late)

    play_phone(tmp_path, main)


async def heard_late(w: World, to: str) -> float:
    """Return how late a call began to be heard, by its record."""
    while not (found := await w.store.told_calls.page(w.app.no, WantedCalls(w.clock.now()), limit=1)) or not (
        found[0].detection
    ):
        await w.clock.sleep(0.1)
    assert (await codes(w, to))[-1][2] == "unsure"
    late = found[0].detection["late"]
    assert isinstance(late, float)
    return late


def test_how_late_a_call_is_heard_counts_from_its_answer_and_not_from_when_that_was_told(tmp_path: Path):
    async def main(w: World) -> None:
        link = Link(w)
        await call(w, [PERSON], detection=MachineDetection.detect)
        await ringing(w, 1)
        link.is_cut = True
        while (await placed(w))[0].answered_at is None:
            await w.clock.sleep(0.1)
        await w.clock.sleep(3)
        await link.mend()
        assert 3 <= await heard_late(w, PERSON) < 3.5

    play(tmp_path, main)


def test_who_answered_an_earlier_process_is_heard_late(tmp_path: Path):
    async def main(w: World) -> None:
        await call(w, [PERSON], detection=MachineDetection.detect)
        while not await codes(w, PERSON):
            await w.clock.sleep(0.1)
        await kill(w)
        await w.clock.sleep(3)
        await w.start()
        assert 3 < await heard_late(w, PERSON) < 5

    play(tmp_path, main)


@pytest.mark.parametrize("hangs", [False, True], ids=["refuses", "hangs"])
def test_nobody_waits_for_a_sample_and_one_that_cannot_be_kept_is_dropped(tmp_path: Path, *, hangs: bool):
    async def main(phone: Phone, node: Node) -> None:
        live = await phone.call(node, PAYMENT)
        samples = MachineSamples(RecordingKeeper(phone.store), phone.clock)
        began_at = phone.clock.now()
        with away(phone.store, hangs=hangs), capture_logs() as logs:
            assert await judged(samples, phone, live, GREETING) is Outcome.machine
            assert phone.clock.now() == began_at, "nobody waited"
            if not hangs:
                await samples.drain()
        await samples.drain()

        assert [(log["event"], log["why"]) for log in logs] == [("call.sample_lost", "Unavailable")] * (not hangs)
        assert len(await rows(phone.store, "select 1 from recording")) == hangs

    play_phone(tmp_path, main)


def test_more_samples_than_the_store_can_take_are_dropped_and_a_stop_waits_for_none_for_long(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        live = await phone.call(node, PAYMENT)
        samples = MachineSamples(RecordingKeeper(phone.store), phone.clock)
        with away(phone.store, hangs=True), capture_logs() as logs:
            for _ in range(MOST_WAITING + 1):
                samples.keep(live, GREETING)
            assert [log.get("why") for log in logs] == [None], "the last one"
            began_at = phone.clock.now()
            await samples.drain()
            assert phone.clock.now() - began_at == timedelta(seconds=DRAIN_SECONDS)
        assert len(logs) == MOST_WAITING + 1

    play_phone(tmp_path, main)


def test_what_a_person_said_is_not_kept(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        live = await phone.call(node, PAYMENT)
        samples = MachineSamples(RecordingKeeper(phone.store), phone.clock)
        assert await judged(samples, phone, live, HELLO) is Outcome.human
        await samples.drain()
        assert await rows(phone.store, "select 1 from recording") == []

    play_phone(tmp_path, main)


@pytest.mark.parametrize(("own", "kept"), [(None, 1), (0.0, 0), (1.0, 1)])
def test_a_campaign_samples_as_it_says_or_as_its_app_does(tmp_path: Path, own: float | None, kept: int):
    async def main(w: World) -> None:
        plan = VoicePlan(Mode.agentless, machine_detection=MachineDetection.detect, machine_sample_share=own)
        await called(w, [MACHINE], plan=plan)
        assert len(await samples_of(w.store, kept)) == kept

    # What the app says is the opposite of what the campaign says.
    play(tmp_path, main, settings=AppSettings(machine_sample_share=0.0 if own else 1.0))


def test_a_campaign_has_thresholds_of_its_own(tmp_path: Path):
    plan = VoicePlan(
        Mode.agentless, machine_detection=MachineDetection.detect,
        detection={"decision_seconds": 0.5, "no_speech_seconds": 0.5},
    )  # fmt: skip

    async def main(w: World) -> None:
        await called(w, [MACHINE], plan=plan)

        assert (await codes(w, MACHINE))[-1][2] == "unsure", "it was decided before a machine could be known"

    play(tmp_path, main)


async def test_a_key_that_is_pressed_meanwhile_proves_a_person_and_is_the_answer_to_the_first_question(
    store: Store, app: App, clock: StillClock, node: Node, tmp_path: Path
):
    phone = Phone(store, app, clock, tmp_path)
    live = await phone.call(node, PAYMENT, {"(listened to)": [(0, "1")]})

    outcome = await Detecting(clock, random.Random(1), MachineSamples(RecordingKeeper(store), clock)).judge(live)
    await phone.talk.lead(live, outcome)

    assert outcome is Outcome.human
    assert heard(live) == ["Thank you"], "nobody asks what is answered"
    assert await values(store, app) == ["1"]
    assert [facts["digit"] for facts in noted(live, "pressed")] == ["1"]
