"""Stop everything: no run of an app goes on, and none begins, until somebody allows it again."""

from __future__ import annotations

from callsheet.engine.holds import Scope
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.sending import Stop


async def stop_all(runtime: Runtime, app: App, reason: str, by: str) -> Stop:
    """Pause every run. When this returns, nothing more leaves for anybody; calls that go on end within a moment."""
    stop = await runtime.store.sending.stop(app.no, reason, by, runtime.clock.now())
    runtime.conductor.look_at_calls()
    await runtime.conductor.forbid(Scope(app.no))
    return stop


async def allow(runtime: Runtime, app: App) -> bool:
    """Let runs begin again, and say whether they could not. What was paused waits to be resumed."""
    allowed = await runtime.store.sending.allow(app.no, runtime.clock.now())
    runtime.conductor.wake()
    return allowed
