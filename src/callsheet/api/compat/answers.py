"""Answers on the documented wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

_encoder = msgspec.json.Encoder()


def answer(body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(_encoder.encode(body), status, headers, "application/json")


def success(message: str, data: object) -> dict[str, Any]:
    """Return the ordinary envelope."""
    return {"status": "success", "message": message, "data": data}
