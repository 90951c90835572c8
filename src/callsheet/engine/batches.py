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
        while waiting := [one for one in self._waiting[group] if not one.done.done()]:
            batch: dict[K, _Waiting[K, V, R]] = {}
            for one in waiting:
                if len(batch) < MOST:
                    batch.setdefault(one.key, one)
            taken = {id(one) for one in batch.values()}
            self._waiting[group] = [one for one in waiting if id(one) not in taken]
            await self._settle(group, list(batch.values()))
        del self._waiting[group]

    async def _settle(self, group: G, batch: list[_Waiting[K, V, R]]) -> None:
        """Do a batch. What breaks by one of it is found by doing each alone, so that it breaks nothing else."""
        try:
            results = await self._do(group, {one.key: one.value for one in batch})
        except Exception as error:  # noqa: BLE001 (it is told to whoever waits)
            if len(batch) > 1 and not isinstance(error, Unavailable):
                for one in batch:
                    await self._settle(group, [one])
                return
            for one in batch:
                if not one.done.done():
                    one.done.set_exception(error)
            return
        for one in batch:
            if not one.done.done():
                one.done.set_result(results[one.key])
