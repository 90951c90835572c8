"""How a simulated phone behaves in a call: the last four digits of its number say it, as data.

Nothing here asks the time or rolls dice: the same seed gives the same calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

_ENDING_DIGITS: Final = 4


class Clears(NamedTuple):
    """A call ends without an answer."""

    cause: int
    """Q.850."""
    sip_status: int
    rings: bool = False
    """It rings before."""
    times: int | None = None
    """So often, all runs together, then the phone is answered; None: always."""


@dataclass(frozen=True, slots=True)
class Phone:
    """What a phone does with a call; without arguments: a person answers, listens, and presses 1 when asked."""

    clears: Clears | None = None
    answers: bool = True
    """False: it rings until somebody gives up."""
    answers_late: bool = False
    """It is answered at the moment when somebody gives up."""
    is_mute: bool = False
    """No sound ever comes from it: the network breaks it off after a while."""
    is_told: bool = True
    """False: whoever asked for the call is never told whether it was placed."""
    is_machine: bool = False
    """A greeting and a beep, then it records."""
    keys: str = "1"
    """What is pressed when a prompt is through."""
    stays_seconds: float | None = None
    """Hangs up so long after the answer; None: when nothing is said for too long."""


PERSON: Final = Phone()

BY_ENDING: Final[Mapping[str, Phone]] = MappingProxyType(
    {
        "9903": Phone(keys="", stays_seconds=1.5),
        "9905": Phone(clears=Clears(1, 404)),
        "9907": Phone(is_told=False),
        "9910": PERSON,
        "9911": Phone(keys="1234#"),
        "9921": Phone(clears=Clears(17, 486)),
        "9922": Phone(answers=False),
        "9923": Phone(clears=Clears(21, 603, rings=True)),
        "9924": Phone(is_machine=True, keys=""),
        "9925": Phone(clears=Clears(34, 503, times=2)),
    }
)
"""The endings that do something else; with any other ending a person answers."""


def phone_of(number: str) -> Phone:
    """Return the phone of a number, whatever country it is from."""
    return BY_ENDING.get(number[-_ENDING_DIGITS:], PERSON)


Span = tuple[float, float]
"""The least and the most of something drawn evenly."""


@dataclass(frozen=True, slots=True)
class CallTimings:
    """How long the simulated network and its people take, in seconds."""

    setup: Span = (0.02, 0.2)
    """From the request to the first sign of the phone."""
    ring: Span = (0.8, 3.0)
    """From there to the answer, or to the callee's refusal."""
    think: Span = (0.8, 2.0)
    """From the end of a prompt to the first key."""
    key: float = 0.25
    """From key to key."""
    speak: Span = (2.0, 4.0)
    """How long a spoken answer is."""
    mute: float = 20.0
    """So long the network bears a call from which no sound comes."""
    patience: float = 30.0
    """A person hangs up when nothing was said for so long."""
    talk: Span = (20.0, 60.0)
    """So long two people talk who were put through to each other; then the one who was called last hangs up."""
    machine: float = 60.0
    """So long a machine records."""
    hang_up: float = 0.02
    """From our hang-up to the end of the call."""
    give_up: float = 10.0
    """How long nobody says whether a call was placed, until it counts as not known."""


MOST_ANSWERS: Final = 30
"""Who was asked so often in one call hangs up."""
