"""Who answered is heard, by the campaign's own thresholds; of a share of machines what was heard is kept."""

import random
from pathlib import Path

import pytest

from calling import Phone, heard, noted
from callsheet.core.campaign import MachineDetection, Mode, VoicePlan
from callsheet.core.outcome import Outcome
from callsheet.core.run import AppSettings
from callsheet.engine.calling.detecting import Detecting
from callsheet.engine.calling.recordings import RecordingKeeper
from callsheet.store.apps import App
from callsheet.store.store import Store
from callsheet.voice.audio.wave import HEADER_BYTES
from callsheet.voice.detection import Detector
from databases import rows
from engine.calls import called, codes, play
from engine.test_phone_talk import PAYMENT, values
from engine.world import World
from factories import Node, StillClock
from phone_numbers import numbers

(PERSON,) = [to for to in numbers("IN", 5) if not to[-4:].startswith("99")][:1]
(MACHINE,) = numbers("IN", 1, ending="9924")


@pytest.mark.parametrize(("share", "kept"), [(0.0, 0), (1.0, 1)])
def test_of_a_share_of_machines_what_was_heard_is_kept_and_of_nobody_else(tmp_path: Path, share: float, kept: int):
    async def main(w: World) -> None:
        await called(w, [PERSON, MACHINE], detection=MachineDetection.detect)
        while await rows(w.store, "select 1 from call where ended_at = 0"):
            await w.clock.sleep(1)

        assert (await codes(w, PERSON))[-1][2] == "human"
        assert (await codes(w, MACHINE))[-1][2] == "machine"
        found = await rows(w.store, "select id, person, purpose from recording")
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

    outcome = await Detecting(clock, random.Random(1), RecordingKeeper(store)).judge(live)
    await phone.talk.lead(live, outcome)

    assert outcome is Outcome.human
    assert heard(live) == ["Thank you"], "nobody asks what is answered"
    assert await values(store, app) == ["1"]
    assert [facts["digit"] for facts in noted(live, "pressed")] == ["1"]
