"""What this node holds between arming and a result, and the bars that stop it from being handed.

A call that forbids commits, sets a bar here, and waits until nothing in its scope is on its way out any more. What
was armed before the commit and not handed yet meets the bar and is withdrawn. Other nodes are waited for through the
store (`forbidding.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from callsheet.core.attempt import Intent
from callsheet.core.ids import AttemptKey
from callsheet.store.protocol import ArmKey


@dataclass(frozen=True, slots=True)
class Scope:
    """What a call forbids: persons of an app, a run, or a whole app."""

    app: int
    run_no: int | None = None
    persons: frozenset[bytes] | None = None

    def covers(self, app: int, run_no: int, person: bytes) -> bool:
        """Tell whether an intent is forbidden."""
        return (
            app == self.app
            and (self.run_no is None or run_no == self.run_no)
            and (self.persons is None or person in self.persons)
        )


@dataclass(slots=True)
class _Arm:
    inside: int
    """Intents that have not left this machine yet."""
    open: int
    """Intents without a result."""


@dataclass(slots=True)
class _Held:
    arm: ArmKey
    left: bool = False


@dataclass(slots=True)
class _Waiter:
    keys: set[AttemptKey]
    cleared: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Holds:
    """The intents that this node holds."""

    def __init__(self) -> None:
        self._held: dict[AttemptKey, _Held] = {}
        self._arms: dict[ArmKey, _Arm] = {}
        self._leaving: dict[AttemptKey, int] = {}
        self._handed: list[ArmKey] = []
        self._ended: list[ArmKey] = []
        self._bars: dict[int, Scope] = {}
        self._bar_no = 0
        self._readers: dict[int, int] = {}
        self._reader_no = 0
        self._waiters: list[_Waiter] = []
        self.on_handed: Callable[[], None] = lambda: None
        """Called when the last intent of an arm has left: other nodes may wait to read that."""

    def __len__(self) -> int:
        """Return how many intents have no result yet."""
        return len(self._held)

    def hold(self, arm: ArmKey, keys: Collection[AttemptKey]) -> None:
        """Take up what was armed."""
        if not keys:
            return
        self._arms[arm] = _Arm(len(keys), len(keys))
        held = self._held
        for key in keys:
            held[key] = _Held(arm)

    def hand(self, key: AttemptKey, app: int) -> None:
        """Say that an intent is on its way out: from now on it cannot be withdrawn, only waited for."""
        self._leaving[key] = app

    def is_leaving(self, key: AttemptKey) -> bool:
        """Tell whether an intent was handed and has not left yet."""
        return key in self._leaving

    def leave(self, key: AttemptKey) -> None:
        """Say that the carrier has it, or that it was withdrawn: nothing more leaves for it."""
        held = self._held.get(key)
        if held is not None and not held.left:
            held.left = True
            if self._count_left(held.arm):
                self.on_handed()
        self._leaving.pop(key, None)
        for waiter in self._waiters:
            waiter.keys.discard(key)
            if not waiter.keys and not waiter.cleared.done():
                waiter.cleared.set_result(None)

    def end(self, key: AttemptKey) -> None:
        """Say that an attempt has a result; whatever it is, nothing more leaves for it."""
        held = self._held.pop(key, None)
        if held is None:
            return
        if not held.left:
            self._count_left(held.arm)
        arm = self._arms.get(held.arm)
        if arm is None:
            return
        arm.open -= 1
        if arm.open == 0:
            del self._arms[held.arm]
            self._ended.append(held.arm)

    def _count_left(self, arm_key: ArmKey) -> bool:
        """Count one that is not inside any more, and tell whether it was the last of its arm."""
        arm = self._arms.get(arm_key)
        if arm is None:
            return False
        arm.inside -= 1
        if arm.inside == 0:
            self._handed.append(arm_key)
        return arm.inside == 0

    def collect(self) -> tuple[list[ArmKey], list[ArmKey]]:
        """Return the arms that were handed over, and that have ended, since the last time."""
        ended, self._ended = self._ended, []
        handed, self._handed = self._handed, []
        # An arm that ended is deleted: it need not be marked as handed first.
        gone = set(ended)
        return [arm for arm in handed if arm not in gone], ended

    def begin(self) -> int:
        """Begin to arm: bars that are set from now on hold for what comes of it. Ended by `finish`."""
        self._reader_no += 1
        self._readers[self._reader_no] = self._bar_no
        return self._reader_no

    def finish(self, reader: int) -> None:
        """Everything that came of an arm was handed or withdrawn."""
        self._readers.pop(reader, None)
        oldest = min(self._readers.values(), default=self._bar_no)
        for bar_no in [no for no in self._bars if no <= oldest]:
            del self._bars[bar_no]

    def is_barred(self, reader: int, intent: Intent) -> bool:
        """Tell whether a bar that was set since `begin` forbids an intent."""
        if not self._bars:
            return False
        since = self._readers[reader]
        return any(
            bar_no > since and scope.covers(intent.app, intent.run_no, intent.person)
            for bar_no, scope in self._bars.items()
        )

    async def bar(self, scope: Scope) -> None:
        """Forbid a scope, and return when nothing in it is on its way out any more."""
        self._bar_no += 1
        if self._readers:
            self._bars[self._bar_no] = scope
        keys = {key for key, app in self._leaving.items() if scope.covers(app, key.run_no, key.person)}
        if not keys:
            return
        waiter = _Waiter(keys)
        self._waiters.append(waiter)
        try:
            await waiter.cleared
        finally:
            self._waiters.remove(waiter)
