"""Patience: how long a call waits for the store. There is one bound, whatever is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from callsheet.clock import Clock
from callsheet.core.errors import Unavailable
from callsheet.engine.calling.live_call import LiveCall
from callsheet.voice.base import CallGone

log = structlog.get_logger()

T = TypeVar("T")

MOST_AWAY_SECONDS: Final = 20.0
"""Nobody holds the line for longer while the store is away, or does not answer."""
RETRY_SECONDS: Final = 1.0


class Patience:
    """Asks the store for calls."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def ask(self, ask: Callable[[], Awaitable[T]], *, again: bool = True, is_slow: bool = False) -> T:
        """Return what the store answers. Raises Unavailable when it stays away for too long.

        `again`: one that is away is asked again. `is_slow`: more than the store is asked, and takes its time: the bound
        counts from when the store is away. What was asked for may have been done when it is given up.
        """
        try:
            async with asyncio.timeout(None if is_slow else MOST_AWAY_SECONDS) as bound:
                while True:
                    try:
                        return await ask()
                    except Unavailable:
                        log.warning("call.store_away")
                        if not again:
                            raise
                    if bound.when() is None:
                        bound.reschedule(asyncio.get_running_loop().time() + MOST_AWAY_SECONDS)
                    await self._clock.sleep(RETRY_SECONDS)
        except TimeoutError:
            raise Unavailable from None

    async def ask_while(
        self, live: LiveCall, ask: Callable[[], Awaitable[T]], *, again: bool = True, is_slow: bool = False
    ) -> T:
        """Do the same as long as a call goes on. Raises CallGone when it ends before there is an answer."""
        loop = asyncio.get_running_loop()
        asking = loop.create_task(self.ask(ask, again=again, is_slow=is_slow))
        ending = loop.create_task(live.events.over.wait())
        try:
            await asyncio.wait({asking, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise CallGone
            return asking.result()
        finally:
            asking.cancel()
            ending.cancel()
