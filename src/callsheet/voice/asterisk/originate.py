"""The request that places a call."""

from __future__ import annotations

import re
from typing import Final

from callsheet.core.calling import Dial
from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.wire import APP, Ask

_NOT_IN_A_CALLER_ID: Final = re.compile(r"[^0-9A-Za-z+*#._-]")


def originate(trunk: SipTrunk, dial: Dial) -> Ask:
    """Return it. `app` makes the node give us the call only when it is answered; the ring time runs from INVITE.

    The call ends itself after its longest time, even if nobody is left who would end it.
    """
    caller = _NOT_IN_A_CALLER_ID.sub("", dial.sender)
    return Ask(
        "POST",
        "channels",
        {
            "endpoint": dial_string(trunk, dial.to),
            "app": APP,
            "channelId": dial.reference,
            "timeout": str(dial.ring_seconds),
            "callerId": f"<{caller}>" if caller else "",
        },
        {"variables": {"TIMEOUT(absolute)": str(longest_seconds(dial))}},
    )


def longest_seconds(dial: Dial) -> int:
    """Return after how long the node ends a call by itself, counted from when it was placed."""
    return dial.ring_seconds + dial.longest_seconds


def dial_string(trunk: SipTrunk, number: str) -> str:
    """Return how a call to a number (E.164), or to a SIP address, is asked for through a trunk."""
    if number.startswith(("sip:", "sips:")):
        return f"PJSIP/{trunk.id}/{number}"
    written = trunk.number_prefix + number.removeprefix("+")
    # Not `format`: whoever may edit a trunk writes no programs.
    return trunk.dial_string.replace("{number}", written).replace("{trunk}", trunk.id)
