from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.attempt import Kind
from callsheet.core.campaign import UncertainPolicy
from callsheet.core.retrying import (
    LONGEST_BACKOFF_SECONDS,
    MOST_FAILURES,
    MOST_TRIES,
    Again,
    RetryPolicy,
    Turn,
    backoff,
    decide,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONCE = RetryPolicy()
REPEATING = RetryPolicy(uncertain=UncertainPolicy.at_least_once)


def test_what_was_withdrawn_comes_again_at_once_and_uses_up_nothing() -> None:
    assert decide(Kind.withdrawn, ONCE, n=3, used=1, at=NOON, jitter=0.5) == Again(NOON, Turn.first, 4, 0)


def test_what_is_withdrawn_again_and_again_backs_off() -> None:
    again = [decide(Kind.withdrawn, ONCE, n=n, used=1, at=NOON, jitter=1) for n in range(4, 12)]
    waits = [(comes.due_at - NOON).total_seconds() for comes in again if comes]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("kind", [Kind.withdrawn, Kind.refused])
def test_the_number_of_a_try_never_outgrows_its_two_bytes(kind: Kind) -> None:
    assert decide(kind, ONCE, n=MOST_TRIES - 1, used=1, at=NOON, jitter=0) is not None
    assert decide(kind, ONCE, n=MOST_TRIES, used=1, at=NOON, jitter=0) is None
    assert MOST_TRIES < 2**16


@given(n=st.integers(1, 1000), jitter=st.floats(0, 1, exclude_max=True))
def test_a_refusal_backs_off_within_bounds(n: int, jitter: float) -> None:
    again = decide(Kind.refused, ONCE, n=n, used=1, at=NOON, jitter=jitter)
    assert again is not None
    assert (again.turn, again.n, again.used) == (Turn.first, n + 1, 0)
    assert timedelta(seconds=0.5) <= again.due_at - NOON <= timedelta(seconds=LONGEST_BACKOFF_SECONDS)
    assert backoff(n + 1, jitter) >= backoff(n, jitter)


def test_a_doubt_is_never_repeated_unless_the_campaign_asks_for_it() -> None:
    assert decide(Kind.uncertain, ONCE, n=1, used=1, at=NOON, jitter=0) is None
    again = decide(Kind.uncertain, REPEATING, n=1, used=1, at=NOON, jitter=0)
    assert again is not None
    assert again.n == 2


@pytest.mark.parametrize("kind", [Kind.accepted, Kind.delivered, Kind.undelivered, Kind.rejected])
def test_an_answer_ends_the_matter(kind: Kind) -> None:
    assert decide(kind, REPEATING, n=1, used=1, at=NOON, jitter=0) is None


def test_a_number_that_a_trunk_never_reaches_costs_attempts_in_the_end() -> None:
    """One trunk bars a country, another answers 403 for a number: a run with it ends all the same."""
    policy = RetryPolicy(max_attempts=3, retry_minutes=30)
    n, used, tries = 1, 1, []
    while (again := decide(Kind.refused, policy, n=n, used=used, at=NOON, jitter=1, code="trunk_failed")) is not None:
        tries.append(again)
        n, used = again.n, again.used + 1
    assert [again.turn for again in tries] == [Turn.first] * MOST_FAILURES + [Turn.last] * 2
    assert {again.due_at - NOON for again in tries[MOST_FAILURES:]} == {timedelta(minutes=30)}
    assert decide(Kind.refused, policy, n=MOST_FAILURES + 1, used=1, at=NOON, jitter=1, code="throttled") is not None
