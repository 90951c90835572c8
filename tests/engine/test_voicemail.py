"""A voicemail is left on a simulated machine after its beep, by ear; a person hears the flow's other words."""

from pathlib import Path

from calling import PlainPrompts
from callsheet.core.campaign import MachineDetection
from conversing import ASK, LATER, THANKS, block, exit_to, message
from engine.calls import play
from engine.test_flows_of_calls import lines, talked, timeline, told
from engine.test_phone_talk import document
from engine.world import World

MACHINE, PERSON = "+12125559924", "+12125550001"
FLOW = document(
    block(
        ASK, "who", "Core.Case", {}, exit_to(LATER, "machine", "call.answered_by = 'machine'"), exit_to(THANKS, "other")
    ),
    block(LATER, "mail", "Callsheet.LeaveVoicemail", {"prompt": "Call us back"}, exit_to(None, "none")),
    message(THANKS, "thanks", "Good day"),
)


def test_what_is_left_on_a_machine_is_said_after_its_beep_and_people_do_not_hear_it(tmp_path: Path):
    async def main(w: World) -> None:
        await talked(w, [MACHINE, PERSON], FLOW, detection=MachineDetection.detect)
        calls = await told(w)

        machine, person = calls[MACHINE], calls[PERSON]
        assert (machine.outcome, person.outcome) == ("machine", "human")
        words = await timeline(w, machine.key)
        assert "beep" in words
        assert words.index("beep") < words.index("said"), "the beep comes first"
        assert await lines(w, machine.conversation_id) == [("flow", "Call us back", "spoken")]
        assert await lines(w, person.conversation_id) == [("flow", "Good day", "spoken")]
        assert (machine.ended_by, person.ended_by) == ("us", "us")

    play(tmp_path, main, prompts=PlainPrompts(2.0))
