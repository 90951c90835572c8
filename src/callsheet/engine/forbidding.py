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
"""How often other nodes are looked at."""


async def recall(scope: Scope, store: Store, holds: Holds, clock: Clock, *, node_no: int, lease_seconds: float) -> None:
    """Return when nothing that `scope` forbids can leave on other nodes any more. Call it after the commit."""
    deadline = clock.monotonic() + lease_seconds
    arms, answers = await _arms(scope, store, node_no), await _answers(scope, store, holds)
    while (arms or answers) and clock.monotonic() < deadline:
        if arms:
            await store.hot.recall(arms)
        await clock.sleep(ASK_SECONDS)
        arms = arms and arms & await _arms(scope, store, node_no)
        answers = answers and answers & await _answers(scope, store, holds)


async def _arms(scope: Scope, store: Store, node_no: int) -> set[ArmKey]:
    found = await store.hot.unhanded(scope.app, scope.run_no, scope.persons)
    return {arm for arm in found if arm.node_no != node_no}


async def _answers(scope: Scope, store: Store, holds: Holds) -> set[int]:
    """Recall the answers of ours that were taken, and return those of other nodes that may leave yet."""
    if scope.run_no is not None:
        return set()
    return await store.replies.recall(scope.app, scope.persons) - holds.answers()
