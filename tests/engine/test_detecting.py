"""Who answered is heard, by the campaign's own thresholds; of a share of machines what was heard is kept."""

from pathlib import Path

import pytest

from callsheet.core.campaign import MachineDetection, Mode, VoicePlan
from callsheet.core.run import AppSettings
from databases import rows
from engine.calls import called, codes, play
from engine.world import World
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
        found = await rows(w.store, "select person, purpose from recording")
        key = w.store.vault.app(w.app.no)
        assert key is not None
        assert [(row.person, row.purpose) for row in found] == [(key.person(MACHINE), "machine")] * kept

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
