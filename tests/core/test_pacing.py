from collections import Counter
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.pacing import FURTHEST_SEGMENTS, MICROS_PER_SECOND, Shares, grant, share_out

HORIZON = MICROS_PER_SECOND // 4


@given(
    rate=st.floats(0.01, 5000),
    asks=st.lists(st.tuples(st.integers(0, 3 * MICROS_PER_SECOND), st.integers(1, 500)), min_size=1, max_size=40),
)
def test_slices_never_overlap_and_never_exceed_the_rate(rate: float, asks: list[tuple[int, int]]) -> None:
    tat = now = 0
    instants: list[int] = []
    for pause, wanted in asks:
        now += pause
        slice_ = grant(tat, now, rate, wanted, HORIZON)
        assert slice_.segments <= wanted
        instants += [slice_.start + i * slice_.interval for i in range(slice_.segments)]
        if slice_.segments:
            tat = slice_.tat
    gaps = [after - before for before, after in pairwise(instants)]
    assert all(gap >= round(MICROS_PER_SECOND / rate) for gap in gaps)


@given(rate=st.floats(0.01, 5000))
def test_an_idle_sender_may_always_speak(rate: float) -> None:
    assert grant(0, 10 * MICROS_PER_SECOND, rate, 50, HORIZON).segments >= 1


def test_a_clock_that_was_set_back_does_not_silence_a_sender_for_hours() -> None:
    an_hour = 3600 * MICROS_PER_SECOND
    held_up = grant(2 * an_hour, an_hour, 100.0, 50, HORIZON)
    assert held_up.start - held_up.now == HORIZON + FURTHEST_SEGMENTS * MICROS_PER_SECOND // 100


def test_a_busy_sender_waits_for_its_slice() -> None:
    first = grant(0, 0, 1.0, 50, HORIZON)
    assert (first.segments, first.start, first.tat) == (1, 0, MICROS_PER_SECOND)
    assert grant(first.tat, 0, 1.0, 50, HORIZON).segments == 0
    assert grant(first.tat, MICROS_PER_SECOND - HORIZON, 1.0, 50, HORIZON).segments == 1


@given(weights=st.lists(st.integers(1, 5), min_size=2, max_size=6))
def test_shares_follow_the_weights(weights: list[int]) -> None:
    shares, spent = Shares(), dict.fromkeys(range(len(weights)), 0)
    by_key = dict(enumerate(weights))
    turns = 400 * sum(weights)
    for _ in range(turns):
        key = shares.choose(by_key)
        shares.spend(key, by_key[key], 1)
        spent[key] += 1
    for key, weight in by_key.items():
        assert abs(spent[key] / turns - weight / sum(weights)) < 0.01


def test_one_that_was_idle_does_not_catch_up() -> None:
    shares = Shares()
    for _ in range(100):
        shares.spend(shares.choose({1: 1}), 1, 1)
    chosen = []
    for _ in range(10):
        key = shares.choose({1: 1, 2: 1})
        shares.spend(key, 1, 1)
        chosen.append(key)
    assert chosen.count(2) in (5, 6)


@pytest.mark.parametrize(
    ("places", "wanted", "shares"),
    [
        (10, {1: 50, 2: 50}, {1: 5, 2: 5}),
        (10, {1: 1, 2: 50}, {1: 1, 2: 9}),
        (10, {1: 1, 2: 3}, {1: 4, 2: 6}),
        (10, {1: 3, 2: 4, 3: 50}, {1: 3, 2: 4, 3: 3}),
        (10, {1: 0}, {1: 10}),
        (0, {1: 5, 2: 5}, {1: 0, 2: 0}),
        (1, {1: 5, 2: 5, 3: 5}, {1: 1, 2: 0, 3: 0}),
    ],
)
def test_places_are_shared_out(places: int, wanted: dict[int, int], shares: dict[int, int]):
    assert share_out(places, wanted, 0) == shares


@given(st.integers(0, 40), st.dictionaries(st.integers(1, 9), st.integers(0, 60), min_size=1), st.integers(0, 99))
def test_all_places_are_shared_out_and_nobody_gets_much_less_who_wants_as_much(
    places: int, wanted: dict[int, int], turn: int
):
    shares = share_out(places, wanted, turn)
    assert sum(shares.values()) == places
    for one, other in permutations(wanted, 2):
        if wanted[one] >= wanted[other]:
            assert shares[one] >= shares[other] - 1


@given(st.integers(1, 8), st.integers(2, 8))
def test_the_odd_places_are_everybodys_in_turn(places: int, nodes: int):
    had = Counter[int]()
    for turn in range(nodes):
        had.update(share_out(places, dict.fromkeys(range(nodes), 99), turn))
    assert set(had.values()) == {places}
