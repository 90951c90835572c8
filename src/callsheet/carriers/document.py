"""Documents: JSON that a stranger wrote, read without trust."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


def read_json(body: bytes) -> Any:
    """Return the value of a JSON text; None when it is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def read_object(body: bytes) -> Mapping[str, Any]:
    """Return a JSON object; an empty one when it is none."""
    value = read_json(body)
    return value if isinstance(value, dict) else {}


def as_text(value: Any) -> str:
    """Return a text, number or truth value as it is written in JSON, without quotes; empty for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""
