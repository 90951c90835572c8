"""How well clips of callees are told apart."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from callees.corpus import Clip
from callsheet.core.calling import Outcome
from callsheet.core.detection import USUAL, Thresholds, Verdict
from callsheet.voice.detection import Detector

FRAME_BYTES = 320
Z = 1.96
"""95 %."""


class Share(NamedTuple):
    """So many of so many."""

    count: int
    of: int

    @property
    def rate(self) -> float:
        return self.count / self.of

    @property
    def upper(self) -> float:
        """The upper bound of the rate: Wilson's, 95 % on both sides."""
        middle = self.rate + Z * Z / (2 * self.of)
        spread = Z * math.sqrt(self.rate * (1 - self.rate) / self.of + Z * Z / (4 * self.of * self.of))
        return (middle + spread) / (1 + Z * Z / self.of)

    def __str__(self) -> str:
        return f"{self.count}/{self.of} ({self.rate:.1%})"


class Score(NamedTuple):
    """What a detector did with clips."""

    people_as_machines: Share
    machines_as_people: Share
    """Or as unsure, which counts as a person."""
    decided_after: tuple[float, ...]
    """For each person, the seconds from their first word to the verdict, in ascending order."""
    outcomes: Counter[str]
    cpu_seconds: float

    def within(self, share: float) -> float:
        """Return the seconds after which so many of the people were known."""
        return self.decided_after[min(len(self.decided_after) - 1, math.ceil(share * len(self.decided_after)) - 1)]


def listen(clip: Clip, thresholds: Thresholds = USUAL) -> Verdict:
    """Return the verdict, the audio coming in frames as in a call."""
    detector = Detector(thresholds)
    for at in range(0, len(clip.pcm), FRAME_BYTES):
        verdict = detector.feed(clip.pcm[at : at + FRAME_BYTES])
        if verdict is not None:
            return verdict
    return detector.give_up()


def score(clips: Sequence[Clip], thresholds: Thresholds = USUAL) -> Score:
    """Listen to all of them."""
    began = time.process_time()
    verdicts = [listen(clip, thresholds) for clip in clips]
    cpu = time.process_time() - began
    told = list(zip(clips, verdicts, strict=True))
    wrong = count((clip.is_machine, verdict.outcome is Outcome.machine) for clip, verdict in told)
    after = sorted(verdict.seconds_after_answer - clip.speech_at for clip, verdict in told if not clip.is_machine)
    kinds = Counter(f"{clip.kind}: {verdict.outcome}, {verdict.reason}" for clip, verdict in told)
    return Score(*wrong, tuple(after), kinds, cpu)


def count(told: Iterable[tuple[bool, bool]]) -> tuple[Share, Share]:
    """Return the errors of both kinds: each clip is (is a machine, was taken for one)."""
    all_told = list(told)
    people = [as_machine for is_machine, as_machine in all_told if not is_machine]
    machines = [as_machine for is_machine, as_machine in all_told if is_machine]
    return Share(sum(people), len(people)), Share(machines.count(False), len(machines))
