"""Machine detection: who answered, decided from when somebody spoke and what tones were heard.

No word is understood. People say little and then listen; machines talk on, and beep. Where that does not tell, the
answer is `unsure`, and everybody who uses it takes that for a person: to hang up on a person is the worse mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import NamedTuple

from callsheet.core.calling import Outcome

VERSION = "timing-3"
"""Which rules decided; it is stored with each verdict, so that verdicts of two versions are not counted as one."""


LATE_SECONDS = 1.0
"""Who listens from later on has missed how the answer began, and the tail of a greeting sounds like a word: whoever is
taken for a person then is `unsure`. A greeting that goes on for long, or a beep, proves a machine in any case."""


class Reason(StrEnum):
    """Why a verdict is what it is."""

    pause = "pause"
    """Somebody said little, and then listened."""
    long_greeting = "long_greeting"
    """Somebody talked on for longer than people do who answer a call."""
    beep = "beep"
    """The beep after a greeting."""
    long_pause = "long_pause"
    """Somebody talked for long, then listened, and no beep came: nobody can tell."""
    late = "late"
    """Somebody said little, and then listened; what they had said before was not heard."""
    no_speech = "no_speech"
    """Nobody said anything."""
    fax = "fax"
    """A fax machine or a modem whistles."""
    announcement = "announcement"
    """Special information tones: the network says that the call cannot be put through."""
    ringback = "ringback"
    """It rings on, although it was answered: somebody else is being called, or a queue is."""
    time_out = "time_out"
    """The time for the decision was over."""
    ended = "ended"
    """There was no more to hear."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a campaign may set. The first four are the documented `timers` of a dialout, with the documented values."""

    decision_seconds: float = 15.0
    """After so long from the answer the verdict is `unsure`. 0.5 to 60."""
    no_speech_seconds: float = 5.0
    """When nobody has said anything for so long from the answer, the verdict is `unsure`. 0.5 to 60."""
    greeting_completion_seconds: float = 2.0
    """So much silence after a machine's greeting, and it listens, beep or not."""
    tone_seconds: float = 20.0
    """So long from the verdict a machine's beep is waited for."""
    answer_seconds: float = 2.4
    """A person is to be known so soon after their first word: the longer they spoke, the less silence is asked for."""
    pause_seconds: float = 0.8
    """So much silence after a word or two, and it was a person."""
    least_pause_seconds: float = 0.6
    """No less silence, however long somebody spoke: people take breath."""
    paused_seconds: float = 0.7
    """Who pauses for so long and goes on may be a machine that will beep, however little was said."""
    person_seconds: float = 1.75
    """Who spoke for longer may be a machine that will beep."""
    long_pause_seconds: float = 2.2
    """So much silence after who spoke for longer, without a beep, and nobody can tell."""
    faint_seconds: float = 0.7
    """So much more than silence it takes of faint speech: others in the room, a television, a crowd."""
    machine_seconds: float = 5.4
    """Who spoke for longer, pauses and all, is a machine."""


USUAL = Thresholds()


def thresholds_of(given: Mapping[str, float]) -> Thresholds:
    """Return the thresholds of a campaign: what it does not say is as usual."""
    known = {one.name for one in fields(Thresholds)}
    return replace(USUAL, **{name: value for name, value in given.items() if name in known})


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many machine verdicts are recorded, so that somebody can listen to whether they were right."""

    machine_share: float = 0.02
    """0: none; 1: all."""

    def is_sampled(self, draw: float) -> bool:
        """Tell whether a call belongs to the sample; `draw` is a random number from 0 up to 1."""
        return draw < self.machine_share


class Heard(NamedTuple):
    """What was heard since the answer. Seconds, by the audio, not by a clock."""

    seconds: float
    """How much was listened to."""
    speech_start: float | None = None
    """When somebody began to speak; None: nobody has."""
    speech_end: float = 0.0
    """When anybody was last heard to speak."""
    strong_end: float = 0.0
    """When somebody was last heard who was as loud as who spoke first."""
    longest_pause: float = 0.0
    """Between two words."""
    signal: Reason | None = None
    """A tone that no person makes: `beep`, `fax`, `announcement`, `ringback`."""

    hears_tone: bool = False
    """A tone sounds, or has just ended: what it is will be known in a moment."""
    late_seconds: float = 0.0
    """So long after the answer, at most, the first of it was heard."""

    @property
    def is_late(self) -> bool:
        """Tell whether the beginning was missed."""
        return self.late_seconds > LATE_SECONDS

    @property
    def span(self) -> float:
        """From the first word to the last one so far of who spoke first, pauses and all."""
        return 0.0 if self.speech_start is None else self.strong_end - self.speech_start

    @property
    def silence(self) -> float:
        """Since the last word."""
        return self.seconds - self.speech_end


class Verdict(NamedTuple):
    """Who answered. It is stored with the call, with all that it was decided from."""

    outcome: Outcome
    """`human`, `machine` or `unsure`."""
    reason: Reason
    seconds_after_speech: float | None
    """From the first word to the verdict; None: nobody said anything."""
    seconds_after_answer: float
    features: Mapping[str, float]
    """Figures by name, flat: what `docs/explanation/machine-detection.md` lists."""
    version: str = VERSION


SIGNALS = {
    Reason.beep: Outcome.machine,
    Reason.fax: Outcome.unsure,
    Reason.announcement: Outcome.unsure,
    Reason.ringback: Outcome.unsure,
}


def decide(heard: Heard, thresholds: Thresholds) -> tuple[Outcome, Reason] | None:
    """Return who answered and why, or None as long as nobody can say."""
    if heard.signal is not None:
        return SIGNALS[heard.signal], heard.signal
    if heard.speech_start is None:
        is_over = heard.seconds >= min(thresholds.no_speech_seconds, thresholds.decision_seconds)
        return (Outcome.unsure, Reason.no_speech) if is_over else None
    if heard.span > thresholds.machine_seconds:
        return Outcome.machine, Reason.long_greeting
    if listens(heard, thresholds) and not heard.hears_tone:
        return _listener(heard, thresholds)
    return (Outcome.unsure, Reason.time_out) if heard.seconds >= thresholds.decision_seconds else None


def _listener(heard: Heard, thresholds: Thresholds) -> tuple[Outcome, Reason]:
    """Return who it is that spoke, and listens now."""
    if heard.span > thresholds.person_seconds:
        return Outcome.unsure, Reason.long_pause
    return (Outcome.unsure, Reason.late) if heard.is_late else (Outcome.human, Reason.pause)


def score(heard: Heard, thresholds: Thresholds) -> float:
    """Return how near a call came to a machine's, 0 to 1: at 1 somebody talked on for so long, or a beep was heard."""
    if heard.signal is Reason.beep:
        return 1.0
    return min(1.0, heard.span / thresholds.machine_seconds)


def listens(heard: Heard, thresholds: Thresholds) -> bool:
    """Tell whether whoever spoke now listens: nobody is heard, or for longer only who is fainter."""
    enough = patience(heard, thresholds)
    return heard.silence >= enough or heard.seconds - heard.strong_end >= enough + thresholds.faint_seconds


def patience(heard: Heard, thresholds: Thresholds) -> float:
    """Return the seconds of silence that say that whoever spoke now listens, rather than takes breath."""
    has_more_to_say = heard.span > thresholds.person_seconds or heard.longest_pause >= thresholds.paused_seconds
    if has_more_to_say or heard.is_late:
        return thresholds.long_pause_seconds
    left = thresholds.answer_seconds - heard.span
    return max(thresholds.least_pause_seconds, min(thresholds.pause_seconds, left))
