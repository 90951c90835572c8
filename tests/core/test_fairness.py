"""An app with a million contacts must not starve another one, and nobody saves up turns while he has nothing to do."""

import itertools
import random
from collections import Counter, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.core.fairness import AT_ONCE, QUANTUM, Turns

COSTS = st.integers(1, QUANTUM)


class Server:
    """A node that serves turns in the order in which they were admitted."""

    def __init__(self, at_once: int = 1) -> None:
        self.turns = Turns(at_once=at_once)
        self.served: deque[int] = deque()
        self.admitted: list[int] = []

    def admit(self) -> None:
        while (app := self.turns.admit()) is not None:
            self.served.append(app)
            self.admitted.append(app)

    def finish(self) -> None:
        self.turns.finish(self.served.popleft())
        self.admit()


@given(apps=st.integers(2, 6), requests=st.integers(20, 60), costs=st.data())
def test_apps_that_always_ask_get_equal_shares_of_contacts_whatever_their_arms_cost(apps, requests, costs):
    server, spent = Server(), Counter()
    cost = {app: costs.draw(COSTS, label=f"cost of {app}") for app in range(apps)}
    for app in range(apps):
        for _ in range(requests * QUANTUM // cost[app]):
            server.turns.ask(app, cost[app])
    server.admit()
    while len(server.admitted) < requests and server.served:
        server.finish()
    for app in server.admitted:
        spent[app] += cost[app]

    # In the round that is under way one may be ahead of another by what it may spend in it.
    assert max(spent.values()) - min(spent[app] for app in range(apps)) <= 3 * QUANTUM


@given(
    st.lists(st.tuples(st.integers(0, 5), COSTS), min_size=1, max_size=200),
    st.lists(st.booleans(), min_size=1, max_size=50),
)
def test_nobody_waits_for_more_than_two_turns_of_each_other(asked, finishes):
    server, pattern = Server(), itertools.cycle(finishes)
    queues: dict[int, deque[int]] = {}
    """What each app asks for, in its order."""
    ahead: dict[int, Counter[int]] = {}
    """What others have spent since an app's first request is the next of its own."""
    seen = 0

    def see() -> None:
        nonlocal seen
        for app in server.admitted[seen:]:
            cost = queues[app].popleft()
            for other, spent in ahead.items():
                if other != app:
                    spent[app] += cost
            # What was saved, less than a quantum, and a quantum for each of two visits.
            assert all(spent < 3 * QUANTUM for spent in ahead.pop(app).values())
            if queues[app]:
                ahead[app] = Counter()
        seen = len(server.admitted)

    for app, cost in asked:
        queues.setdefault(app, deque()).append(cost)
        ahead.setdefault(app, Counter())
        server.turns.ask(app, cost)
        server.admit()
        see()
        if next(pattern) and server.served:
            server.finish()
            see()
    while server.served:
        server.finish()
        see()

    assert not any(queues.values())


def test_arms_of_a_quantum_take_turns_one_by_one():
    server = Server()
    for app, requests in ((1, 40), (2, 5), (3, 5)):
        for _ in range(requests):
            server.turns.ask(app, QUANTUM)
    server.admit()
    while server.served:
        server.finish()

    assert server.admitted[:15] == [1, 2, 3] * 5
    assert server.admitted[15:] == [1] * 35


def test_a_turn_of_small_arms_is_as_long_as_one_of_large_ones():
    server = Server()
    for _ in range(100):
        server.turns.ask(1, 10)
        server.turns.ask(2, QUANTUM)
    server.admit()
    while len(server.admitted) < 60:
        server.finish()

    spent = Counter()
    for app in server.admitted:
        spent[app] += 10 if app == 1 else QUANTUM
    assert abs(spent[1] - spent[2]) <= QUANTUM


def test_what_was_not_used_is_gone_when_an_app_has_nothing_to_ask_for():
    server = Server()
    for _ in range(400):
        server.turns.ask(1, QUANTUM)
    # It asks for little, again and again, and never uses its quantum.
    for _ in range(50):
        server.turns.ask(2, 1)
        server.admit()
        server.finish()
        server.finish()
    for _ in range(20):
        server.turns.ask(2, QUANTUM)
    start = len(server.admitted)
    server.admit()
    while server.admitted[start:].count(2) < 15:
        server.finish()

    following = server.admitted[start:]
    assert all(following[i : i + 3].count(2) <= 2 for i in range(len(following) - 3))
    assert abs(following.count(1) - following.count(2)) <= 2


def test_one_app_alone_is_served_as_wide_as_a_commit_and_two_apps_one_by_one():
    server = Server(AT_ONCE)
    for _ in range(20):
        server.turns.ask(1, QUANTUM)
    server.admit()
    assert len(server.served) == AT_ONCE
    server.turns.ask(2, QUANTUM)
    server.admit()
    assert len(server.served) == AT_ONCE

    # As soon as there was room, and before any other of the first app.
    server.finish()
    assert server.admitted == [1] * AT_ONCE + [2]
    for _ in range(AT_ONCE):
        server.turns.ask(2, QUANTUM)
        server.finish()
    assert sorted(server.served) == [1, 2]


def test_who_asks_again_as_soon_as_he_was_served_keeps_his_place():
    server = Server(AT_ONCE)
    for _ in range(60):
        server.turns.ask(1, QUANTUM)
    server.turns.ask(2, QUANTUM)
    server.admit()
    for _ in range(40):
        was = server.served[0]
        server.finish()
        if was == 2:
            # A moment after it has finished, as a dispatcher does.
            server.turns.ask(2, QUANTUM)
            server.admit()

    following = server.admitted[AT_ONCE:]
    assert abs(following.count(1) - following.count(2)) <= 2


@pytest.mark.parametrize("seed", range(10))
def test_requests_that_are_taken_back_block_nobody(seed):
    rng, server = random.Random(seed), Server(1 + seed % 3)
    asked: list[tuple[int, int]] = []
    for _ in range(300):
        what = rng.randrange(3)
        if what == 0 or not asked:
            app, cost = rng.randrange(4), rng.randint(1, QUANTUM)
            server.turns.ask(app, cost)
            asked.append((app, cost))
        elif what == 1 and server.served:
            server.turns.finish(server.served.popleft())
        before = len(server.admitted)
        server.admit()
        for app in server.admitted[before:]:
            asked.remove(next(one for one in asked if one[0] == app))
        if what == 2 and asked:
            gone = asked.pop(rng.randrange(len(asked)))
            server.turns.withdraw(*gone)
    while server.served:
        server.finish()

    server.turns.ask(9, QUANTUM)
    assert server.turns.admit() == 9


def test_a_request_larger_than_a_quantum_is_served_after_some_rounds():
    server = Server()
    server.turns.ask(1, 5 * QUANTUM)
    for _ in range(10):
        server.turns.ask(2, QUANTUM)
    server.admit()
    while server.served:
        server.finish()

    assert server.admitted.index(1) <= 5
