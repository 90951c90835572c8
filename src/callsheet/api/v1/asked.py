"""What every route of ours is given: the process that serves it, and who calls."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader

from callsheet.api.caller import Caller, caller_of
from callsheet.api.session_cookie import COOKIE
from callsheet.core.campaign import Campaign
from callsheet.engine import campaigns
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

_token = APIKeyHeader(
    name="auth",
    auto_error=False,
    scheme_name="token",
    description="A JSON Web Token (HS256) with the claim `appId`: the id of an API client, whose secret signs it.",
)

session_scheme = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="session",
    description="The session of somebody who signed in. What changes something has to come from a page of this server.",
)


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def _app(
    request: Request,
    app: Annotated[str, Path(description="The app's id. Tokens are for one app.")],  # noqa: ARG001 (the front compared it)
    _: Annotated[str | None, Security(_token)] = None,
    __: Annotated[str | None, Security(session_scheme)] = None,
) -> App:
    return caller_of(request.scope).app


async def _caller(
    request: Request,
    _: Annotated[str | None, Security(_token)] = None,
    __: Annotated[str | None, Security(session_scheme)] = None,
) -> Caller:
    return caller_of(request.scope)


async def _campaign(
    request: Request,
    app: Annotated[App, Depends(_app)],
    campaign_id: Annotated[
        str | None, Query(max_length=128, description="Only what belongs to this campaign: its id, or its name.")
    ] = None,
) -> Campaign | None:
    return await campaigns.find(await _runtime(request), app, campaign_id) if campaign_id else None


Served = Annotated[Runtime, Depends(_runtime)]
"""The process."""

Tenant = Annotated[App, Depends(_app)]
"""The app for which the call is made, as the token proves."""

Calling = Annotated[Caller, Depends(_caller)]
"""Who calls, whether for an app or for the account."""

OfCampaign = Annotated[Campaign | None, Depends(_campaign)]
"""The campaign to which an answer is narrowed, if the query names one."""
