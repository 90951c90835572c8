import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.calling import Outcome
from callsheet.core.detection import LATE_SECONDS, USUAL, Heard, Reason, Sampling, Thresholds, decide, patience, score


def heard(span: float, silence: float, **more) -> Heard:
    return Heard(seconds=1.0 + span + silence, speech_start=1.0, speech_end=1.0 + span, strong_end=1.0 + span, **more)


@pytest.mark.parametrize(
    ("what", "decided"),
    [
        (Heard(seconds=1.0), None),
        (Heard(seconds=5.0), (Outcome.unsure, Reason.no_speech)),
        (heard(0.4, 0.3), None),
        (heard(0.4, 1.0), (Outcome.human, Reason.pause)),
        (heard(1.7, 1.0), (Outcome.human, Reason.pause)),
        (heard(3.0, 1.0), None),
        (heard(3.0, 2.6), (Outcome.unsure, Reason.long_pause)),
        (heard(8.0, 0.0), (Outcome.machine, Reason.long_greeting)),
        (heard(0.4, 1.0, hears_tone=True), None),
        (heard(0.4, 0.2, signal=Reason.beep), (Outcome.machine, Reason.beep)),
        (Heard(seconds=0.6, signal=Reason.fax), (Outcome.unsure, Reason.fax)),
        (Heard(seconds=1.2, signal=Reason.announcement), (Outcome.unsure, Reason.announcement)),
        (Heard(seconds=0.9, signal=Reason.ringback), (Outcome.unsure, Reason.ringback)),
        (heard(0.4, 20.0, hears_tone=True), (Outcome.unsure, Reason.time_out)),
    ],
)
def test_what_was_heard_decides(what, decided):
    assert decide(what, USUAL) == decided


def test_who_pauses_and_goes_on_is_listened_to_for_longer():
    assert decide(heard(1.6, 1.0, longest_pause=0.1), USUAL) == (Outcome.human, Reason.pause)
    assert decide(heard(1.6, 1.0, longest_pause=0.7), USUAL) is None
    assert decide(heard(1.6, 3.0, longest_pause=0.7), USUAL) == (Outcome.human, Reason.pause)


def test_who_is_heard_from_late_on_is_never_surely_a_person():
    """A short tail of a long greeting sounds like a word."""
    late = {"late_seconds": LATE_SECONDS + 0.1}

    assert decide(heard(0.4, 1.0, late_seconds=LATE_SECONDS), USUAL) == (Outcome.human, Reason.pause)
    assert decide(heard(0.4, 1.0, **late), USUAL) is None, "its beep may come yet"
    assert decide(heard(0.4, USUAL.long_pause_seconds + 0.1, **late), USUAL) == (Outcome.unsure, Reason.late)
    assert decide(heard(3.0, 2.6, **late), USUAL) == (Outcome.unsure, Reason.long_pause)
    assert decide(heard(0.4, 0.2, signal=Reason.beep, **late), USUAL) == (Outcome.machine, Reason.beep)
    assert decide(heard(8.0, 0.0, **late), USUAL) == (Outcome.machine, Reason.long_greeting)


@given(st.floats(0, 10), st.floats(0, 10), st.floats(LATE_SECONDS + 0.01, 60))
def test_late_ears_hear_no_person(span, silence, late):
    decided = decide(heard(span, silence, late_seconds=late), USUAL)

    assert decided is None or decided[0] is not Outcome.human


def test_fainter_speech_after_the_first_words_is_somebody_else():
    after = {"seconds": 4.0, "speech_start": 1.0, "speech_end": 4.0}

    assert decide(Heard(strong_end=1.5, **after), USUAL) == (Outcome.human, Reason.pause)
    assert decide(Heard(strong_end=3.8, **after), USUAL) is None


def test_a_campaign_may_wait_for_longer_or_shorter():
    hasty = Thresholds(no_speech_seconds=1.0, machine_seconds=2.0, decision_seconds=2.5)

    assert decide(Heard(seconds=1.0), hasty) == (Outcome.unsure, Reason.no_speech)
    assert decide(heard(2.1, 0.0), hasty) == (Outcome.machine, Reason.long_greeting)
    assert decide(heard(1.0, 0.5, hears_tone=True), hasty) == (Outcome.unsure, Reason.time_out)


def test_the_usual_timers_are_the_documented_ones():
    assert (USUAL.decision_seconds, USUAL.greeting_completion_seconds) == (15.0, 2.0)
    assert (USUAL.no_speech_seconds, USUAL.tone_seconds) == (5.0, 20.0)


@given(st.floats(0, 10), st.floats(0, 10))
def test_silence_never_makes_a_machine(span, silence):
    decided = decide(heard(min(span, USUAL.machine_seconds - 0.01), silence), USUAL)

    assert decided is None or decided[0] is not Outcome.machine


@given(st.floats(0, 30), st.floats(0, 30), st.floats(0, 5))
def test_after_enough_silence_there_is_a_verdict(span, silence, pause):
    what = heard(span, silence, longest_pause=pause)

    assert decide(what, USUAL) is not None or what.silence < patience(what, USUAL)


@given(st.floats(0, USUAL.person_seconds))
def test_a_person_is_known_in_time(span):
    waited = span + patience(Heard(9.0, 0.0, span, span), USUAL)

    assert waited <= max(USUAL.answer_seconds, span + USUAL.least_pause_seconds) + 1e-9


def test_a_share_of_machine_verdicts_is_sampled():
    assert not Sampling(0.0).is_sampled(0.0)
    assert Sampling(1.0).is_sampled(0.999)
    assert Sampling(0.02).is_sampled(0.019)
    assert not Sampling(0.02).is_sampled(0.02)


def test_the_score_grows_with_what_was_said_and_is_whole_for_a_machine():
    greeting = Heard(9.0, 0.5, 1.5 + USUAL.machine_seconds, 1.5 + USUAL.machine_seconds)
    assert score(Heard(1.0), USUAL) == 0.0
    assert 0 < score(Heard(2.0, 0.5, 1.0, 1.0), USUAL) < score(Heard(3.0, 0.5, 2.5, 2.5), USUAL) < 1
    assert score(greeting, USUAL) == 1.0
    assert score(Heard(1.0, signal=Reason.beep), USUAL) == 1.0
    assert score(Heard(1.0, signal=Reason.fax), USUAL) == 0.0
