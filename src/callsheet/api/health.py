"""What operators' machines ask: whether the process lives, whether it can work, and what it has measured."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from callsheet import meters
from callsheet.engine.runtime import Runtime

router = APIRouter(include_in_schema=False)

_LOOKS = ["GET", "HEAD"]

PATIENCE_SECONDS = 2.0
"""How long the database may take to answer, before this process counts as not ready."""


@router.api_route("/healthz", methods=_LOOKS)
async def is_alive() -> Response:
    """Say that the process lives. Nothing is asked of anybody."""
    return JSONResponse({"status": "ok"})


@router.api_route("/readyz", methods=_LOOKS)
async def is_ready(request: Request) -> Response:
    """Say whether the database answers and the engine's loops run."""
    runtime: Runtime = request.app.state.runtime
    checks = {"database": await _answers(runtime), "engine": runtime.conductor.is_running()}
    ready = all(checks.values())
    return JSONResponse({"status": "ok" if ready else "not ready", "checks": checks}, 200 if ready else 503)


@router.get("/metrics")
async def read_metrics() -> Response:
    """Return the metrics in the exposition of Prometheus."""
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)


async def _answers(runtime: Runtime) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            # Somebody who is not there: one look into an index.
            await runtime.store.apps.find("")
    except Exception:  # noqa: BLE001 (whatever it is, the database did not answer)
        return False
    return True
