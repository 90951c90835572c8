"""A trunk that is asked by web is tried again by the next message: nothing else could tell that it works again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from callsheet.carriers.base import Accepted, AccountRefused, Outbound, SendError
from callsheet.carriers.web import WebCarrier, error_of_status
from callsheet.core.asking import Answer, NotReached, Request, nobody_forbids
from callsheet.core.breaker import ENOUGH_TRIED, FIRST_ROOM, LONGEST_PAUSE, Position
from callsheet.core.condition import State
from callsheet.core.notice import NoticeKind
from callsheet.engine.line import Line
from callsheet.engine.virtual_time import VirtualClock, run
from engine.test_breakers import told, want_to_be_told
from engine.world import MINUTES, World, world
from factories import MONDAY_NOON, SENDER

NOT_SENT, NOT_ANSWERED = NotReached("The host's name leads nowhere.", was_sent=False), NotReached("It took too long.")
UNPAID = 402
Said = NotReached | int
"""What comes of a request: no answer, or its status."""


class Wording:
    """Words nothing; an answer is its status."""

    def write(self, message: Outbound, _now: object) -> Request:
        return Request("POST", f"https://carrier.example/{message.reference}")

    def read(self, answer: Answer, _message: Outbound) -> Accepted:
        if answer.status == 200:
            return Accepted("id-1", 1)
        raise error_of_status(answer.status, str(answer.status))


class Server:
    """Answers what it is told to, and 200 after that."""

    def __init__(self, said: Sequence[Said]) -> None:
        self.said = list(said)
        self.asked = 0

    async def ask(self, _request: Request, **_: Any) -> Answer:
        self.asked += 1
        await asyncio.sleep(0.01)
        said = self.said.pop(0) if self.said else 200
        if isinstance(said, NotReached):
            raise said
        return Answer(said, {}, b"")


@asynccontextmanager
async def line_to(clock: VirtualClock, folder: Path, *said: Said) -> AsyncIterator[tuple[World, Line, Server]]:
    """Open the line of the only trunk, over web."""
    server = Server(said)
    async with world(clock, folder, tuning=MINUTES) as w:
        await w.conductor.stop()
        w.wrap = lambda _: WebCarrier(Wording(), server.ask, clock, window=50)  # type: ignore[arg-type]
        await w.start()
        (line,) = w.conductor.lines.open_ones().values()
        yield w, line, server


async def say(line: Line, clock: VirtualClock) -> Accepted | SendError:
    """Hand one message over, and return what the carrier says."""
    answers: list[Accepted | SendError] = []
    line.hand_reply(Outbound("r", "+12125550100", SENDER, "Hi", 1, ""), nobody_forbids, answers.append)
    await clock.sleep(1)
    (answer,) = answers
    return answer


@pytest.mark.parametrize("said", [NOT_SENT, NOT_ANSWERED])
def test_one_request_in_vain_does_not_close_it(tmp_path: Path, said: Said) -> None:
    async def main(clock: VirtualClock) -> None:
        async with line_to(clock, tmp_path, said) as (w, line, _):
            await want_to_be_told(w)
            assert isinstance(await say(line, clock), SendError)
            assert line.condition().state is State.connecting
            assert line.free() == FIRST_ROOM
            assert line.takes_reply()
            await clock.sleep(600)
            (trunk,) = await w.store.apps.trunks(w.app.no)
            assert w.conductor.standing(trunk.no).trouble == ""
            assert await told(w) == [], "nothing is out of order as long as messages flow"
            assert isinstance(await say(line, clock), Accepted)
            assert line.condition().state is State.open

    run(main, start=MONDAY_NOON)


@pytest.mark.parametrize("said", [[UNPAID], [NOT_SENT] * 5, [NOT_ANSWERED] * 5])
def test_one_that_was_out_of_order_is_tried_with_one_message_and_mends(tmp_path: Path, said: list[Said]) -> None:
    async def main(clock: VirtualClock) -> None:
        async with line_to(clock, tmp_path, *said) as (w, line, server):
            await want_to_be_told(w)
            for _ in said:
                await say(line, clock)
            assert (line.free(), line.takes_reply()) == (0, False)
            assert line.breaker.position is Position.open

            await clock.sleep(LONGEST_PAUSE.total_seconds())
            assert (line.free(), line.takes_reply()) == (1, True)
            assert line.breaker.position is Position.half_open
            for _ in range(ENOUGH_TRIED):
                assert isinstance(await say(line, clock), Accepted)
            assert line.breaker.position is Position.closed
            assert line.free() == FIRST_ROOM
            assert server.asked == len(said) + ENOUGH_TRIED
            await clock.sleep(120)
            assert await told(w) == [NoticeKind.trunk_broken, NoticeKind.trunk_mended]

    run(main, start=MONDAY_NOON)


def test_one_that_refused_the_account_is_tried_at_once_when_somebody_says_so(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async with line_to(clock, tmp_path, UNPAID) as (w, line, _):
            (trunk,) = await w.store.apps.trunks(w.app.no)
            assert isinstance(await say(line, clock), AccountRefused)
            assert w.conductor.standing(trunk.no).is_broken
            w.conductor.try_trunk(trunk.no)
            assert line.free() == 1
            assert line.condition().state is State.broken, "nothing says yet that it is not"
            assert not w.conductor.standing(trunk.no).is_broken, "a pool that fails over would never try it"
            assert isinstance(await say(line, clock), Accepted)

    run(main, start=MONDAY_NOON)
