"""Machines get a message after their beep, and the newest contacts are called first: through real telephony."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from voicemail_campaign import leave_messages

MACHINE, HANGS_UP = "0010", "0011"


@pytest.mark.timeout(900)
def test_a_message_is_left_on_a_machine_and_the_last_of_the_list_is_called_first() -> None:
    left = asyncio.run(leave_messages([MACHINE, HANGS_UP, HANGS_UP]))

    assert [f"+{call.number.lstrip('+')}" for call in left.calls] == list(reversed(left.numbers))
    outcomes = {
        one.number: next(event.code for event in one.events if event.kind == one.state) for one in left.attempts
    }
    assert outcomes[left.numbers[0]] == "machine"
    assert left.spoken_seconds > 1, "the machine's tape holds the message"
