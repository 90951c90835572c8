"""Whose turn it is among apps that want something of one node, so that a large one does not starve a small one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

QUANTUM = 50
"""How many contacts an app may ask for in its turn; an arm is of no more than that at usual tuning."""
AT_ONCE = 8
"""How many are served at once: they share a commit. One app alone may have them all, several have one each."""


@dataclass(slots=True)
class _App:
    waiting: deque[int] = field(default_factory=deque)
    """What each request costs."""
    serving: int = 0
    deficit: int = 0
    is_visited: bool = False
    """It has got its quantum for this visit."""
    was_idle: bool = False
    """It asked for nothing when it was visited last: perhaps it is about to."""


class Turns:
    """Deficit round robin over apps (Shreedhar and Varghese, 1995).

    Apps stand in a ring. One that is visited gets a quantum, and is served while what it saved pays for what it asks.
    One that asks for nothing loses what it saved, and after a second such visit its place: nobody saves up turns while
    he has nothing to do, and who comes back has his turn within one round.

    What is served stands in line for the database, which knows no apps. So an app has one turn at a time, unless it is
    alone: else the one with the most senders would have most of that line.
    """

    def __init__(self, *, quantum: int = QUANTUM, at_once: int = AT_ONCE) -> None:
        self._quantum = quantum
        self._at_once = at_once
        self._apps: dict[int, _App] = {}
        self._ring: deque[int] = deque()
        self._serving = 0

    def ask(self, app: int, cost: int) -> None:
        """Ask for a turn that costs so many contacts. An app's own requests are served in their order."""
        if app not in self._apps:
            self._apps[app] = _App()
            self._ring.append(app)
        self._apps[app].waiting.append(cost)
        self._apps[app].was_idle = False

    def withdraw(self, app: int, cost: int) -> None:
        """Take back a request that was not served."""
        self._apps[app].waiting.remove(cost)

    def finish(self, app: int) -> None:
        """Say that one of an app's turns is over."""
        self._apps[app].serving -= 1
        self._serving -= 1

    def admit(self) -> int | None:
        """Begin the next turn, and say whose it is; None when nobody may have one now."""
        while self._serving < self._at_once and any(map(self._is_ready, self._apps.values())):
            app = self._ring[0]
            mine = self._apps[app]
            if not mine.waiting:
                self._pass_by(app, mine)
            elif self._is_ready(mine) and self._can_pay(mine):
                mine.deficit -= mine.waiting.popleft()
                mine.serving += 1
                self._serving += 1
                return app
            else:
                mine.is_visited = False
                self._ring.rotate(-1)
        return None

    def _is_ready(self, mine: _App) -> bool:
        return bool(mine.waiting) and (not mine.serving or len(self._apps) == 1)

    def _can_pay(self, mine: _App) -> bool:
        if not mine.is_visited:
            mine.is_visited = True
            mine.deficit += self._quantum
        return mine.waiting[0] <= mine.deficit

    def _pass_by(self, app: int, mine: _App) -> None:
        """Take from an app that asks for nothing what it saved, and the second time its place in the ring."""
        mine.deficit, mine.is_visited = 0, False
        if mine.was_idle and not mine.serving:
            self._ring.popleft()
            del self._apps[app]
        else:
            mine.was_idle = True
            self._ring.rotate(-1)
