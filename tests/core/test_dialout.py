"""What whoever asked for a single call is told of it, in the documented words."""

from datetime import UTC, datetime, timedelta

import pytest

from callsheet.core.clearing import STATUSES
from callsheet.core.dialout import PAUSES, AmdEvent, Dialout, Facts, notices_of, pause_after
from callsheet.core.outcome import Outcome
from callsheet.core.reason_phrases import PHRASES

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASKED = Dialout("sid-1", "call-1", detects=True, events=None)
PLAIN = Dialout("sid-1", "call-1", detects=False, events=None)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def answered(verdict: str = "", why: str = "") -> Facts:
    return Facts(dialed_at=AT, rang_at=later(2), answered_at=later(5), verdict=verdict, why=why)


def ended(by: str = "them", verdict: str = "human", why: str = "", **heard: bool) -> Facts:
    return Facts(
        dialed_at=AT, rang_at=later(2), answered_at=later(5), verdict=verdict, why=why, is_over=True,
        ended_at=later(12.5), sip_status=200, outcome=verdict, ended_by=by, **heard,
    )  # fmt: skip


def names(dialout: Dialout, facts: Facts) -> list[str]:
    return [notice.name for notice in notices_of(dialout, facts)]


def last(dialout: Dialout, facts: Facts) -> dict:
    return dict(notices_of(dialout, facts)[-1].payload)


def test_a_call_is_told_step_by_step_and_what_was_told_stays_the_same():
    assert notices_of(ASKED, Facts()) == []
    assert names(ASKED, Facts(dialed_at=AT)) == [], "nothing is told before somebody answers"
    assert names(ASKED, answered()) == ["Answered"]
    assert names(ASKED, answered("human")) == ["Answered", "amd_human_detected"]
    assert names(ASKED, ended()) == ["Answered", "amd_human_detected", "ended"]
    assert notices_of(ASKED, ended())[:2] == notices_of(ASKED, answered("human"))


def test_each_notice_has_the_documented_fields_of_its_moment():
    of_all = {
        "conversationId": "sid-1", "sessionId": "sid-1", "callId": "call-1", "reason": "200 OK", "reasonCode": "OK",
        "callConnectTime": "2026-03-02T12:00:05.000Z", "callDisconnectTime": "", "ringDurationInMS": 3000,
        "connectDurationInMS": 5000, "callDuration": 0,
    }  # fmt: skip
    told = [notice.payload for notice in notices_of(ASKED, answered("machine", "beep"))]
    assert told == [
        {**of_all, "status": "Answered"},
        {**of_all, "status": "Call-In-Progress", "machineDetection": "amd_machine_detected"},
        {**of_all, "status": "Call-In-Progress", "machineDetection": "amd_tone_detected"},
    ]


def test_the_last_notice_has_all_the_documented_fields():
    assert last(ASKED, ended()) == {
        "conversationId": "sid-1",
        "sessionId": "sid-1",
        "callId": "call-1",
        "status": "completed",
        "reason": "200 OK",
        "reasonCode": "caller-disconnected",
        "callConnectTime": "2026-03-02T12:00:05.000Z",
        "callDisconnectTime": "2026-03-02T12:00:12.500Z",
        "ringDurationInMS": 3000,
        "connectDurationInMS": 5000,
        "callDuration": 7,
        "machineDetection": "amd_human_detected",
    }


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ("them", "caller-disconnected"),
        ("us", "bot-disconnected"),
        ("network", "KoreVG-disconnected"),
        ("", "KoreVG-disconnected"),
    ],
)
def test_who_hung_up_is_said_in_the_documented_words(by, code):
    assert last(PLAIN, ended(by))["reasonCode"] == code


def test_a_machine_that_was_hung_up_on_is_named():
    told = last(ASKED, ended("us", "machine"))
    assert (told["reasonCode"], told["machineDetection"]) == ("bot-disconnected", "amd_machine_detected")
    assert "machineDetection" not in last(PLAIN, ended("us"))
    assert last(ASKED._replace(events=()), ended("us", "machine"))["machineDetection"] == "amd_machine_detected"


@pytest.mark.parametrize(
    ("outcome", "status", "reason", "code"),
    [
        (Outcome.busy, 486, "486 Busy Here", "Busy Here"),
        (Outcome.no_answer, 480, "480 Temporarily Unavailable", "Temporarily Unavailable"),
        (Outcome.rejected, 603, "603 Decline", "Temporarily Unavailable"),
        (Outcome.trunk_failed, 503, "503 Service Unavailable", "Service Unavailable"),
        (Outcome.invalid_number, 404, "404 Not Found", "Service Unavailable"),
        (Outcome.no_answer, 0, "no answer", "Temporarily Unavailable"),
        (Outcome.no_answer, 499, "no answer", "Temporarily Unavailable"),
        (Outcome.uncertain, 0, "uncertain", "Service Unavailable"),
        ("dnc", 0, "dnc", "Service Unavailable"),
        ("", 0, "Service Unavailable", "Service Unavailable"),
    ],
)
def test_a_call_that_failed_says_why(outcome, status, reason, code):
    told = last(ASKED, Facts(is_over=True, outcome=outcome, sip_status=status))
    assert (told["status"], told["reasonCode"]) == ("Failed", code)
    assert told["reason"] == reason
    assert told["callConnectTime"] == told["callDisconnectTime"] == ""


def test_a_call_that_failed_has_the_instant_of_its_end_as_both_of_its_times():
    told = last(ASKED, Facts(dialed_at=AT, rang_at=later(2), is_over=True, ended_at=later(17.2), outcome="busy"))
    assert told["callConnectTime"] == told["callDisconnectTime"] == "2026-03-02T12:00:17.200Z"
    assert (told["ringDurationInMS"], told["connectDurationInMS"], told["callDuration"]) == (15200, 17200, 0)


def test_every_status_that_is_understood_has_the_words_of_the_standard():
    assert set(PHRASES) >= set(STATUSES)


@pytest.mark.parametrize(
    ("facts", "events"),
    [
        (answered(), []),
        (answered("unsure"), []),
        (answered("unsure", "no_speech"), [AmdEvent.no_speech]),
        (answered("unsure", "long_pause"), [AmdEvent.time_out]),
        (ended(verdict="unsure"), [AmdEvent.time_out]),
        (ended(verdict="unsure", why="ended"), [AmdEvent.stopped]),
        (answered("machine"), [AmdEvent.machine]),
        (ended(verdict="machine", why="beep"), [AmdEvent.machine, AmdEvent.tone]),
        (
            ended(verdict="machine", has_stopped_speaking=True, has_beeped=True),
            [AmdEvent.machine, AmdEvent.stopped_speaking, AmdEvent.tone],
        ),
        (ended(verdict="human", has_stopped_speaking=True), [AmdEvent.human]),
        (ended(verdict=""), [AmdEvent.stopped]),
        (Facts(is_over=True, outcome="busy"), []),
    ],
)
def test_what_machine_detection_found_is_told_as_an_event(facts, events):
    assert [name for name in names(ASKED, facts) if name.startswith("amd_")] == events
    assert not [name for name in names(PLAIN, facts) if name.startswith("amd_")]


def test_only_the_events_that_somebody_wants_are_told():
    facts = ended(verdict="machine", why="beep")
    assert "amd_tone_detected" in names(ASKED._replace(events=["amd_tone_detected"]), facts)
    assert "amd_machine_detected" not in names(ASKED._replace(events=["amd_tone_detected"]), facts)
    assert not [name for name in names(ASKED._replace(events=()), facts) if name.startswith("amd_")]


def test_it_is_told_again_ever_more_rarely_and_then_given_up():
    pauses = [pause_after(tries) for tries in range(1, len(PAUSES) + 2)]
    assert pauses == [*PAUSES, None]
    assert sorted(PAUSES) == list(PAUSES)
