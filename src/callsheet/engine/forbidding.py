"""Forbid: a call that says no is effective when it answers.

It commits first, and bars what its own node holds. Then it recalls from other nodes what they armed, or took, before
its commit and what may leave yet, and waits until they have let go of it; at most one lease, after which a node that
says nothing has nothing left that may leave.
"""

from __future__ import annotations

from callsheet.clock import Clock
from callsheet.engine.holds import Holds, Scope
from callsheet.store.protocol import ArmKey
from callsheet.store.store import Store

ASK_SECONDS = 0.02
"""How often other nodes are looked at, at first."""
LONGEST_ASK_SECONDS = 0.25
"""And when one of them may have died: many may wait for it."""
_SLOWER = 0.1
"""Of the time that has passed, so much passes until they are looked at again."""


async def recall(scope: Scope, store: Store, holds: Holds, clock: Clock, *, node_no: int, lease_seconds: float) -> None:
    """Return when nothing that `scope` forbids can leave on other nodes any more. Call it after the commit."""
    began = clock.monotonic()
    arms, answers = await _arms(scope, store, node_no), await _answers(scope, store, holds)
    while (arms or answers) and (waited := clock.monotonic() - began) < lease_seconds:
        if arms:
            await store.hot.recall(arms)
        await clock.sleep(min(LONGEST_ASK_SECONDS, max(ASK_SECONDS, waited * _SLOWER)))
        arms = arms and arms & await _arms(scope, store, node_no)
        answers = answers and answers & await _answers(scope, store, holds)


async def _arms(scope: Scope, store: Store, node_no: int) -> set[ArmKey]:
    found = await store.hot.unhanded(scope.app, scope.run_no, scope.persons)
    return {arm for arm in found if arm.node_no != node_no}


async def _answers(scope: Scope, store: Store, holds: Holds) -> set[int]:
    """Recall the answers of ours that were taken, and return those of other nodes that may leave yet."""
    return await store.replies.recall(scope.app, scope.persons, scope.run_no) - holds.answers()
