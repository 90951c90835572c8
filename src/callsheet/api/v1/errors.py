"""Failures of our own resources: problem details (RFC 9457), with a code for programs and every wrong field."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from callsheet.api.failures import as_failure, headers_of
from callsheet.core.errors import CallsheetError, Invalid

PROBLEM_JSON = "application/problem+json"

_encoder = msgspec.json.Encoder()


def render(error: CallsheetError) -> Response:
    """Render a failure as a problem."""
    body: dict[str, Any] = {
        "type": f"urn:callsheet:problem:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": error.message,
    }
    if isinstance(error, Invalid):
        body["errors"] = [{"field": fault.path, "message": fault.message} for fault in error.fields]
    return Response(_encoder.encode(body), error.status, headers_of(error), PROBLEM_JSON)


async def respond(_: Request, error: Exception) -> Response:
    """Answer whatever was raised."""
    return render(as_failure(error))
