"""Whose turn it is in a run: nobody waits for ever behind others who may be contacted too."""

from itertools import pairwise

import pytest

from callsheet.core.retrying import Turn
from callsheet.core.template import compile_text
from callsheet.engine.agenda import RunState
from callsheet.engine.making import TextMaker
from callsheet.store.apps import App
from callsheet.store.store import Store
from factories import StillClock, start_run, work_of


@pytest.fixture
def database() -> str:
    """Look at one database: turns are chosen without one."""
    return "sqlite"


@pytest.fixture
async def state(store: Store, app: App, clock: StillClock) -> RunState:
    """Stand in a run with contacts that nobody took yet."""
    run = await start_run(store, app, clock, 1)
    state = RunState(run, TextMaker(compile_text(run.text)), 1.0)
    state.see(await work_of(store, run), clock.now())
    return state


def turns(state: RunState, clock: StillClock, *due: Turn) -> list[Turn | None]:
    """Take forty turns while there is always more of everything."""
    state.due = dict.fromkeys(due, clock.now())
    taken = []
    for _ in range(40):
        taken.append(turn := state.next_turn(clock.now()))
        state.took(turn)
    return taken


def test_each_kind_of_contact_has_its_share(state: RunState, clock: StillClock):
    taken = turns(state, clock, *Turn)

    assert [taken.count(turn) for turn in (Turn.first, Turn.fresh, None, Turn.last)] == [20, 10, 10, 0]
    assert all(Turn.first in pair for pair in pairwise(taken))


@pytest.mark.parametrize("turn", [Turn.first, Turn.fresh])
def test_who_comes_again_takes_half_of_the_turns(state: RunState, clock: StillClock, turn: Turn):
    taken = turns(state, clock, turn, Turn.last)

    assert (taken.count(turn), taken.count(None)) == (20, 20)


def test_nobody_waits_for_those_whose_door_is_closed(state: RunState, clock: StillClock):
    state.open_groups.clear()

    assert turns(state, clock, Turn.first) == [Turn.first] * 40
    assert turns(state, clock, Turn.fresh) == [Turn.fresh] * 40
    assert turns(state, clock, Turn.first, Turn.fresh).count(Turn.fresh) == 20
    assert turns(state, clock, Turn.last) == [Turn.last] * 40
