"""One call of the documented API, as its handlers see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from callsheet.api.caller import DOCUMENT, GENERATION, NOTED, caller_of
from callsheet.api.paths import Query, read_query
from callsheet.core.errors import MalformedBody
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls what, with which words."""

    runtime: Runtime
    app: App
    thing: str
    """The id, or the name, in the path; empty where the path has none."""
    query: Query
    body: Any
    """The JSON body as it came; None where there was none."""
    generation: int
    """Which generation of the documented API the path names: 1 or 2."""
    noted: dict[str, Any]
    """What the audit log is to say about the call, by name: JSON values, and no number, text or secret."""

    @property
    def document(self) -> Mapping[str, Any]:
        """Return the body of a call that takes an object; empty where there was none. Raises MalformedBody."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise MalformedBody("The body must be a JSON object.")
        return self.body

    def parameter(self, name: str) -> str:
        """Return a parameter of the query, the last one where it repeats; empty when it is not there."""
        values = self.query.get(name.lower(), ())
        return values[-1] if values else ""


def read_call(runtime: Runtime, request: Request) -> Call:
    """Read a call."""
    return Call(
        runtime,
        caller_of(request.scope).app,
        unquote(request.path_params.get("thing", "")),
        read_query(request.scope["query_string"]),
        request.scope.get(DOCUMENT),
        request.scope[GENERATION],
        request.scope[NOTED],
    )
