"""Our own resources as one application, with the paths that machines ask and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import BaseRoute

import callsheet
from callsheet.api import health
from callsheet.api.compat.contract import write_contract as write_compat_contract
from callsheet.api.paths import COMPAT_CONTRACT, COMPAT_DOCS, DOCS
from callsheet.api.v1 import (
    accounts,
    agent_mappings,
    ai_endpoints,
    app_settings,
    apps,
    audit,
    calls,
    campaign_moves,
    campaign_totals,
    campaigns,
    clients,
    contact_groups,
    contact_history,
    contact_lists,
    contacts,
    conversation_moves,
    conversations,
    deliveries,
    dnc_lists,
    dnc_numbers,
    flow_results,
    flow_secrets,
    flow_starters,
    flow_trials,
    flow_versions,
    flows,
    imports,
    messages,
    opt_outs,
    parked_receipts,
    preflights,
    pulls,
    queues,
    recordings,
    run_exports,
    runs,
    sandbox,
    schedules,
    senders,
    sending,
    sessions,
    sounds,
    speech,
    speech_services,
    tallies,
    templates,
    trunks,
    users,
    voice_nodes,
    webhooks,
    why,
)
from callsheet.api.v1.contract import EVERYWHERE, write_contract
from callsheet.api.v1.errors import respond
from callsheet.core.errors import CallsheetError
from callsheet.engine.runtime import Runtime

# In this order a path is looked for, and each that does not fit costs a little: what is asked for most goes first.
_RESOURCES = (
    campaigns,
    contact_lists,
    contacts,
    runs,
    accounts,
    apps,
    clients,
    sessions,
    users,
    contact_history,
    contact_groups,
    conversations,
    conversation_moves,
    audit,
    dnc_lists,
    dnc_numbers,
    messages,
    calls,
    opt_outs,
    imports,
    templates,
    flows,
    flow_starters,
    flow_versions,
    flow_results,
    flow_trials,
    flow_secrets,
    ai_endpoints,
    sounds,
    speech,
    speech_services,
    queues,
    recordings,
    agent_mappings,
    senders,
    trunks,
    voice_nodes,
    parked_receipts,
    sending,
    campaign_moves,
    preflights,
    why,
    campaign_totals,
    run_exports,
    tallies,
    sandbox,
    schedules,
    app_settings,
    webhooks,
    deliveries,
    pulls,
)


@cache
def _routes() -> Sequence[BaseRoute]:
    """Return the routes of all resources, the same ones for each application of this process.

    What a route takes is looked at when it is first asked for: half a second for all of them, paid once.
    """
    everything = APIRouter(responses=EVERYWHERE)
    for resource in (*_RESOURCES, health):
        everything.include_router(resource.router)
    return everything.routes


def build(runtime: Runtime) -> FastAPI:
    """Build the application. Its page of documentation fetches nothing from elsewhere."""
    app = FastAPIOffline(
        title="Callsheet",
        version=callsheet.__version__,
        docs_url=DOCS,
        redoc_url=None,
        static_url=f"{DOCS}/assets",
        swagger_ui_parameters={"validatorUrl": None},
        swagger_ui_oauth2_redirect_url=f"{DOCS}/oauth2-redirect",
        redirect_slashes=False,
        routes=[*_routes()],
        exception_handlers=dict.fromkeys((CallsheetError, HTTPException, RequestValidationError, Exception), respond),
    )
    app.openapi = partial(write_contract, app)  # type: ignore[method-assign]  # the documented way to extend it
    app.state.runtime = runtime

    async def show_contract(_: Request) -> JSONResponse:
        return JSONResponse(app.openapi())

    app.add_route("/v1/openapi.json", show_contract, include_in_schema=False)
    _document_compat(app)
    return app


def _document_compat(app: FastAPI) -> None:
    """Show the documented API's contract, with a page of its own, beside ours."""

    async def show_contract(_: Request) -> JSONResponse:
        return JSONResponse(write_compat_contract())

    async def show_page(_: Request) -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=COMPAT_CONTRACT,
            title="Callsheet: the documented API",
            swagger_js_url=f"{DOCS}/assets/swagger-ui-bundle.js",
            swagger_css_url=f"{DOCS}/assets/swagger-ui.css",
            swagger_favicon_url=f"{DOCS}/assets/favicon.png",
            swagger_ui_parameters=app.swagger_ui_parameters,
        )

    app.add_route(COMPAT_CONTRACT, show_contract, include_in_schema=False)
    app.add_route(COMPAT_DOCS, show_page, include_in_schema=False)
