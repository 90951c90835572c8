from datetime import UTC, datetime, timedelta

import pytest

from callsheet.core.breaker import Outcome as Sign
from callsheet.core.calling import Clearing, Outcome, decide_outcome, is_sudden, sign_of
from callsheet.core.fullness import FORGOTTEN, Fullness

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AWAY = Clearing(19, 480, was_answered=False, has_rung=False, ring_ran_out=False, was_cancelled=False)


def noted(sudden: int, well: int, *, going_on: int = 0, within: float = 0.9) -> Fullness:
    """Return what is known after so many calls were turned away, and so many others rang, within some seconds."""
    known = Fullness()
    for i in range(well):
        known = known.note(NOW, going_on=i, is_sudden=False)
    for i in range(sudden):
        at = NOW + timedelta(seconds=within * (i + 1) / sudden)
        known = known.note(at, going_on=going_on, is_sudden=True)
    return known


@pytest.mark.parametrize(("sudden", "well"), [(3, 0), (3, 4), (5, 10), (30, 30)])
def test_a_burst_is_the_trunks_fault_of_the_first_of_them_too(sudden: int, well: int):
    assert noted(sudden, well).blames(NOW)


@pytest.mark.parametrize(("sudden", "well"), [(1, 0), (2, 0), (3, 30), (5, 60)])
def test_one_or_a_few_among_many_say_nothing(sudden: int, well: int):
    known = noted(sudden, well)
    assert not known.blames(NOW)
    assert known.room_at(NOW) is None


def test_those_that_come_one_after_the_other_are_no_burst():
    assert not noted(5, 0, within=10).blames(NOW)


def test_a_full_trunk_has_as_many_calls_as_it_took_and_one_more_now_and_then():
    known = noted(3, 4, going_on=4)
    at = NOW + timedelta(seconds=1)
    assert (known.room_at(at), known.is_full(at)) == (4, True)
    assert known.room_at(at + timedelta(seconds=25)) == 6

    assert known.note(at + timedelta(seconds=60), going_on=4, is_sudden=True).blames(at + timedelta(seconds=60))
    assert not known.note(at + timedelta(seconds=60), going_on=3, is_sudden=True).blames(at + timedelta(seconds=60))
    taken = known.note(at + timedelta(seconds=60), going_on=7, is_sudden=False)
    assert taken.room_at(at) == 7
    assert known.room_at(at + FORGOTTEN) is None


def test_a_trunk_that_takes_nothing_is_given_one_call_at_a_time_and_is_not_merely_full():
    known = noted(3, 0)
    at = NOW + timedelta(seconds=1)
    assert (known.room_at(at), known.is_full(at)) == (1, False)


def test_only_what_comes_at_once_and_vaguely_may_be_the_trunks():
    assert is_sudden(AWAY, 0.3)
    assert is_sudden(AWAY._replace(cause=34, sip_status=503), 0.3)
    assert not is_sudden(AWAY, 1.1)
    assert not is_sudden(AWAY._replace(has_rung=True), 0.3)
    assert not is_sudden(AWAY._replace(cause=20), 0.3), "the network knows that the phone is off"
    assert not is_sudden(AWAY._replace(cause=17, sip_status=486), 0.3)
    assert not is_sudden(AWAY._replace(cause=21, sip_status=401), 0.3)


def test_what_a_trunk_turned_away_itself_costs_no_attempt():
    assert decide_outcome(AWAY) is Outcome.no_answer
    assert decide_outcome(AWAY._replace(is_crowded_out=True)) is Outcome.trunk_failed


@pytest.mark.parametrize("status", [401, 402, 407])
def test_a_refused_account_locks_the_trunk_at_once(status: int):
    assert sign_of(AWAY._replace(cause=21, sip_status=status), 30) == (Sign.locked_out, str(status))


@pytest.mark.parametrize(
    ("clearing", "ring_seconds", "sign"),
    [
        (AWAY, 30, Sign.answered),
        (AWAY._replace(cause=34, sip_status=503), 30, Sign.unwell),
        (AWAY._replace(sip_status=0, ring_ran_out=True), 5, Sign.unwell),
        (AWAY._replace(sip_status=0, ring_ran_out=True, has_rung=True), 5, Sign.answered),
        # By then the engine would have found out that nobody is there.
        (AWAY._replace(sip_status=0, ring_ran_out=True), 20, Sign.answered),
        (AWAY._replace(was_cancelled=True), 30, Sign.throttled),
        (AWAY._replace(is_lost=True), 30, Sign.unanswered),
    ],
)
def test_what_the_end_of_a_call_says_of_its_trunk(clearing: Clearing, ring_seconds: int, sign: Sign):
    assert sign_of(clearing, ring_seconds)[0] is sign
