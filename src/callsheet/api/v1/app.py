"""Our own resources as one application, with the paths that machines ask and the OpenAPI document."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

import callsheet
from callsheet.api import health
from callsheet.api.v1 import (
    app_settings,
    contact_lists,
    dnc_lists,
    flows,
    imports,
    runs,
    sandbox,
    senders,
    templates,
)
from callsheet.api.v1.errors import respond
from callsheet.core.errors import CallsheetError
from callsheet.engine.runtime import Runtime

_RESOURCES = (contact_lists, dnc_lists, imports, templates, flows, senders, runs, sandbox, app_settings)


def build(runtime: Runtime) -> FastAPI:
    """Build the application. Its own pages of documentation are off: they fetch scripts from elsewhere."""
    app = FastAPI(
        title="Callsheet",
        version=callsheet.__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=dict.fromkeys((CallsheetError, HTTPException, RequestValidationError, Exception), respond),
    )
    app.state.runtime = runtime
    for resource in _RESOURCES:
        app.include_router(resource.router)
    app.include_router(health.router)
    return app
