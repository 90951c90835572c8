import re
from itertools import product

import pytest

from callsheet.core.attempt import PENDING, Kind
from callsheet.core.call_words import ContactStatus, DialerDisposition, words_of
from callsheet.core.calling import Outcome, happening_of
from callsheet.core.campaign import MachineDetection
from callsheet.core.gate import Reason
from house.tree import page


@pytest.mark.parametrize(
    ("state", "code", "disposition", "status"),
    [
        ("delivered", "human", "Connected", "answered"),
        ("delivered", "lost", "Connected", "answered"),
        ("accepted", "answered", "Connected", "answered"),
        ("delivered", "machine", "Answering Machine", "answered"),
        ("undelivered", "machine", "Answering Machine", "no-answer"),
        ("undelivered", "busy", "Busy", "busy"),
        ("undelivered", "no_answer", "No Answer", "no-answer"),
        ("undelivered", "rejected", "No Answer", "no-answer"),
        ("rejected", "invalid_number", "Failed", "failed"),
        ("refused", "trunk_failed", "Failed", "failed"),
        ("uncertain", "", "Failed", "failed"),
    ],
)
def test_a_call_is_told_in_the_documented_words(state: str, code: str, disposition: str, status: str) -> None:
    assert words_of(state, code) == (disposition, status)


def test_what_has_not_ended_has_no_words() -> None:
    assert [words_of(state, "") for state in ("", PENDING, Kind.accepted, Kind.withdrawn)] == [None] * 4


def test_who_was_never_called_is_excluded_or_skipped() -> None:
    excluded = {reason for reason in Reason if words_of("", "", reason) == ("DNC Excluded", "failed")}
    skipped = {reason for reason in Reason if words_of("", "", reason) == ("Filter Skipped", "failed")}
    assert excluded == {Reason.dnc, Reason.opted_out}
    assert excluded | skipped == set(Reason)


def test_what_comes_between_two_calls_cancels_the_retry() -> None:
    assert words_of("undelivered", "busy", Reason.dnc) == ("Retry Cancelled", "busy")
    assert words_of("delivered", "human", Reason.dnc) == ("Connected", "answered")


def test_every_outcome_has_words() -> None:
    for outcome, detection in product(Outcome, MachineDetection):
        assert words_of(*happening_of(outcome, detection)) is not None


def test_the_page_names_every_word() -> None:
    text = page("docs/reference/call-outcomes.md")
    quoted = set(re.findall(r"`([^`]+)`", text[text.index("## In the documented words") :]))
    assert {*DialerDisposition, *ContactStatus} <= quoted
