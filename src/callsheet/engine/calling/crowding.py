"""Crowding: whether calls that were turned away at once were so by their trunk, which is known a moment later."""

from __future__ import annotations

import asyncio

from callsheet.clock import Clock
from callsheet.core.fullness import BURST, Fullness


class Crowding:
    """Watches one trunk."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known = Fullness()
        self._turned = asyncio.Event()
        self.going_on = 0
        """Calls that rang or were answered, and are not over."""

    @property
    def known(self) -> Fullness:
        """What is known now."""
        return self._known

    def begin(self) -> None:
        """Take notice that a call rings, or was answered."""
        self._note(is_sudden=False)
        self.going_on += 1

    async def weigh(self, *, is_sure: bool) -> bool:
        """Return whether a call that was turned away at once was so by the trunk itself.

        `is_sure`: that is so in any case. Else others are waited for to whom the same happens.
        """
        at = self._clock.now()
        self._note(is_sudden=True)
        deadline = self._clock.monotonic() + BURST.total_seconds()
        while not (is_sure or self._known.blames(at)):
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return False
            try:
                async with asyncio.timeout(left):
                    await self._turned.wait()
            except TimeoutError:
                continue
        return True

    def _note(self, *, is_sudden: bool) -> None:
        before = self._known
        self._known = before.note(self._clock.now(), going_on=self.going_on, is_sudden=is_sudden)
        if self._known.full_at != before.full_at:
            self._turned.set()
            self._turned = asyncio.Event()
