"""Stop everything: no run of an app goes on, and none begins, until somebody allows it again."""

from __future__ import annotations

from callsheet.engine.forbidding import ASK_SECONDS
from callsheet.engine.holds import Scope
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.sending import Stop


async def stop_all(runtime: Runtime, app: App, reason: str, by: str) -> Stop:
    """Pause every run. When this returns, nothing more leaves for anybody."""
    stop = await runtime.store.sending.stop(app.no, reason, by, runtime.clock.now())
    await runtime.conductor.forbid(Scope(app.no))
    await _wait_for_answers(runtime, app)
    return stop


async def _wait_for_answers(runtime: Runtime, app: App) -> None:
    """Return when no answer of ours that was taken before the stop can leave any more: its lease has an end."""
    replies, clock = runtime.store.replies, runtime.clock
    taken = await replies.taken(app.no, clock.now())
    while taken:
        await clock.sleep(ASK_SECONDS)
        taken &= await replies.taken(app.no, clock.now())


async def allow(runtime: Runtime, app: App) -> bool:
    """Let runs begin again, and say whether they could not. What was paused waits to be resumed."""
    allowed = await runtime.store.sending.allow(app.no, runtime.clock.now())
    runtime.conductor.wake()
    return allowed
