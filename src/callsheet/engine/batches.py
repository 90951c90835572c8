"""Batches: what many ask for alone, one by one, is done for all of them at once.

While one batch is on its way the next gathers, so nobody waits for others to come: under no load a batch is one, and
under load as many as came meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Final, Generic, NamedTuple, TypeVar

from callsheet.core.errors import Unavailable

G = TypeVar("G", bound=Hashable)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
R = TypeVar("R")

MOST: Final = 100
"""So many are done at once: a batch holds its transaction no longer than it must."""


class _Waiting(NamedTuple, Generic[K, V, R]):
    key: K
    value: V
    done: asyncio.Future[R]


class Batches(Generic[G, K, V, R]):
    """Does one thing for many. Those of a batch are of one group, and have different keys."""

    def __init__(self, do: Callable[[G, Mapping[K, V]], Awaitable[Mapping[K, R]]]) -> None:
        """`do` takes values by key, and returns what came of each."""
        self._do = do
        self._waiting: dict[G, list[_Waiting[K, V, R]]] = {}
        """What the batch that is on its way did not take; a group that is missing has none on its way."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def put(self, group: G, key: K, value: V) -> R:
        """Let it be done with the others that wait, and return what came of it. Raises what `do` raises of it.

        Who does not wait for that any more keeps no other from it.
        """
        loop = asyncio.get_running_loop()
        one = _Waiting[K, V, R](key, value, loop.create_future())
        if group in self._waiting:
            self._waiting[group].append(one)
        else:
            self._waiting[group] = [one]
            task = loop.create_task(self._work(group), name="batch")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await one.done

    async def _work(self, group: G) -> None:
        """Do batch after batch, until nobody waits."""
        try:
            while batch := self._take(group):
                await self._settle(group, batch)
        finally:
            # Who comes after this begins anew, whatever ended it.
            for left in self._waiting.pop(group):
                left.done.cancel()

    def _take(self, group: G) -> list[_Waiting[K, V, R]]:
        """Take the next batch of those who still wait, the first of each key."""
        batch: dict[K, _Waiting[K, V, R]] = {}
        left: list[_Waiting[K, V, R]] = []
        for one in self._waiting[group]:
            if one.done.done():
                continue
            if one.key in batch or len(batch) == MOST:
                left.append(one)
            else:
                batch[one.key] = one
        self._waiting[group] = left
        return list(batch.values())

    async def _settle(self, group: G, batch: list[_Waiting[K, V, R]]) -> None:
        """Do a batch. What breaks by one of it is found by doing each alone, so that it breaks nothing else."""
        try:
            results = await self._do(group, {one.key: one.value for one in batch})
            for one in batch:
                _tell(one.done, results[one.key])
        except Exception as error:  # noqa: BLE001 (it is told to whoever waits)
            if len(batch) > 1 and not isinstance(error, Unavailable):
                for one in batch:
                    await self._settle(group, [one])
            for one in batch:
                if not one.done.done():
                    one.done.set_exception(error)
        finally:
            # Only where the task itself was ended.
            for one in batch:
                one.done.cancel()


def _tell(done: asyncio.Future[R], result: R) -> None:
    if not done.done():
        done.set_result(result)
