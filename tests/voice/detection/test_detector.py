import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callees.line import to_pcm
from callees.sounds import RATE, dtmf, hiss, music, ringback, silence, special_information, tone
from callsheet.core.calling import Outcome
from callsheet.core.detection import VERSION, Reason, Thresholds, Verdict
from callsheet.voice.detection import Detector

LONGEST_SECONDS = 16.0


def listen(pcm: bytes, chunk: int = 320, thresholds: Thresholds | None = None) -> Verdict:
    detector = Detector(thresholds) if thresholds else Detector()
    for at in range(0, len(pcm), chunk):
        verdict = detector.feed(pcm[at : at + chunk])
        if verdict is not None:
            assert detector.feed(pcm) is None, "a verdict comes once"
            assert detector.give_up() == verdict
            return verdict
    return detector.give_up()


def voice(seconds: float, seed: int = 1) -> np.ndarray:
    """Return something like a voice: harmonics that come and go, four syllables a second."""
    rng = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE)) / RATE
    hz = 120 + 15 * np.sin(2 * np.pi * 0.7 * at)
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 20)) + hiss(rng, len(at)) * 0.05
    return sound * np.abs(np.sin(2 * np.pi * 2 * at)) * 0.15


def test_a_word_and_silence_is_a_person():
    verdict = listen(to_pcm(np.concatenate([silence(1.0), voice(0.5), silence(3.0)])))

    assert (verdict.outcome, verdict.reason, verdict.version) == (Outcome.human, Reason.pause, VERSION)
    assert verdict.seconds_after_speech is not None
    assert 0.5 < verdict.seconds_after_speech < 2.0
    assert abs(verdict.seconds_after_answer - verdict.seconds_after_speech - 1.0) < 0.15
    assert abs(verdict.features["speech_start"] - 1.0) < 0.15


def test_how_late_it_was_heard_is_among_the_figures():
    word = to_pcm(np.concatenate([silence(0.5), voice(0.5), silence(3.0)]))

    verdict = Detector(late_seconds=4.2).feed(word)

    assert verdict is not None
    assert (verdict.outcome, verdict.reason, verdict.features["late"]) == (Outcome.unsure, Reason.late, 4.2)


@pytest.mark.parametrize("lead", [0.0, 0.1, 0.5, 1.5])
def test_who_talks_on_is_a_machine(lead):
    verdict = listen(to_pcm(np.concatenate([silence(lead), voice(9.0)])))

    assert (verdict.outcome, verdict.reason) == (Outcome.machine, Reason.long_greeting)


def test_the_beep_after_a_greeting_is_a_machine():
    pcm = to_pcm(np.concatenate([silence(0.5), voice(1.8), silence(0.3), tone((1000,), 0.4), silence(2.0)]))

    verdict = listen(pcm)

    assert (verdict.outcome, verdict.reason) == (Outcome.machine, Reason.beep)
    assert abs(verdict.features["beep_hz"] - 1000) < 10


def test_a_beep_alone_is_a_machine_and_a_beep_before_a_person_is_none():
    beep = [silence(0.5), tone((1400,), 0.3)]

    assert listen(to_pcm(np.concatenate([*beep, silence(5.0)]))).reason is Reason.beep
    assert listen(to_pcm(np.concatenate([*beep, silence(1.0), voice(0.5), silence(3.0)]))).outcome is Outcome.human


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        (np.concatenate([silence(1.0), tone((2100,), 3.0)]), Reason.fax),
        (np.concatenate([silence(1.0), tone((1100,), 0.5), silence(3.0)]), Reason.fax),
        (np.concatenate([special_information(), voice(6.0)]), Reason.announcement),
        (ringback(10.0), Reason.ringback),
        (np.concatenate([tone((425,), 1.0), silence(4.0)]), Reason.ringback),
        (silence(20.0), Reason.no_speech),
        (hiss(np.random.default_rng(2), RATE * 20) * 0.003, Reason.no_speech),
        (hiss(np.random.default_rng(3), RATE * 20) * 0.3, Reason.no_speech),
        (dtmf([(697, 1209)] * 3), Reason.ended),
        (silence(0.0), Reason.ended),
    ],
    ids=[
        "fax",
        "fax-calls",
        "announcement",
        "ringing",
        "ringing-425",
        "silence",
        "noise",
        "loud-noise",
        "keys",
        "nothing",
    ],
)
def test_what_is_neither_is_unsure_and_named(sound, reason):
    verdict = listen(to_pcm(sound))

    assert (verdict.outcome, verdict.reason) == (Outcome.unsure, reason)


def test_music_is_no_person():
    verdict = listen(to_pcm(music(np.random.default_rng(4), 15.0)))

    assert verdict.outcome is not Outcome.human


def test_timers_are_the_campaigns():
    pcm = to_pcm(silence(20.0))

    assert listen(pcm, thresholds=Thresholds(no_speech_seconds=1.0)).seconds_after_answer == 1.0
    assert listen(pcm, thresholds=Thresholds(no_speech_seconds=30, decision_seconds=2.0)).seconds_after_answer == 2.0


@pytest.fixture(scope="module")
def heard_whole() -> list[tuple[bytes, Verdict]]:
    """Return calls, and what is heard in each."""
    sounds = [
        np.concatenate([silence(0.7), voice(0.6), silence(2.0)]),
        np.concatenate([silence(0.2), voice(1.5), tone((900,), 0.4), silence(1.0)]),
        voice(7.0),
        hiss(np.random.default_rng(5), RATE * 6) * 0.05,
    ]
    return [(pcm, listen(pcm)) for pcm in map(to_pcm, sounds)]


@settings(max_examples=40, deadline=None)
@given(chunk=st.integers(1, 5000), which=st.integers(0, 3))
def test_the_verdict_is_the_same_in_any_portions(heard_whole, chunk, which):
    pcm, verdict = heard_whole[which]

    assert listen(pcm, chunk) == verdict


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=4000), max_size=20), st.sampled_from([1, 7, 40]))
def test_nothing_that_comes_breaks_it(chunks, times):
    detector = Detector()
    verdicts = [verdict for chunk in chunks for _ in range(times) if (verdict := detector.feed(chunk))]

    assert len(verdicts) <= 1
    assert detector.give_up().outcome in {Outcome.human, Outcome.machine, Outcome.unsure}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.001, 0.03, 0.5, 1.0]))
def test_noise_is_never_a_machine_and_ends_in_time(seed, loudness):
    verdict = listen(to_pcm(hiss(np.random.default_rng(seed), round(RATE * LONGEST_SECONDS)) * loudness))

    assert verdict.outcome is not Outcome.machine
    assert verdict.seconds_after_answer <= Thresholds().decision_seconds


def test_what_is_kept_is_bounded():
    detector = Detector(Thresholds(no_speech_seconds=60.0, decision_seconds=60.0, machine_seconds=60.0))
    pcm = to_pcm(voice(59.0))
    for at in range(0, len(pcm), 320):
        assert detector.feed(pcm[at : at + 320]) is None
    assert len(detector._speech._levels) == 59 * 50

    detector.give_up()

    assert detector._speech._levels == []
    detector.feed(pcm * 10)
    assert detector._frames._rest == b""
