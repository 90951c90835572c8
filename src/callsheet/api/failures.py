"""What went wrong, as a member of the one family of errors, whoever raised it; each dialect has its own renderer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from types import TracebackType
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from callsheet.core.errors import (
    CallsheetError,
    FieldError,
    Invalid,
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from callsheet.core.wording import AMISS, sentence

_PLACES = 12
_WHERE = ("body", "query", "path", "header")
_UNION_TAGS = ("union_tag_invalid", "union_tag_not_found")
"""Faults of the field that says which of several objects is meant."""


def as_failure(error: Exception) -> CallsheetError:
    """Return the member of the family that says what happened; what nobody expected says nothing about itself."""
    match error:
        case CallsheetError():
            return error
        case RequestValidationError():
            return Invalid(faults_in(error.body, error.errors()))
        case HTTPException(status_code=404):
            return NotFound("There is no such path.")
        case HTTPException(status_code=405):
            return MethodNotAllowed((error.headers or {}).get("Allow", ""))
        case HTTPException(status_code=400):
            return MalformedBody()
        case _:
            return CallsheetError()


def faults_in(body: Any, faults: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """Return what pydantic found wrong in a request, with the place where each stands in the body that came."""
    return [FieldError(_path(_loc(one, body)), sentence(one)) for one in faults]


def is_expected(error: Exception) -> bool:
    """Tell whether it is the caller's doing; anything else is a fault of ours, and is logged."""
    return isinstance(error, CallsheetError | HTTPException | RequestValidationError)


def headers_of(error: CallsheetError) -> dict[str, str]:
    """Return the headers that RFC 9110 wants with a status."""
    match error:
        case Unauthenticated():
            return {"WWW-Authenticate": "Bearer"}
        case MethodNotAllowed() if error.allowed:
            return {"Allow": error.allowed}
        case RateLimited():
            return {"Retry-After": str(max(1, ceil(error.retry_seconds)))}
        case Unavailable():
            return {"Retry-After": "1"}
        case _:
            return {}


def places_of(error: BaseException) -> list[str]:
    """Return where an error came from, innermost last: modules and lines, without a value of anything."""
    places: list[str] = []
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "?")
        places.append(f"{module}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-_PLACES:]


def _loc(fault: Mapping[str, Any], body: Any) -> Sequence[str | int]:
    """Return where a field stands in the body that came, without the validator's names for the ways to read it."""
    loc: tuple[str | int, ...] = fault["loc"]
    if fault["type"] in _UNION_TAGS:
        return *loc, fault["ctx"]["discriminator"].strip("'")
    if loc[0] != "body":
        return loc
    kept, here = [], body
    for place, part in enumerate(loc[1:], start=2):
        if isinstance(here, dict | list) and _has(here, part):
            kept.append(part)
            here = here[part]  # type: ignore[index]  # it has it
        elif place == len(loc) and fault["type"] in ("missing", AMISS):
            kept.append(part)
    return kept


def _has(here: dict[str, Any] | list[Any], part: str | int) -> bool:
    return part in here if isinstance(here, dict) else isinstance(part, int) and part < len(here)


def _path(loc: Sequence[str | int]) -> str:
    """Write where a field stands: `numbers[3]`, `cap.attempts`."""
    parts = loc[1:] if loc and loc[0] in _WHERE else loc
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".") or "body"
