"""How many calls of the documented API an account may make in a minute, where the settings of its apps say so.

A window that slides over the last sixty seconds, counted by each node for itself. As documented, the calls of all apps
of an account count together; each app compares them with its own limit.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from callsheet.clock import Clock
from callsheet.core.errors import RateLimited
from callsheet.store.apps import App

WINDOW_SECONDS = 60.0


@dataclass(slots=True)
class _Window:
    """The latest calls of an account, as many as the highest of its limits."""

    limits: dict[int, int] = field(default_factory=dict)
    """Of the apps that have one, by their number."""
    calls: deque[float] = field(default_factory=deque)


class RateLimit:
    """Remembers the calls of the last minute, of accounts in which an app has a limit: from its first call on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def spend(self, app: App) -> None:
        """Count one call. Raises RateLimited when the app has none left; a refused call counts nothing."""
        limit = app.settings.requests_per_minute
        window = self._window(app, limit)
        if window is None:
            return
        now, calls = self._clock.monotonic(), window.calls
        while calls and calls[0] <= now - WINDOW_SECONDS:
            calls.popleft()
        if limit is not None and len(calls) >= limit:
            raise RateLimited(calls[len(calls) - limit] + WINDOW_SECONDS - now)
        calls.append(now)
        while len(calls) > max(window.limits.values()):
            calls.popleft()

    def _window(self, app: App, limit: int | None) -> _Window | None:
        """Return what is remembered of the account; None where no app of it is known to have a limit."""
        if limit is not None:
            window = self._windows.setdefault(app.account_id, _Window())
            window.limits[app.no] = limit
            return window
        found = self._windows.get(app.account_id)
        if found is not None:
            found.limits.pop(app.no, None)
            if not found.limits:
                del self._windows[app.account_id]
                return None
        return found
