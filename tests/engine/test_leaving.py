"""Who is told to stop contacts nobody more, and lets calls that were answered end; a second signal ends them."""

import asyncio
import signal
from pathlib import Path

import pytest

from calling import PlainPrompts
from callsheet.cli.leaving import leave
from callsheet.cli.stopping import Told
from conversing import make_flow
from databases import rows
from engine.calls import call, placed, play
from engine.test_flows_of_calls import PERSON, told
from engine.test_phone_talk import PAYMENT
from engine.world import TICKS, World

OTHER = "+12125550002"


async def talking(w: World) -> None:
    """Call somebody, and return when they talk."""
    await call(w, [PERSON], flow=await make_flow(w.store, w.app, PAYMENT))
    while not await rows(w.store, "select 1 from call where answered_at <> 0"):
        await w.clock.sleep(0.1)


def told_once() -> Told:
    told = Told()
    told.hear(signal.SIGTERM)
    return told


def test_who_talks_is_heard_to_the_end_and_nobody_else_is_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    async def main(w: World) -> None:
        await talking(w)
        leaving = asyncio.create_task(leave(w.conductor, told_once(), 600))
        await w.clock.sleep(2)
        await call(w, [OTHER], flow=await make_flow(w.store, w.app, PAYMENT))
        await leaving

        (spoken,) = await placed(w)
        assert spoken.to == PERSON
        await w.conductor.stop()
        (ended,) = (await told(w)).values()
        assert (ended.outcome, ended.ended_by) == ("human", "them"), "nobody cut them off"
        assert "1 call goes on, for 600 seconds at most; Ctrl-C or SIGTERM again ends them" in capsys.readouterr().out

    play(tmp_path, main, tuning=TICKS, prompts=PlainPrompts(30.0))


@pytest.mark.parametrize("has_second", [False, True])
def test_calls_are_hung_up_when_the_time_is_over_or_somebody_asks_again(tmp_path: Path, has_second: bool):
    async def main(w: World) -> None:
        await talking(w)
        asked, began = told_once(), w.clock.monotonic()
        leaving = asyncio.create_task(leave(w.conductor, asked, 30))
        await w.clock.sleep(3)
        if has_second:
            asked.hear(signal.SIGTERM)
        await leaving
        await w.conductor.stop()

        assert (w.clock.monotonic() - began < 5) is has_second
        assert w.clock.monotonic() - began < 40
        (ended,) = (await told(w)).values()
        assert (ended.outcome, ended.ended_by) == ("human", "us")

    play(tmp_path, main, prompts=PlainPrompts(3600.0))


def test_nothing_is_waited_for_where_nobody_talks(tmp_path: Path):
    async def main(w: World) -> None:
        began = w.clock.monotonic()
        await leave(w.conductor, told_once(), 600)
        assert w.clock.monotonic() - began < 1

    play(tmp_path, main)
