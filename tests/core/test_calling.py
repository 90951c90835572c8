import re
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.attempt import FINAL, Kind
from callsheet.core.calling import Clearing, Outcome, decide_outcome, happening_of
from callsheet.core.campaign import MachineDetection
from callsheet.core.clearing import CAUSES, STATUSES, Sureness
from callsheet.core.retrying import RetryPolicy, decide
from house.tree import page

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLEARINGS = st.builds(
    Clearing,
    cause=st.one_of(st.sampled_from(sorted(CAUSES)), st.integers()),
    sip_status=st.one_of(st.sampled_from(sorted(STATUSES)), st.integers()),
    was_answered=st.booleans(),
    has_rung=st.booleans(),
    ring_ran_out=st.booleans(),
    was_cancelled=st.booleans(),
    is_lost=st.booleans(),
)


def ended(cause: int, sip_status: int, *, has_rung: bool = False) -> Outcome:
    """Return the outcome of a call that nobody answered, and that none of our timers ended."""
    return decide_outcome(Clearing(cause, sip_status, False, has_rung, False, False))


@pytest.mark.parametrize(
    ("cause", "sip_status", "outcome"),
    [
        (17, 486, Outcome.busy),
        (1, 404, Outcome.invalid_number),
        (21, 603, Outcome.rejected),
        (19, 480, Outcome.no_answer),
        (34, 503, Outcome.trunk_failed),
    ],
)
def test_what_was_measured(cause: int, sip_status: int, outcome: Outcome) -> None:
    """Each was seen on Asterisk 22.10, against sipp and against a second Asterisk."""
    assert ended(cause, sip_status) is outcome


def test_our_own_timers_come_before_what_the_network_says() -> None:
    rang = Clearing(19, 480, was_answered=False, has_rung=True, ring_ran_out=True, was_cancelled=False)
    assert decide_outcome(rang) is Outcome.no_answer
    assert decide_outcome(rang._replace(cause=34, sip_status=503)) is Outcome.no_answer
    assert decide_outcome(rang._replace(ring_ran_out=False, was_cancelled=True)) is Outcome.cancelled


def test_an_account_that_is_not_let_in_is_not_the_callee_turning_us_away() -> None:
    """Asterisk makes cause 21 of 401 and 403, and of 603 as well: only the status tells them apart."""
    for status in (401, 403, 407):
        assert ended(21, status) is Outcome.trunk_failed
    assert ended(58, 488) is Outcome.trunk_failed


def test_a_trunk_that_gives_a_reason_is_believed_more_than_its_vague_status() -> None:
    """The cause comes from the network that knows the callee, by way of `Reason` (RFC 3326)."""
    assert ended(17, 503) is Outcome.busy
    assert ended(1, 500) is Outcome.invalid_number
    assert ended(34, 480) is Outcome.trunk_failed
    assert ended(21, 480) is Outcome.no_answer
    assert ended(20, 403) is Outcome.no_answer


def test_what_has_rung_is_a_try_whoever_broke_it_off() -> None:
    for cause, status in ((34, 503), (38, 500), (41, 0), (42, 503), (44, 0), (0, 403)):
        assert ended(cause, status) is Outcome.trunk_failed
        assert ended(cause, status, has_rung=True) is Outcome.no_answer


def test_an_announcement_does_not_make_a_number_valid() -> None:
    """A network may say "not in service" as early media before it clears."""
    assert ended(1, 404, has_rung=True) is Outcome.invalid_number


def test_who_picked_up_and_heard_nothing_is_not_called_again() -> None:
    assert ended(58, 200) is Outcome.lost


def test_what_nobody_can_know_is_uncertain_only_where_nobody_answered() -> None:
    broke = Clearing(0, 0, was_answered=False, has_rung=True, ring_ran_out=False, was_cancelled=False, is_lost=True)
    assert decide_outcome(broke) is Outcome.uncertain
    assert decide_outcome(broke._replace(was_answered=True)) is Outcome.lost


@given(cause=st.integers(), sip_status=st.integers())
def test_who_may_have_been_rung_waits_the_period(cause: int, sip_status: int) -> None:
    """What no table knows costs an attempt, and the next one waits: it is not repeated at once."""
    if cause not in CAUSES and sip_status not in STATUSES and sip_status // 100 != 2:
        assert ended(cause, sip_status) is Outcome.no_answer


@given(clearing=CLEARINGS, detection=st.sampled_from(MachineDetection))
def test_every_ending_has_an_outcome_and_every_outcome_an_event(
    clearing: Clearing, detection: MachineDetection
) -> None:
    kind, code = happening_of(decide_outcome(clearing), detection)
    assert kind in FINAL | {Kind.refused, Kind.uncertain}
    assert code in set(Outcome)


@given(clearing=CLEARINGS, detection=st.sampled_from(MachineDetection), n=st.integers(1, 9))
def test_an_answered_call_is_never_repeated(clearing: Clearing, detection: MachineDetection, n: int) -> None:
    kind, code = happening_of(decide_outcome(clearing._replace(was_answered=True)), detection)
    assert kind is Kind.delivered
    assert decide(kind, RetryPolicy(max_attempts=10), n=n, used=n, at=NOW, jitter=0.0, code=code) is None


def test_a_machine_comes_again_only_where_it_was_to_be_hung_up_on() -> None:
    assert happening_of(Outcome.machine, MachineDetection.disconnect) == (Kind.undelivered, "machine")
    assert happening_of(Outcome.machine, MachineDetection.detect) == (Kind.delivered, "machine")


def test_the_cause_that_asterisk_makes_of_a_status_never_overrules_it() -> None:
    """Where the trunk gives no reason, the cause says no more than the status did."""
    made = {401: 21, 403: 21, 404: 1, 405: 127, 407: 21, 408: 18, 409: 41, 410: 22, 411: 127, 413: 127, 414: 127}
    made |= {415: 127, 420: 3, 480: 19, 481: 127, 482: 127, 483: 19, 484: 28, 485: 1, 486: 17, 487: 127, 488: 58}
    made |= {491: 127, 500: 38, 501: 29, 502: 27, 503: 34, 504: 102, 505: 127, 600: 17, 603: 21, 604: 1, 606: 58}
    for (status, cause), has_rung in product(made.items(), (False, True)):
        assert ended(cause, status, has_rung=has_rung) is ended(0, status, has_rung=has_rung), status


def test_the_page_says_what_the_tables_say() -> None:
    """Whoever reads the page reads what happens."""
    text = page("docs/reference/call-outcomes.md")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| `(\w+)` \| (\w+) \|$", text, re.MULTILINE)
    said = [(int(number), words, Outcome(outcome), Sureness[sureness]) for number, words, outcome, sureness in rows]
    known = [*sorted(CAUSES.items()), *sorted(STATUSES.items())]
    assert said == [(number, meaning.words, meaning.outcome, meaning.sureness) for number, meaning in known]
