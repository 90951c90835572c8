"""The phones of the phone network: what each does with a call, by the last four digits of its number.

The dialplan is written from this table (`phone_dialplan.py`), so that tests read what they may expect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from phone_numbers import RANGES

ANSWER = "Answer()"
FOR_EVER = "Wait(600)"
GREETING = "Playback(vm-nobodyavail&vm-intro)"
"""Seven seconds of speech without a pause for an answer."""
RECORD = "Record({recording},0,60,qxk)"


@dataclass(frozen=True, slots=True)
class Phone:
    """What a phone does with a call."""

    steps: tuple[str, ...]
    """Asterisk's applications, in order."""
    answers: bool = False
    cause: int = 0
    """Q.850: what the caller is told when it does not answer; 0: it is for the caller to end it."""
    sip_status: int = 0
    presses: str = ""
    again: tuple[str, ...] = ()
    """What it does when it is called again; empty: the same."""


_RING = ("Ringing()", "Wait(0.2)")
_ECHO = Phone((*_RING, ANSWER, "Echo()"), answers=True)

PHONES: Mapping[str, Phone] = MappingProxyType(
    {
        "0001": _ECHO,
        "0002": Phone(("Hangup(17)",), cause=17, sip_status=486),  # busy
        "0003": Phone(("Hangup(1)",), cause=1, sip_status=404),  # no such number
        "0004": Phone(("Set(CAUSE=21)", "PJSIPHangup(603)"), cause=21, sip_status=603),  # rejected
        "0005": Phone(("Hangup(34)",), cause=34, sip_status=503),  # the network is congested: the trunk's fault
        "0006": Phone(("Ringing()", FOR_EVER)),  # nobody answers
        # An announcement before the answer, which never comes.
        "0007": Phone(("Progress()", "Playback(ss-noservice,noanswer)", FOR_EVER)),
        "0008": Phone((ANSWER, "Wait(1)", "SendDTMF(1)", FOR_EVER), answers=True, presses="1"),
        "0009": Phone((ANSWER, "Wait(1)", "SendDTMF(1234#)", FOR_EVER), answers=True, presses="1234#"),
        # An answering machine: a greeting, a beep, and a tape.
        "0010": Phone((ANSWER, "Wait(0.5)", GREETING, "Playback(beep)", RECORD, FOR_EVER), answers=True),
        "0011": Phone((ANSWER, "Wait(1)", "Hangup(16)"), answers=True),  # hangs up on us
        "0012": Phone((*_RING, "Hangup(19)"), cause=19, sip_status=480),  # the network says that nobody is there
        "0013": Phone((ANSWER, FOR_EVER), answers=True),  # silence
        "0014": Phone((ANSWER, "Wait(0.5)", "Playback(hello-world)", FOR_EVER), answers=True),  # a person
        "0015": Phone((ANSWER, RECORD, FOR_EVER), answers=True),  # keeps what it hears
        "0016": Phone((FOR_EVER,)),  # no ringing, no answer, nothing
        "0017": Phone(("Ringing()", "Wait(2)", ANSWER, "Echo()"), answers=True),  # takes its time
        "0018": Phone(("Hangup(17)",), cause=17, sip_status=486, again=_ECHO.steps),  # busy once
        "0019": Phone(("Ringing()", FOR_EVER), again=_ECHO.steps),  # away once
        "0020": Phone(("Hangup(34)",), cause=34, sip_status=503, again=_ECHO.steps),  # congested once
        # People who say who they are, listen to a question, and press a key.
        "0021": Phone((ANSWER, "Wait(0.5)", "Playback(hello-world)", "Wait(6)", "SendDTMF(1)", FOR_EVER), answers=True),
        "0022": Phone((ANSWER, "Wait(0.5)", "Playback(hello-world)", "Wait(6)", "SendDTMF(2)", FOR_EVER), answers=True),
    }
)
"""Any other ending is that of `USUAL`."""
USUAL = _ECHO

_PREFIXES = RANGES["US-Eastern"].prefixes
MOST_NUMBERS = 100 * len(_PREFIXES)


def phone_of(number: str) -> Phone:
    """Return what a number does."""
    return PHONES.get(number[-4:], USUAL)


def number_of(ending: str, index: int) -> str:
    """Return one of the valid numbers (E.164, zone America/New_York) with an ending; `index` counts from 0."""
    return f"{_PREFIXES[index % len(_PREFIXES)]}{index // len(_PREFIXES):02}{ending}"
