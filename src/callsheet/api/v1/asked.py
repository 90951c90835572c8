"""What every route of ours is given: the process that serves it, and who calls."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request, Security
from fastapi.security import APIKeyHeader

from callsheet.api.caller import caller_of
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

_token = APIKeyHeader(
    name="auth",
    auto_error=False,
    scheme_name="token",
    description="A JSON Web Token (HS256) with the claim `appId`: the id of an API client, whose secret signs it.",
)


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def _app(
    request: Request,
    app: Annotated[str, Path(description="The app's id. Tokens are for one app.")],  # noqa: ARG001 (the front compared it)
    _: Annotated[str | None, Security(_token)] = None,
) -> App:
    return caller_of(request.scope).app


Served = Annotated[Runtime, Depends(_runtime)]
"""The process."""

Tenant = Annotated[App, Depends(_app)]
"""The app for which the call is made, as the token proves."""
