"""Prefetching: what the flow of a campaign says to everybody is made when its run begins, before anybody answers."""

from __future__ import annotations

import asyncio

import structlog

from callsheet.core.campaign import Channel
from callsheet.core.errors import FlowNotFound, Unavailable
from callsheet.core.flow.amiss import BadExpression
from callsheet.core.run import Run
from callsheet.engine.calling.prompts import Prompts
from callsheet.engine.flow_shelf import FlowShelf

log = structlog.get_logger()


class Prefetcher:
    """Makes prompts on this node while its runs begin. No call waits for it: what is not there yet is made then."""

    def __init__(self, prompts: Prompts, flows: FlowShelf) -> None:
        self._prompts = prompts
        self._flows = flows
        self._tasks: dict[tuple[int, int, int], asyncio.Task[None]] = {}

    def begin(self, run: Run) -> None:
        """Begin with the prompts of a run, unless they are being made."""
        flow = run.app, run.flow_no, run.flow_version
        if run.channel is not Channel.voice or not run.flow_no or flow in self._tasks:
            return
        task = self._tasks[flow] = asyncio.get_running_loop().create_task(self._make(*flow), name="prefetch")
        task.add_done_callback(lambda _: self._tasks.pop(flow, None))

    async def rest(self) -> None:
        """Wait until nothing is being made."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def close(self) -> None:
        """End what is being made."""
        for task in list(self._tasks.values()):
            task.cancel()
        await self.rest()

    async def _make(self, app: int, flow_no: int, version: int) -> None:
        try:
            await self._prompts.prefetch(app, await self._flows.get(app, flow_no, version))
        except (BadExpression, FlowNotFound, Unavailable):
            # The calls themselves say what is wrong, if it still is.
            return
        except Exception:
            log.exception("prompt.prefetch_broke")
