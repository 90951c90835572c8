"""How many calls of the documented API an app may make in a minute, where its settings say so.

A window that slides over the last sixty seconds, counted by each node for itself.
"""

from __future__ import annotations

from collections import deque

from callsheet.clock import Clock
from callsheet.core.errors import RateLimited
from callsheet.store.apps import App

WINDOW_SECONDS = 60.0


class RateLimit:
    """Remembers the calls of the last minute, of apps that have a limit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[int, deque[float]] = {}

    def spend(self, app: App) -> None:
        """Count one call. Raises RateLimited when the app has none left; a refused call counts nothing."""
        limit = app.settings.requests_per_minute
        if limit is None:
            self._calls.pop(app.no, None)
            return
        now = self._clock.monotonic()
        calls = self._calls.setdefault(app.no, deque())
        while calls and calls[0] <= now - WINDOW_SECONDS:
            calls.popleft()
        if len(calls) >= limit:
            raise RateLimited(calls[len(calls) - limit] + WINDOW_SECONDS - now)
        calls.append(now)
