"""Failpoints: named places in the engine where a test, or a crash exercise, strikes.

They stand before and after each step in which one contact is reached: take, arm, hand, record; and before and after
the turns of conversations are written down. The engine's
loops get a `Failpoints` as an argument and call `failpoints.reach("before_arm")`; with nothing armed that is
one look-up in a dictionary. The environment variable `CALLSHEET_FAILPOINT`, for example `after_arm:3`, kills
the process with SIGKILL when the place is reached for the third time: no handler runs, nothing is flushed, as
when the power goes.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

Failpoint = Literal[
    "before_take",
    "after_take",
    "before_arm",
    "after_arm",
    "before_hand",
    "after_hand",
    "before_record",
    "after_record",
    "before_turn",
    "after_turn",
]
FAILPOINTS: Final[tuple[Failpoint, ...]] = get_args(Failpoint)


class UnknownFailpointError(ValueError):
    """There is no such failpoint."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no failpoint {name!r}. Known are: {', '.join(FAILPOINTS)}.")
        self.name = name


class FailpointCountError(ValueError):
    """A failpoint strikes at the n-th time it is reached, and n is a whole number from 1 on."""

    def __init__(self, count: object) -> None:
        super().__init__(f"A failpoint's count is a whole number from 1 on, not {count!r}.")


@dataclass(slots=True)
class _Armed:
    """An action, and how many times the place must still be reached until it strikes."""

    action: Callable[[], None]
    left: int


class Failpoints:
    """The failpoints of one engine. None is armed in a fresh one.

    An armed place strikes once, at its `nth` reach counted from the arming, and is then unarmed. Arming it
    again replaces what was armed. Unknown names raise `UnknownFailpointError`, counts below 1
    `FailpointCountError`.
    """

    __slots__ = ("_armed",)

    def __init__(self) -> None:
        self._armed: dict[str, _Armed | None] = dict.fromkeys(FAILPOINTS)

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Read `after_arm:3`, or several with commas, as places to kill the process at.

        Without a count it is the first reach; None or an empty text arms nothing.
        """
        failpoints = cls()
        for entry in (text or "").split(","):
            if entry.strip():
                name, colon, count = entry.partition(":")
                failpoints.kill_at(name.strip(), nth=_count(count) if colon else 1)
        return failpoints

    def reach(self, name: Failpoint) -> None:
        """Say that the engine is at this place. Returns at once unless the place is armed and its turn."""
        try:
            armed = self._armed[name]
        except KeyError:
            raise UnknownFailpointError(name) from None
        if armed is not None:
            self._strike(name, armed)

    def call_at(self, name: str, action: Callable[[], None], *, nth: int = 1) -> None:
        """Arm a place with a function, called at its `nth` reach. What it raises comes out of `reach`."""
        if name not in self._armed:
            raise UnknownFailpointError(name)
        if nth < 1:
            raise FailpointCountError(nth)
        self._armed[name] = _Armed(action, nth)

    def raise_at(self, name: str, error: BaseException, *, nth: int = 1) -> None:
        """Arm a place with an error, raised out of `reach` at its `nth` reach."""

        def fail() -> None:
            raise error

        self.call_at(name, fail, nth=nth)

    def kill_at(self, name: str, *, nth: int = 1) -> None:
        """Arm a place so that its `nth` reach kills this process with SIGKILL."""
        self.call_at(name, _kill, nth=nth)

    def _strike(self, name: str, armed: _Armed) -> None:
        armed.left -= 1
        if armed.left == 0:
            self._armed[name] = None  # first, so that the action may arm the place anew
            armed.action()


def _count(text: str) -> int:
    if not (text.strip().isascii() and text.strip().isdigit()):
        raise FailpointCountError(text)
    return int(text)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
