"""What many ask for alone is done for all at once, and what breaks one of them breaks no other."""

import asyncio
from collections.abc import Mapping

import pytest

from callsheet.core.errors import Unavailable
from callsheet.engine.batches import MOST, Batches


class Doubling:
    """Doubles numbers, when it is let."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[int]]] = []
        self.may_go_on = asyncio.Event()
        self.has_come = asyncio.Event()
        self.is_away = False

    async def do(self, group: str, values: Mapping[int, int]) -> Mapping[int, int]:
        self.batches.append((group, sorted(values)))
        self.has_come.set()
        await self.may_go_on.wait()
        if self.is_away:
            raise Unavailable
        return {key: 2 * 100 // (100 // value) for key, value in values.items()}


async def test_who_comes_while_a_batch_is_on_its_way_goes_with_the_next():
    doubling = Doubling()
    batches = Batches(doubling.do)
    first = asyncio.create_task(batches.put("a", 1, 1))
    await doubling.has_come.wait()
    rest = [asyncio.create_task(batches.put("a", key, 2)) for key in range(2, 5)]
    other = asyncio.create_task(batches.put("b", 9, 4))
    await asyncio.sleep(0)
    doubling.may_go_on.set()

    assert await asyncio.gather(first, *rest, other) == [2, 4, 4, 4, 8]
    assert sorted(doubling.batches) == [("a", [1]), ("a", [2, 3, 4]), ("b", [9])]
    assert await batches.put("a", 1, 1) == 2


async def test_two_of_one_key_are_never_done_together_and_a_batch_is_not_too_large():
    doubling = Doubling()
    doubling.may_go_on.set()
    batches = Batches(doubling.do)

    results = await asyncio.gather(*(batches.put("a", key % 150, 1) for key in range(300)))

    assert results == [2] * 300
    assert max(len(keys) for _, keys in doubling.batches) == MOST
    assert sum(len(keys) for _, keys in doubling.batches) == 300
    assert all(len(set(keys)) == len(keys) for _, keys in doubling.batches)


async def test_what_breaks_one_breaks_no_other():
    doubling = Doubling()
    doubling.may_go_on.set()
    batches = Batches(doubling.do)

    one, broken, three = await asyncio.gather(
        batches.put("a", 1, 1), batches.put("a", 2, 0), batches.put("a", 3, 1), return_exceptions=True
    )

    assert (one, three) == (2, 2)
    assert isinstance(broken, ZeroDivisionError)


async def test_while_it_is_away_all_are_told_and_asked_again_it_does_it():
    doubling = Doubling()
    doubling.may_go_on.set()
    doubling.is_away = True
    batches = Batches(doubling.do)

    told = await asyncio.gather(batches.put("a", 1, 1), batches.put("a", 2, 1), return_exceptions=True)
    assert [type(one) for one in told] == [Unavailable, Unavailable]
    assert doubling.batches == [("a", [1, 2])]

    doubling.is_away = False
    assert await batches.put("a", 1, 1) == 2


async def test_who_waits_no_more_keeps_nobody_from_it():
    doubling = Doubling()
    batches = Batches(doubling.do)
    first, second = (asyncio.create_task(batches.put("a", key, 1)) for key in (1, 2))
    await doubling.has_come.wait()
    third, fourth = (asyncio.create_task(batches.put("a", key, 1)) for key in (3, 4))
    await asyncio.sleep(0)
    first.cancel()
    third.cancel()
    doubling.may_go_on.set()

    assert await asyncio.gather(second, fourth) == [2, 2]
    assert doubling.batches == [("a", [1, 2]), ("a", [4])]
    for gone in (first, third):
        with pytest.raises(asyncio.CancelledError):
            await gone


async def test_a_worker_that_is_ended_leaves_nobody_waiting_and_the_next_begins_anew():
    doubling = Doubling()
    batches = Batches(doubling.do)
    waiting = [asyncio.create_task(batches.put("a", 1, 1))]
    await doubling.has_come.wait()
    waiting.append(asyncio.create_task(batches.put("a", 2, 1)))
    await asyncio.sleep(0)
    (worker,) = batches._tasks
    worker.cancel()

    await asyncio.wait([worker, *waiting])
    assert [one.cancelled() for one in waiting] == [True, True]
    doubling.may_go_on.set()
    assert await batches.put("a", 1, 1) == 2


async def test_who_is_forgotten_is_told_so():
    async def forget(_: str, __: Mapping[int, int]) -> Mapping[int, int]:
        return {}

    with pytest.raises(KeyError):
        await Batches(forget).put("a", 1, 1)
