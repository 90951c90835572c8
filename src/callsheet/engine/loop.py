"""A loop that rests until it is woken, as several of the engine's are: what they have in common."""

from __future__ import annotations

import asyncio


class Loop:
    """Can be woken, and told to end; whoever inherits says what it does in between."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look for work now."""
        self._wake.set()

    def stop(self) -> None:
        """End after what is in work."""
        self._stopping = True
        self._wake.set()

    async def _rest(self, seconds: float) -> None:
        """Wait so long, or until somebody wakes the loop or ends it."""
        try:
            async with asyncio.timeout(0 if self._stopping else seconds):
                await self._wake.wait()
        except TimeoutError:
            return
