"""What the API says when it refuses a call, in either dialect."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from callsheet.core.errors import CallsheetError

_INTERNAL = "The server met something that nobody foresaw; its log says what."


@dataclass(frozen=True, slots=True)
class WrongField:
    """A field of the body, or a parameter, and what is wrong with it."""

    field: str
    message: str


class ApiError(CallsheetError):
    """The API refused a call; it says why.

    `status` is HTTP's, `code` a stable word for programs, `message` a sentence for people, and `fields` has every
    field that was wrong.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: tuple[WrongField, ...] = (),
        retry_seconds: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.fields = fields
        self.retry_seconds = retry_seconds
        """When the server wants to be asked again, where it said so."""
        super().__init__(message)


def read_refusal(status: int, headers: Mapping[str, str], content: bytes) -> ApiError:
    """Read a refusal of either dialect; also what stands between may have written it, in no dialect at all."""
    try:
        body = msgspec.json.decode(content)
    except msgspec.DecodeError:
        body = None
    said: dict[str, Any] = body if isinstance(body, dict) else {}
    errors = [one for one in said.get("errors") or () if isinstance(one, dict)]
    code = str(said.get("code") or next((one["code"] for one in errors if "code" in one), ""))
    message = str(said.get("detail") or said.get("message") or f"HTTP {status}")
    fields = tuple(
        WrongField(str(one["field"]), str(one.get("message") or one.get("msg") or ""))
        for one in errors
        if "field" in one
    )
    return ApiError(status, code, _INTERNAL if code == "internal" else message, fields, _retry_seconds(headers))


def _retry_seconds(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After` where it counts seconds; a date is of somebody else's clock."""
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
