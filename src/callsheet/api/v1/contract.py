"""The contract: the OpenAPI document of our own resources, failures included.

Each route says by classes of the error family which failures are its own; those that every call can have are here.
"""

from __future__ import annotations

import inspect
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from callsheet.api.v1.errors import PROBLEM_JSON
from callsheet.core.errors import CallsheetError, Forbidden, Invalid, Unauthenticated

Responses = dict[int | str, dict[str, Any]]


class WrongField(BaseModel):
    """A field that is wrong: where it stands in the request, and a sentence for people."""

    field: str
    message: str


class Problem(BaseModel):
    """A failure (RFC 9457): `code` is for programs and does not change, `detail` is the sentence for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[WrongField] = []
    """Every wrong field, where `code` is `invalid`."""


def problems(*errors: type[CallsheetError]) -> Responses:
    """Declare the failures of a route."""
    declared: Responses = {}
    for error in errors:
        said = declared.setdefault(error.status, {"description": ""})
        said["description"] = f"{said['description']} {inspect.getdoc(error)}".strip()
    return declared


EVERYWHERE: Responses = {
    **problems(Invalid, Unauthenticated, Forbidden),
    "default": {"description": "Any other failure."},
}


def write_contract(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application: every failure in it is a problem."""
    if app.openapi_schema is None:
        schema = Problem.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        document = FastAPI.openapi(app)
        document["components"]["schemas"].update(schema.pop("$defs"), Problem=schema)
        problem = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for operation in (one for path in document["paths"].values() for one in path.values()):
            for status, response in operation["responses"].items():
                if not status.startswith("2"):
                    response["content"] = problem
    assert app.openapi_schema is not None
    return app.openapi_schema
