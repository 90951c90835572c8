"""Trunks that do not carry calls: no attempt is used, the trunk says so, and the campaign goes on when it is back."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from callsheet.core.asking import Leave
from callsheet.core.breaker import Position
from callsheet.core.calling import Dial
from callsheet.core.campaign import Channel, Order, Status
from callsheet.core.condition import State
from callsheet.core.run import AppSettings
from callsheet.engine.lines import Standing
from callsheet.engine.virtual_time import VirtualClock
from callsheet.voice.base import Call, Hear, HungUp
from databases import rows
from engine.calls import call, count_at_once, placed, play
from engine.world import World
from factories import trunk_of
from phone_numbers import numbers

PEOPLE = [to for to in numbers("IN", 160) if not to[-4:].startswith("99")][:120]


class TurnedAway:
    """A call that its trunk turned away at once."""

    node = "far"

    def __init__(self, reference: str) -> None:
        self.id = reference

    async def hang_up(self) -> None:
        return


class Trunk:
    """Stands before the simulated network, as a provider that takes some calls at once and turns others away."""

    def __init__(self, w: World, *, most: int, clearing: tuple[int, int]) -> None:
        self.most, self.clearing = most, clearing
        self.turned_away: list[str] = []
        self._clock: VirtualClock = w.clock
        self._phones = w.phones
        self._dial = w.phones.dial
        w.phones.dial = self.dial  # type: ignore[method-assign,assignment]

    async def dial(self, trunk_id: str, dial: Dial, leave: Leave, hear: Hear) -> Call:
        if len(self._phones._calls) < self.most:
            return await self._dial(trunk_id, dial, leave, hear)
        assert leave()
        self.turned_away.append(dial.to)
        end = HungUp(self._clock.now(), *self.clearing)
        asyncio.get_running_loop().call_later(0.1, lambda: hear(end))
        return TurnedAway(dial.reference)  # type: ignore[return-value]


async def standing(w: World) -> Standing:
    return w.conductor.standing((await trunk_of(w.store, w.app)).no, Channel.voice)


async def kinds(w: World) -> Counter[tuple[str, str]]:
    found = await rows(w.store, "select kind, code from event")
    return Counter((row.kind, row.code) for row in found)


def played(folder: Path, main: Callable[[World], Awaitable[None]], *, most: int = 10) -> None:
    play(folder, main, settings=AppSettings(agentless_concurrent_calls=most))


@pytest.mark.parametrize("clearing", [(19, 480), (34, 503)])
def test_a_trunk_that_takes_fewer_calls_than_we_have_costs_nobody_an_attempt(tmp_path: Path, clearing: tuple[int, int]):
    async def main(w: World) -> None:
        trunk = Trunk(w, most=4, clearing=clearing)
        begun = await call(w, PEOPLE[:60], max_attempts=1)
        while not trunk.turned_away:
            await w.clock.sleep(0.5)
        await w.clock.sleep(2)
        condition = (await standing(w)).condition
        await w.until(begun, Status.completed, longest_seconds=3600, step=5.0)

        found = await kinds(w)
        assert found["delivered", "human"] == 60
        assert set(found) == {("delivered", "human"), ("refused", "trunk_failed")}
        assert condition.state is State.throttled
        assert "turns away" in condition.why
        # It learns what the trunk takes, and tries one more now and then.
        assert len(trunk.turned_away) < 30

    played(tmp_path, main)


def test_one_who_is_not_there_is_the_contacts(tmp_path: Path):
    async def main(w: World) -> None:
        away = PEOPLE[5]
        network = Trunk(w, most=0, clearing=(19, 480))
        turn_away, w.phones.dial = network.dial, network._dial  # type: ignore[method-assign]
        carry = w.phones.dial

        async def dial(trunk_id: str, dial: Dial, leave: Leave, hear: Hear) -> Call:
            return await (turn_away if dial.to == away else carry)(trunk_id, dial, leave, hear)

        w.phones.dial = dial  # type: ignore[method-assign,assignment]
        begun = await call(w, PEOPLE[:20], max_attempts=2, retry_minutes=10)
        await w.until(begun, Status.completed, longest_seconds=3600, step=5.0)

        assert await kinds(w) == {("delivered", "human"): 19, ("undelivered", "no_answer"): 2}

    played(tmp_path, main)


@pytest.mark.parametrize("clearing", [(34, 503), (19, 480), (21, 401)])
def test_a_campaign_waits_for_a_trunk_that_is_down_and_goes_on_when_it_is_back(
    tmp_path: Path, clearing: tuple[int, int]
):
    async def main(w: World) -> None:
        trunk = Trunk(w, most=0, clearing=clearing)
        begun = await call(w, PEOPLE[:30], max_attempts=1)
        while (stands := await standing(w)).breaker.position is not Position.open:
            await w.clock.sleep(0.5)
        assert stands.trouble
        await w.clock.sleep(120)
        # Once somebody is in doubt about a trunk, few calls try it.
        assert len(trunk.turned_away) < 30

        trunk.most = 1000
        await w.until(begun, Status.completed, longest_seconds=3600, step=5.0)
        found = await kinds(w)
        assert found["delivered", "human"] == 30
        assert {kind for kind, _ in found} <= {"delivered", "refused", "withdrawn"}
        assert len(await placed(w)) == 30

    played(tmp_path, main)


def test_a_wrong_password_stops_the_trunk_with_the_first_answers(tmp_path: Path):
    async def main(w: World) -> None:
        trunk = Trunk(w, most=0, clearing=(21, 401))
        await call(w, PEOPLE[:30], max_attempts=1)
        await w.clock.sleep(3)

        assert len(trunk.turned_away) <= 10
        trouble = (await standing(w)).trouble
        assert "401" in trouble
        assert "password" in trouble

    played(tmp_path, main)


@pytest.mark.parametrize("order", list(Order))
def test_two_runs_of_a_campaign_keep_the_order_and_the_limit(tmp_path: Path, order: Order):
    people = PEOPLE[:24]

    async def main(w: World) -> None:
        going_on = count_at_once(w)
        for _ in range(2):
            begun = await call(w, people, order=order)
            await w.until(begun, Status.completed, longest_seconds=3600, step=5.0)

        expected = people if order is Order.fifo else people[::-1]
        assert [one.to for one in await placed(w)] == [*expected, *expected]
        assert max(going_on) == 3

    played(tmp_path, main, most=3)
