"""Forbid: a call that says no is effective when it answers.

It commits first. Then it bars what this node holds, and waits until every intent that others armed before its commit
has left, or was withdrawn by the node that holds it; at most one lease, after which what a dead node held is uncertain
anyway.
"""

from __future__ import annotations

from callsheet.clock import Clock
from callsheet.engine.holds import Holds, Scope
from callsheet.store.protocol import HotStore

ASK_SECONDS = 0.02
"""How often other nodes are looked at."""


async def settle(
    scope: Scope, hot: HotStore, holds: Holds, clock: Clock, *, node_no: int, lease_seconds: float
) -> None:
    """Return when nothing that `scope` forbids can leave any more. Call it after the commit that forbids."""
    holds.bar(scope)
    others = {arm for arm in await hot.unhanded(scope.app, scope.run_no) if arm.node_no != node_no}
    deadline = clock.monotonic() + lease_seconds
    while others and clock.monotonic() < deadline:
        await clock.sleep(ASK_SECONDS)
        others &= set(await hot.unhanded(scope.app, scope.run_no))
