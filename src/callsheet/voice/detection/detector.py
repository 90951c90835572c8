"""Who answered, told while the audio comes."""

from __future__ import annotations

import webrtcvad

from callsheet.core.calling import Outcome
from callsheet.core.detection import USUAL, Heard, Reason, Thresholds, Verdict, decide, score
from callsheet.voice.detection.beep import Beep, Beeps
from callsheet.voice.detection.frames import FRAME_SECONDS, RATE, Frames
from callsheet.voice.detection.levels import level, samples_of
from callsheet.voice.detection.signals import Signals
from callsheet.voice.detection.speech import NOTHING, Speech, Spoken
from callsheet.voice.detection.tones import Tone, Tones

AGGRESSIVENESS = 0
"""Of the detector of voices: 0 takes most for speech, 3 least. What is only noise is told by its level."""
NO_SPEECH_FRAMES = 5
"""A tone of so many frames is no speech, whatever the detector of voices says."""
FIRST_WORDS_SECONDS = 2.0
"""After a beep before any word, somebody speaks within this time, or it was a greeting without words."""


class Detector:
    """Listens to one call from its answer on. Time is the audio's own: 8 kHz, mono, 16 bits, in any portions."""

    def __init__(self, thresholds: Thresholds = USUAL, *, late_seconds: float = 0.0) -> None:
        """`late_seconds`: so long after the answer, at most, the audio begins."""
        self._thresholds = thresholds
        self._late_seconds = late_seconds
        self._frames = Frames()
        self._voice = webrtcvad.Vad(AGGRESSIVENESS)
        self._tones = Tones()
        # After a greeting a tone is a beep, whatever its frequency; before it, signals have names.
        self._beeps = Beeps(())
        self._signals = Signals()
        self._speech = Speech()
        self._spoken = NOTHING
        self._beep: Beep | None = None
        self._count = 0
        self._forgotten = -1
        """The first frame of the latest tone that was taken back as speech."""
        self._verdict: Verdict | None = None
        self._score = 0.0

    def feed(self, pcm: bytes) -> Verdict | None:
        """Take audio; return the verdict, once. What comes after it is not listened to."""
        if self._verdict is not None:
            return None
        for frame in self._frames.cut(pcm):
            decided = self._hear(frame)
            if decided is not None:
                return self._settle(*decided)
        return None

    def give_up(self) -> Verdict:
        """Return the verdict, when no more audio comes: who could not be told by now is `unsure`."""
        return self._verdict or self._settle(Outcome.unsure, Reason.ended)

    def _hear(self, frame: bytes) -> tuple[Outcome, Reason] | None:
        samples = samples_of(frame)
        db = level(samples)
        ended = self._tones.feed(samples, db)
        sounding = self._tones.sounding()
        is_voice = self._voice.is_speech(frame, RATE)
        if sounding is not None and sounding.frames >= NO_SPEECH_FRAMES and sounding.is_of_a_machine:
            is_voice = False
            if sounding.first > self._forgotten:
                self._forgotten = sounding.first
                self._speech.forget(sounding.first - 1)
        self._spoken = self._speech.feed(db, is_voice=is_voice)
        self._count += 1
        self._beep = self._beeps.feed(ended, sounding, db) or self._beep
        signal = self._signals.feed(ended, sounding)
        if self._spoken.first >= 0 and signal is Reason.fax:
            signal = None  # A fax does not speak first: it is the beep of a greeting.
        heard = self._heard(signal, sounding)
        self._score = score(heard, self._thresholds)
        return decide(heard, self._thresholds)

    def _heard(self, signal: Reason | None, sounding: Tone | None) -> Heard:
        now = self._count * FRAME_SECONDS
        spoken = self._spoken
        return Heard(
            seconds=now,
            speech_start=spoken.first * FRAME_SECONDS if spoken.first >= 0 else None,
            speech_end=(spoken.last + 1) * FRAME_SECONDS,
            strong_end=(spoken.strong + 1) * FRAME_SECONDS,
            longest_pause=spoken.longest_pause * FRAME_SECONDS,
            signal=signal or (Reason.beep if self._is_after_a_greeting() else None),
            hears_tone=sounding is not None or self._beeps.is_listening,
            late_seconds=self._late_seconds,
        )

    def _is_after_a_greeting(self) -> bool:
        """Tell whether the beep that was heard ends a greeting, rather than begins a conversation."""
        if self._beep is None:
            return False
        has_spoken_before = 0 <= self._spoken.first * FRAME_SECONDS < self._beep.started_at
        has_waited = self._count * FRAME_SECONDS - self._beep.ended_at > FIRST_WORDS_SECONDS
        return has_spoken_before or (has_waited and self._spoken.first < 0)

    def _settle(self, outcome: Outcome, reason: Reason) -> Verdict:
        now = round(self._count * FRAME_SECONDS, 2)
        start = self._spoken.first * FRAME_SECONDS
        after_speech = round(now - start, 2) if self._spoken.first >= 0 else None
        self._verdict = Verdict(outcome, reason, after_speech, now, self._features(self._spoken))
        self._speech = Speech()
        return self._verdict

    def _features(self, spoken: Spoken) -> dict[str, float]:
        """Return what the verdict was made from. Seconds, dB of full scale, Hz."""
        features = {
            "speech_start": spoken.first * FRAME_SECONDS,
            "speech_span": (spoken.last + 1 - spoken.first) * FRAME_SECONDS,
            "speech": spoken.frames * FRAME_SECONDS,
            "first_phrase": (spoken.first_end + 1 - spoken.first) * FRAME_SECONDS,
            "silence": (self._count - 1 - spoken.last) * FRAME_SECONDS,
            "pauses": spoken.pauses,
            "longest_pause": spoken.longest_pause * FRAME_SECONDS,
        }
        heard = features if spoken.first >= 0 else {}
        how = {"score": self._score, "late": self._late_seconds}
        levels = {"noise_db": self._speech.noise_db, "speech_db": self._speech.speech_db}
        beep = {"beep_hz": self._beep.hz, "beep_start": self._beep.started_at} if self._beep else {}
        return {name: round(value, 2) for name, value in {**heard, **how, **levels, **beep}.items()}
