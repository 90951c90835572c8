"""How soon an SMSC that was lost is tried again: later and later, and never by all who lost it at once."""

import random

import pytest

from callsheet.carriers.smpp.carrier import Backoff

PLACES = 400
"""Sessions of many processes that lost one SMSC, each with a randomness of its own."""


def waits(tries: int, *, is_for_people: bool = False) -> list[float]:
    backoff = Backoff()
    return sorted(backoff.seconds(tries, random.Random(seed), is_for_people=is_for_people) for seed in range(PLACES))


@pytest.mark.parametrize(("tries", "is_for_people", "longest"), [
    (1, False, 1), (2, False, 2), (5, False, 16), (7, False, 60), (10_000, False, 60),
    (1, True, 30), (3, True, 120), (6, True, 600), (10_000, True, 600),
])  # fmt: skip
def test_those_who_lost_one_carrier_come_back_spread_over_the_whole_wait(
    tries: int, is_for_people: bool, longest: float
):
    found = waits(tries, is_for_people=is_for_people)
    first = 30 if is_for_people else 1
    assert found[0] >= first / 10, "never at once"
    assert found[-1] <= longest
    # No tenth of the wait gets more than twice its share, but for the first, where nobody comes at once.
    tenths = [sum(longest * tenth / 10 < wait <= longest * (tenth + 1) / 10 for wait in found) for tenth in range(10)]
    assert max(tenths[1:]) < PLACES / 5
    assert min(tenths[1:]) > PLACES / 20


def test_one_place_waits_differently_each_time():
    backoff, rng = Backoff(), random.Random(7)
    found = [backoff.seconds(7, rng, is_for_people=False) for _ in range(50)]
    assert len(set(found)) > 40
