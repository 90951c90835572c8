"""Failures on the documented wire: `{"status":"failure","message":...,"errors":[{"msg","code","field"?}]}`.

The documentation shows no failing answer of these calls. Two shapes are known from the same platform; both are in one
body, so that either kind of client finds its field.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from callsheet.api.compat.answers import answer
from callsheet.api.failures import headers_of
from callsheet.core.errors import CallsheetError, Invalid, Unauthenticated

BAD_CREDENTIALS = 4002
"""The number that the platform gives for a bad token."""


def render(error: CallsheetError) -> Response:
    """Render a failure in the documented dialect."""
    code = BAD_CREDENTIALS if isinstance(error, Unauthenticated) else error.code
    errors: list[dict[str, Any]] = [{"msg": error.message, "code": code}]
    if isinstance(error, Invalid) and error.fields:
        errors = [{"msg": fault.message, "code": code, "field": fault.path} for fault in error.fields]
    body = {"status": "failure", "message": error.message, "errors": errors}
    return answer(body, status=error.status, headers=headers_of(error))
