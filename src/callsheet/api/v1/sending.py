"""Stopping all sending of an app at once, and allowing it again."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel

from callsheet.api.caller import caller_of, note
from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import Body, Instant, Reason
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge
from callsheet.engine import stopping
from callsheet.store.sending import Stop

router = Router(prefix="/v1/apps/{app}", tags=["sending"])


class NewStop(Body):
    """That everything is to stop."""

    reason: Reason
    """Why: whoever tries to start a campaign meanwhile reads it."""


class ShownSending(BaseModel):
    """Whether an app may send."""

    stopped: bool
    reason: str | None = None
    by: str | None = None
    """Who stopped it: the id of an API client or of a user."""
    since: Instant | None = None
    paused: int = 0
    """How many runs this call has paused."""


@router.post("/stop-all", responses=problems(BodyTooLarge))
async def stop_all(request: Request, runtime: Served, app: Tenant, new: NewStop) -> ShownSending:
    """Stop everything: every run is paused, and none starts or resumes. When this answers, nothing more leaves.

    Calls that go on are hung up within two seconds.
    """
    note(request.scope, reason=new.reason)
    return _show(await stopping.stop_all(runtime, app, new.reason, caller_of(request.scope).id))


@router.get("/stop-all")
async def get_stop(runtime: Served, app: Tenant) -> ShownSending:
    """Tell whether sending was stopped, by whom, since when and why."""
    return _show(await runtime.store.sending.find(app.no))


@router.post("/allow-sending")
async def allow_sending(runtime: Served, app: Tenant) -> ShownSending:
    """Let campaigns start and resume again. Those that were paused stay so until somebody resumes them."""
    await stopping.allow(runtime, app)
    return _show(None)


def _show(stop: Stop | None) -> ShownSending:
    if stop is None:
        return ShownSending(stopped=False)
    return ShownSending(stopped=True, reason=stop.reason, by=stop.by, since=stop.at, paused=stop.paused)
