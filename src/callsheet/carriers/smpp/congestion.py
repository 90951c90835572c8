"""How many messages may wait for an answer on a session: fewer when the carrier asks for it, more as it takes them."""

from __future__ import annotations

from typing import Final

FIRST_HOLD_SECONDS: Final = 0.1
LONGEST_HOLD_SECONDS: Final = 2.0
SLOW_SECONDS: Final = 5.0
"""For so long after it asked us to slow down a carrier counts as throttled."""


class Congestion:
    """A window that halves at a refusal and grows by one for each window that was taken (AIMD).

    Where a window of one is too much, nothing leaves for a while, which doubles while that goes on. Instants are those
    of the monotonic clock.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._allowed = float(window)
        self._hold_seconds = FIRST_HOLD_SECONDS
        self._mark = 0
        self._held_until = 0.0
        self._slow_until = 0.0

    @property
    def allowed(self) -> int:
        """How many may wait for an answer now."""
        return int(self._allowed)

    def held_for(self, now: float) -> float:
        """Return for how many seconds nothing may leave; 0: go on."""
        return max(0.0, self._held_until - now)

    def is_slow(self, now: float) -> bool:
        """Tell whether the carrier has asked for less a moment ago."""
        return now < self._slow_until

    def taken(self) -> None:
        """Grow: a message was accepted."""
        if self._allowed < self._window:
            self._allowed = min(self._window, self._allowed + 1 / self._allowed)
        self._hold_seconds = FIRST_HOLD_SECONDS

    def throttled(self, serial: int, latest: int, now: float) -> None:
        """Shrink, once for all that were under way together: `serial` was refused, `latest` was the last to leave."""
        self._slow_until = now + SLOW_SECONDS
        if serial <= self._mark:
            return
        self._mark = latest
        if self._allowed < 2:
            self._held_until = now + self._hold_seconds
            self._hold_seconds = min(LONGEST_HOLD_SECONDS, 2 * self._hold_seconds)
        self._allowed = max(1.0, self._allowed / 2)
