"""A contact keeps its sender, senders have even shares, and who comes or goes moves nobody else."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.pools import choose

PERSONS = [serial.to_bytes(16, "big") for serial in range(3000)]
members = st.sets(st.integers(1, 2**40), min_size=1, max_size=12).map(sorted)


@given(members, st.binary(min_size=16, max_size=16), st.integers(1, 2**40))
def test_the_last_sender_stays_while_it_is_a_member_and_the_order_says_nothing(members, person, last):
    chosen = choose(members, person)

    assert chosen in members
    assert choose(members[::-1], person) == chosen
    assert choose(members, person, last) == (last if last in members else chosen)
    assert choose(members, person, members[0]) == members[0]


@given(members.filter(lambda found: len(found) > 1), st.binary(min_size=16, max_size=16), st.data())
def test_only_those_of_a_member_that_goes_move(members, person, data):
    gone = data.draw(st.sampled_from(members))
    before, after = choose(members, person), choose([one for one in members if one != gone], person)

    assert before in (after, gone)


@given(st.integers(2, 8))
def test_the_shares_are_even(count):
    shares = Counter(choose(range(1, count + 1), person) for person in PERSONS)

    even = len(PERSONS) / count
    assert all(0.8 * even < shares[no] < 1.2 * even for no in range(1, count + 1))
