"""Detect: listen to a call that was answered, until it is known who did, or it takes too long."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime
from typing import Final

from callsheet.clock import Clock
from callsheet.core.detection import USUAL, VERSION, Reason, Sampling, Thresholds, Verdict, thresholds_of
from callsheet.core.outcome import Outcome
from callsheet.core.run import Run
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.machine_samples import MachineSamples
from callsheet.voice.base import CallGone, CannotHear, Pressed
from callsheet.voice.detection import Detector

MARGIN_SECONDS: Final = 1.0
"""So much later than its own limit, counted in audio, a decision is given up: no audio comes."""


class Detecting:
    """Says who answered, by ear."""

    def __init__(self, clock: Clock, rng: random.Random, samples: MachineSamples) -> None:
        self._clock = clock
        self._rng = rng
        self._samples = samples

    async def judge(self, live: LiveCall) -> Outcome:
        """Listen, and return `human`, `machine` or `unsure`; `unsure` too where the call ends, or cannot be heard.

        Who presses a key is a person. What the verdict was made from is noted.
        """
        thresholds = _thresholds_of(live.run)
        ear = _Ear(thresholds, keeps=_sampling_of(live.run).is_sampled(self._rng.random()))
        has_pressed = False
        try:
            ear.begin(_late_seconds(live, await live.call.listen(ear.hear)))
            async with asyncio.timeout(thresholds.decision_seconds + MARGIN_SECONDS):
                has_pressed = await _until(live, ear.decided)
        except (TimeoutError, CallGone, CannotHear):
            pass
        await _stop(live)
        verdict = ear.verdict()
        outcome = Outcome.human if has_pressed else verdict.outcome
        self._note(live, outcome, verdict, "key" if has_pressed else verdict.reason)
        if ear.kept and outcome is Outcome.machine:
            self._samples.keep(live, bytes(ear.kept))
        return outcome

    def _note(self, live: LiveCall, outcome: Outcome, verdict: Verdict, reason: Reason | str) -> None:
        facts: dict[str, str | float] = {**verdict.features}
        facts |= {"verdict": outcome.value, "reason": str(reason), "version": VERSION}
        live.note(self._clock.now(), "detected", **facts)


class _Ear:
    """Hears one call."""

    def __init__(self, thresholds: Thresholds, *, keeps: bool) -> None:
        """`keeps`: what was heard up to the verdict is kept."""
        self.decided = asyncio.Event()
        self.kept = bytearray()
        self._keeps = keeps
        self._thresholds = thresholds
        self._detector: Detector | None = None
        self._waiting = bytearray()
        """Heard before it was known how late that is."""
        self._verdict: Verdict | None = None

    def hear(self, pcm: bytes) -> None:
        """Take what is heard."""
        if self._detector is None:
            self._waiting.extend(pcm)
        elif self._verdict is None:
            if self._keeps:
                self.kept.extend(pcm)
            self._verdict = self._detector.feed(pcm)
            if self._verdict is not None:
                self.decided.set()

    def begin(self, late_seconds: float) -> None:
        """Judge from now on, and what was heard so far. `late_seconds`: so long after the answer that begins."""
        self._detector = Detector(self._thresholds, late_seconds=late_seconds)
        self.hear(bytes(self._waiting))

    def verdict(self) -> Verdict:
        """Return the verdict; who could not be told by now is `unsure`."""
        return self._verdict or (self._detector or Detector(self._thresholds)).give_up()


def _late_seconds(live: LiveCall, heard_from: datetime) -> float:
    """Return how long after the answer, at most, a call began to be heard."""
    assert live.answered_from is not None, "it was answered"
    return max(0.0, (heard_from - live.answered_from).total_seconds())


def _thresholds_of(run: Run) -> Thresholds:
    """Return what a campaign's detection goes by."""
    plan = run.definition.voice
    return thresholds_of(plan.detection) if plan is not None else USUAL


def _sampling_of(run: Run) -> Sampling:
    """Return how many machine verdicts of a campaign are kept: as it says, or else as its app does."""
    plan = run.definition.voice
    share = plan.machine_sample_share if plan is not None else None
    return Sampling(run.settings.machine_sample_share if share is None else share)


async def _until(live: LiveCall, decided: asyncio.Event) -> bool:
    """Wait until it is decided, or the call is over; True: a key was pressed before."""
    deciding = asyncio.get_running_loop().create_task(decided.wait())
    try:
        while live.end is None and not decided.is_set():
            if isinstance(await live.hear_beside(deciding), Pressed):
                return True
    finally:
        deciding.cancel()
    return False


async def _stop(live: LiveCall) -> None:
    try:
        await live.call.stop_listening()
    except CallGone:
        return
