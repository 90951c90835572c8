"""What this node holds between arming and a result, and the bars that stop it from being handed.

A call that forbids commits, and sets a bar here. What was armed before the commit and not handed yet meets the bar and
is withdrawn. What was handed and waits inside a carrier is asked for right before its first octet leaves, and meets the
bar then: so nobody waits for a carrier. What was forbidden on another node is recalled by it, arm by arm, through the
store (`forbidding.py`, `recaller.py`), and is barred here in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from callsheet.core.attempt import Intent, Kind
from callsheet.core.ids import AttemptKey
from callsheet.store.protocol import ArmKey


@dataclass(frozen=True, slots=True)
class Scope:
    """What a call forbids: persons of an app, a run, or a whole app."""

    app: int
    run_no: int | None = None
    persons: frozenset[bytes] | None = None

    def covers(self, app: int, run_no: int | None, person: bytes) -> bool:
        """Tell whether an intent is forbidden; `run_no` None: one that is stopped with no run."""
        return (
            app == self.app
            and (self.run_no is None or run_no == self.run_no)
            and (self.persons is None or person in self.persons)
        )


@dataclass(slots=True)
class _Arm:
    inside: int
    """Intents that may leave this machine yet."""
    open: int
    """Intents without a result."""


@dataclass(slots=True)
class _Held:
    arm: ArmKey
    handed: bool = False
    barred: bool = False
    settled: bool = False
    """It has left, or never will."""
    intent: Intent | None = None
    """What its message was made from, where that is asked for."""
    goes_on_after: frozenset[Kind] = frozenset()
    """These events of it are not its result yet."""


@dataclass(slots=True)
class HeldAnswer:
    """An answer of ours that this node takes, or has taken."""

    app: int
    person: bytes
    spared: bool
    """It is sent to people who opted out too: only what stops a whole app stops it."""
    taken: bool = False
    """Nobody else has it."""
    barred: bool = False
    run_no: int = 0
    """The run for which it is said though nobody asked just now; 0: it was asked for."""

    def leave(self) -> bool:
        """Tell whether it may leave now."""
        return not self.barred


class Holds:
    """The intents that this node holds."""

    def __init__(self) -> None:
        self._held: dict[AttemptKey, _Held] = {}
        self._arms: dict[ArmKey, _Arm] = {}
        self._answers: dict[int, HeldAnswer] = {}
        self._handed: list[ArmKey] = []
        self._ended: list[ArmKey] = []
        self._bars: dict[int, Scope] = {}
        self._bar_no = 0
        self._readers: dict[int, int] = {}
        self._reader_no = 0
        self.on_handed: Callable[[], None] = lambda: None
        """Called when the last intent of an arm has left, or was barred: other nodes may wait to read that."""

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

    def hand(self, key: AttemptKey, intent: Intent | None = None, goes_on_after: frozenset[Kind] = frozenset()) -> bool:
        """Say that a line gets an intent: from now on it asks whether it may leave, and tells what became of it.

        `intent`: kept for whoever ends it. `goes_on_after`: events of it that are not its result yet: until then its
        lease is renewed. False: it must not leave any more, and is not handed.
        """
        held = self._held.get(key)
        if held is None or held.barred:
            return False
        held.handed = True
        held.intent = intent
        held.goes_on_after = goes_on_after
        return True

    def is_handed(self, key: AttemptKey) -> bool:
        """Tell whether a carrier has an intent, and has not said what became of it."""
        held = self._held.get(key)
        return held is not None and held.handed

    def leave(self, key: AttemptKey) -> bool:
        """Tell whether an intent may leave now; when it may, it has left."""
        held = self._held.get(key)
        if held is None or held.barred:
            return False
        self._settle(held)
        return True

    def hold_answer(self, no: int, app: int, person: bytes, *, spared: bool, run_no: int = 0) -> HeldAnswer:
        """Hold an answer of ours, from before it is taken until `let_answer_go`."""
        answer = self._answers[no] = HeldAnswer(app, person, spared, run_no=run_no)
        return answer

    def let_answer_go(self, no: int) -> None:
        """Hold an answer no more: nothing leaves for it, as nobody could forbid it any more."""
        answer = self._answers.pop(no, None)
        if answer is not None:
            answer.barred = True

    def answers(self) -> set[int]:
        """Return the numbers of the answers that this node took, and holds."""
        return {no for no, answer in self._answers.items() if answer.taken}

    def bar_answers(self, nos: Collection[int]) -> None:
        """Forbid these answers: none of them leaves any more."""
        for no in nos:
            if no in self._answers:
                self._answers[no].barred = True

    def end(self, key: AttemptKey, kind: Kind | None = None) -> Intent | None:
        """Say that an attempt has a result; whatever it is, nothing more leaves for it. Return what `hand` kept.

        `kind`: what happened to it; one after which it goes on is no result.
        """
        held = self._held.get(key)
        if held is None or kind in held.goes_on_after:
            return None
        del self._held[key]
        self._settle(held)
        arm = self._arms.get(held.arm)
        if arm is not None:
            arm.open -= 1
            if arm.open == 0:
                del self._arms[held.arm]
                self._ended.append(held.arm)
        return held.intent

    def _settle(self, held: _Held) -> None:
        """Count one that has left, or never will."""
        if held.settled:
            return
        held.settled = True
        arm = self._arms[held.arm]
        arm.inside -= 1
        if arm.inside == 0:
            self._handed.append(held.arm)
            self.on_handed()

    def collect(self) -> tuple[list[ArmKey], list[ArmKey]]:
        """Return the arms that were handed over, and that have ended, since the last time."""
        ended, self._ended = self._ended, []
        handed, self._handed = self._handed, []
        # An arm that ended is deleted: it need not be marked as handed first.
        gone = set(ended)
        return [arm for arm in handed if arm not in gone], ended

    def lasting(self) -> set[ArmKey]:
        """Return the arms of which something goes on for as long as it likes: a call."""
        return {held.arm for held in self._held.values() if held.goes_on_after}

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

    def bar(self, scope: Scope) -> None:
        """Forbid a scope: nothing in it leaves any more, but texts of which a part has left are ended."""
        self._bar_no += 1
        if self._readers:
            self._bars[self._bar_no] = scope
        for key, held in self._held.items():
            if scope.covers(held.arm.app, key.run_no, key.person):
                held.barred = True
                self._settle(held)
        for answer in self._answers.values():
            spared = answer.spared and scope.persons is not None
            if not spared and scope.covers(answer.app, answer.run_no, answer.person):
                answer.barred = True

    def inside(self) -> set[ArmKey]:
        """Return the arms of which something may leave yet."""
        return {key for key, arm in self._arms.items() if arm.inside}

    def bar_arms(self, arms: Collection[ArmKey]) -> None:
        """Forbid what has not left of these arms; who is not meant comes again, and is judged again."""
        for held in self._held.values():
            if held.arm in arms:
                held.barred = True
                self._settle(held)
