"""Somebody ends calls that go on: one by its name, or all of an app, and whoever talks is hung up on."""

from pathlib import Path

import pytest

from calling import PlainPrompts
from callsheet.core.call_errors import CallNotFound, CallOver
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.engine import stopping
from callsheet.store.told_calls import ToldCall
from conversing import make_flow
from databases import rows
from engine.calls import call, play
from engine.test_flows_of_calls import PERSON, timeline, told
from engine.test_phone_talk import PAYMENT
from engine.world import World

OTHER = "+12125550002"
LONG = PlainPrompts(600.0)


async def begun(w: World, *, answered: bool) -> AttemptKey:
    """Call somebody who listens for long, and return the call when it rings, or when they have answered."""
    await call(w, [PERSON], flow=await make_flow(w.store, w.app, PAYMENT))
    query = f"select run_no, person, n from call where answered_at {'<>' if answered else '='} 0"
    while not (found := await rows(w.store, query)):
        await w.clock.sleep(0.05)
    return AttemptKey(*found[0])


async def over(w: World, seconds: float) -> ToldCall:
    """Return the only call, which ends in time."""
    until = w.clock.monotonic() + seconds
    while await rows(w.store, "select 1 from call where ended_at = 0"):
        assert w.clock.monotonic() < until, "it goes on"
        await w.clock.sleep(0.1)
    (ended,) = (await told(w)).values()
    return ended


async def ask(w: World, key: AttemptKey) -> None:
    await w.store.hang_ups.ask(w.app.no, key, w.clock.now())


def test_who_talks_is_hung_up_on_and_the_record_says_who_did(tmp_path: Path):
    async def main(w: World) -> None:
        key = await begun(w, answered=True)
        await w.clock.sleep(5)
        await ask(w, key)  # on another node, say: nobody wakes this one
        ended = await over(w, 5)

        assert (ended.outcome, ended.ended_by) == ("human", "us")
        happened = await timeline(w, key)
        assert [what for what in happened if what.startswith("h")] == ["human", "hang_up_asked", "hung_up"]
        (talk,) = await rows(w.store, "select ending, why from flow_session")
        assert tuple(talk) == ("hung_up", "The call was ended on our side.")
        with pytest.raises(CallOver):
            await ask(w, key)
        with pytest.raises(CallNotFound):
            await w.store.hang_ups.ask(w.app.no + 1, key, w.clock.now())

    play(tmp_path, main, prompts=LONG)


def test_what_rings_is_taken_back(tmp_path: Path):
    async def main(w: World) -> None:
        key = await begun(w, answered=False)
        await ask(w, key)
        w.conductor.look_at_calls()
        ended = await over(w, 5)

        assert (ended.attempt_id, ended.outcome, ended.ended_by) == (encode_attempt(*key), "cancelled", "us")
        assert "hang_up_asked" in await timeline(w, key)

    play(tmp_path, main, prompts=LONG)


def test_to_stop_everything_ends_what_talks(tmp_path: Path):
    async def main(w: World) -> None:
        key = await begun(w, answered=True)
        await stopping.stop_all(w.runtime, w.app, "A wrong prompt", "me")
        ended = await over(w, 3)

        assert (ended.outcome, ended.ended_by) == ("human", "us")
        assert "hang_up_asked" in await timeline(w, key)

    play(tmp_path, main, prompts=LONG)
