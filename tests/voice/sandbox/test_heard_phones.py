"""Simulated people and machines are told apart by our own ears, as real ones are."""

from __future__ import annotations

from callsheet.core.outcome import Outcome
from callsheet.voice.detection.beep import BeepFinder
from callsheet.voice.detection.detector import Detector
from callsheet.voice.sandbox import sounds


def track(*said: tuple[float, float], beeps: bool = False) -> bytes:
    """Return what a phone says in its first 12 seconds."""
    made = sounds.Track()
    for begin, seconds in said:
        made.add(begin, sounds.speech(seconds))
    if beeps:
        made.add(sounds.BEEP_BEGINS, sounds.beep())
    return made.cut(0, 12)


def heard(samples: bytes) -> Outcome | None:
    detector = Detector()
    for first in range(0, len(samples), sounds.FRAME_BYTES):
        verdict = detector.feed(samples[first : first + sounds.FRAME_BYTES])
        if verdict is not None:
            return verdict.outcome
    return None


def test_a_person_and_a_machine_are_told_apart() -> None:
    assert heard(track(*sounds.HELLO)) is Outcome.human
    assert heard(track(*sounds.GREETING, beeps=True)) is Outcome.machine


def test_the_beep_of_a_machine_is_heard() -> None:
    beep = BeepFinder().feed(track(*sounds.GREETING, beeps=True))
    assert beep is not None
    assert abs(beep.started_at - sounds.BEEP_BEGINS) < 0.1
    assert BeepFinder().feed(track(*sounds.HELLO)) is None
