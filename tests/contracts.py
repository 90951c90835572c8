"""The contract of our own API, written once for all tests of a process: that takes seconds."""

from copy import deepcopy
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from callsheet.api.v1.app import build


def our_contract() -> dict[str, Any]:
    """Return a copy that may be changed."""
    return deepcopy(_written())


def our_operations() -> list[tuple[str, str]]:
    """Return method and path of all that the contract has, without writing it: whoever lists tests needs no more."""
    routes = [route for route in iter_route_contexts(_built().routes) if getattr(route, "include_in_schema", False)]
    return [(method, route.path or "") for route in routes for method in sorted(route.methods or ())]


@cache
def _built() -> FastAPI:
    # Which runtime it has tells a contract nothing.
    return build(None)  # type: ignore[arg-type]


@cache
def _written() -> dict[str, Any]:
    return _built().openapi()
